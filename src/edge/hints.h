/*
 * 103 Early Hints (RFC 8297) on HTTP/2: what a page will need is named while its worker still makes it.
 *
 * WSGI has no interim responses, so the hints come from the past: the Link fields (preload, modulepreload, preconnect) with which a page answered
 * are remembered and sent ahead of the next answer to a navigation to the same host and path. Remembered are only pages that are the same for
 * everybody, as far as their fields say: GET, 200, text/html, no Set-Cookie, neither private nor no-store, no Vary on Cookie or Authorization. Whatever
 * else that path answers makes it forgotten. Answers to requests with a query or with credentials say nothing: what one visitor has put into a URL is not sent
 * to others, and what is for those who have a password (RFC 9111 3.5) not either. Only Link values are ever kept.
 *
 * A lane has its own: HINTS_MAX pages, the newer displaces the older in the same place. Own thread.
 */
#ifndef QUINTET_EDGE_HINTS_H
#define QUINTET_EDGE_HINTS_H

#include "edge/exchange.h"

#define HINTS_MAX 256
#define HINTS_KEY_MAX 512   /* host and path */
#define HINTS_LINK_MAX 2048 /* of a page: links that do not fit are left out */

struct hints;

struct hints *hints_new(void); /* NULL: no memory, and the functions below do nothing */
void hints_free(struct hints *hints);
/* The response's head is complete. */
void hints_learn(struct hints *hints, const struct exchange *ex);
/* What to send ahead, valid until the next call of hints_learn; empty: nothing. */
struct str hints_for(const struct hints *hints, const struct exchange *ex);

#endif
