/*
 * Entity tags and conditional requests (RFC 9110 8.8 and 13). Ranges are in range.h.
 */
#ifndef QUINTET_HTTP_COND_H
#define QUINTET_HTTP_COND_H

#include <stdbool.h>
#include <stdint.h>

#include "http/head.h"

/* What is known of the selected representation. */
struct http_validators {
    struct str etag;       /* with quotes; empty: none */
    int64_t last_modified; /* seconds since 1970; -1: none */
    int64_t now;           /* the server's clock: a date is a strong validator once its second is over (8.8.2.2) */
};

enum http_cond { HTTP_COND_SEND, HTTP_COND_NOT_MODIFIED, HTTP_COND_FAILED }; /* 200/206, 304, 412 */

/* All preconditions in the order of RFC 9110 13.2.2 (If-Range apart). For methods other than GET and HEAD, 304
 * becomes 412. */
enum http_cond http_cond_evaluate(const struct http_head *head, const char *base, const struct http_validators *v);

/* Whether a Range field counts (13.1.5): no If-Range, or one that names the current representation. */
bool http_if_range_holds(const struct http_head *head, const char *base, const struct http_validators *v);
/* Strong or weak comparison of two entity tags (8.8.3.2). */
bool http_etag_matches(struct str a, struct str b, bool weak);

#endif
