/*
 * A request's fields as HTTP/2 brings them, one by one, made into the head that HTTP/1 gives (RFC 9113 8.2, 8.3): handlers do not know the version.
 *
 *      :method, :path, :authority → method, target (path, query), authority; :authority also as the Host field
 *      cookie crumbs              → one Cookie field, joined by "; " (RFC 9113 8.2.3)
 *
 * The bytes go into `bytes`, the head's spans refer to them. What is decided over the whole head is decided by the rules of HTTP/1 (h1_rules.h), so
 * that there is one opinion; what RFC 9113 adds is here. Too much of anything is remembered and answered at the end (414, 431), as the field
 * decoder must see the rest of the block in any case; nothing is kept past the limits. No allocation but in `bytes`. One thread.
 */
#ifndef QUINTET_HTTP_H2_HEAD_H
#define QUINTET_HTTP_H2_HEAD_H

#include "base/buf.h"
#include "http/h1.h"
#include "http/head.h"

struct h2_head {
    struct http_head *head;         /* borrowed */
    struct buf *bytes;              /* borrowed; its max is at least HTTP_HEAD_MAX + H2_HEAD_SLACK */
    const struct h1_limits *limits; /* borrowed */
    struct span authority;          /* of :authority; off 0 and len 0 when there is none */
    uint32_t cookie;                /* 1 + the Cookie field's index; 0: none yet */
    bool scheme;                    /* http or https */
    uint64_t size;   /* of the field list (RFC 9113 10.5.1): names, values, and 32 a field; what was dropped included */
    uint16_t status; /* how to refuse it; 0: nothing found so far */
    const char *reason; /* static */
};

#define H2_HEAD_SLACK 16 /* for the name of a Host field */

void h2_head_begin(struct h2_head *h, const struct h1_limits *limits, struct http_head *head, struct buf *bytes);
void h2_head_field(struct h2_head *h, struct str name, struct str value);
/* The block is complete; `end`: no body follows. h->status is 0 when the request is fit to be served. */
void h2_head_end(struct h2_head *h, bool end);

#endif
