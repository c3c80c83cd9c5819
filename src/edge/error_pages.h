/*
 * Own pages for errors: the files of one directory, by status and form.
 *
 *      404.html   5xx.json   429.txt        the status itself, else its class; .html, .json and .txt by what the client accepts
 *
 * They are read once, when a configuration takes effect, so that a page needs neither a descriptor nor the disk at the moment when something is wrong.
 * In them {{status}}, {{reason}} and {{request_id}} (blanks inside are allowed) stand for the values, escaped for the form. Immutable; any lane.
 */
#ifndef QUINTET_EDGE_ERROR_PAGES_H
#define QUINTET_EDGE_ERROR_PAGES_H

#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/must.h"
#include "base/str.h"

#define ERROR_PAGES_MAX 64             /* files of a directory */
#define ERROR_PAGE_MAX (64u << 10)     /* bytes of one */
#define ERROR_PAGE_HOLES 16            /* placeholders in one that are filled in; the rest stay as they are */
#define ERROR_PAGE_VALUE_MAX (6 * 128) /* of a value, escaped */

enum page_form { PAGE_TEXT, PAGE_HTML, PAGE_JSON, PAGE_FORMS };

struct error_page {
    uint16_t status; /* 404; 4: all of 400 to 499 */
    enum page_form form;
    struct str text; /* owned */
};

struct error_pages {
    struct error_page pages[ERROR_PAGES_MAX];
    uint32_t n;
};

struct page_values {
    struct str status, reason, request_id; /* request_id: at most 128 bytes */
};

/* The pages in a directory (a descriptor, also O_PATH; stays the caller's); never NULL. What cannot be read or is too long is left out, with a line in the
 * log. */
struct error_pages *error_pages_read(int dir, struct log *log);
void error_pages_free(struct error_pages *pages); /* NULL allowed */
/* The status itself, else its class; NULL: neither, or pages is. */
const struct error_page *error_pages_find(const struct error_pages *pages, unsigned status, enum page_form form);
/* What error_page_fill takes of the arena. */
size_t error_page_room(const struct error_page *page);
/* The text with its values, in the arena; .p NULL: no memory. */
struct str error_page_fill(const struct error_page *page, const struct page_values *values, struct arena *arena);
/* "404.html" and the like. False: not the name of a page. */
bool error_page_name(struct str name, uint16_t *status, enum page_form *form);

#endif
