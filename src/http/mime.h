/*
 * Media types by file name extension, and what browsers would run.
 */
#ifndef QUINTET_HTTP_MIME_H
#define QUINTET_HTTP_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct mime_type {
    struct str extension; /* lower case, no dot */
    struct str type;      /* "text/css; charset=utf-8": a Content-Type as it is sent */
    /* Safe to show inline from the site's own origin when users upload it: images without script, audio, video,
     * plain text, PDF. */
    bool inert;
};

/* Of the last extension in the name, any case; "application/octet-stream" for others; never NULL. */
const struct mime_type *mime_of(struct str filename);
/* The table's row `i`, sorted by extension; NULL behind the last. */
const struct mime_type *mime_at(size_t i);

#endif
