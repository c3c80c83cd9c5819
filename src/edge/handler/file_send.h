/*
 * A file as the answer to a request: validators, conditions, ranges, body (RFC 9110 8.8, 13, 14). Which file it is others have decided: file.c by the URL,
 * accel.c by what the application said.
 */
#ifndef QUINTET_EDGE_HANDLER_FILE_SEND_H
#define QUINTET_EDGE_HANDLER_FILE_SEND_H

#include "edge/file_cache.h"
#include "edge/handler/handlers.h"

struct file_offer {
    const struct root *root;
    struct str path;             /* below the root */
    const struct header *fields; /* the application's, which stand in place of ours; in the arena; NULL: none */
    uint32_t n_fields;
};

/* Answers with the entry, whose reference is taken over; the exchange's handler is file_handler from here on. */
void file_send(struct exchange *ex, struct file_entry *entry, const struct file_offer *offer);
/* file.c: answers with what the URL path `raw` (not decoded) names below the root, a page of our own if that is nothing. */
void file_answer(struct exchange *ex, const struct root *root, struct str raw);
/* Without the slashes that it begins with: below a root every path is relative. */
struct str file_without_slashes(struct str path);
/* The page for file_cache_get's `error`, with a log line where somebody can mend it. */
void file_refuse(struct exchange *ex, int error, struct str path);

/* The body of file_handler. */
enum piece_kind file_peek(struct exchange *ex, struct piece *piece);
void file_consume(struct exchange *ex, size_t n);
void file_end(struct exchange *ex);

#endif
