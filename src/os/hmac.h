/*
 * HMAC-SHA256 (RFC 2104) as signatures of text, and a comparison that takes the same time whatever it finds. Any thread.
 */
#ifndef QUINTET_OS_HMAC_H
#define QUINTET_OS_HMAC_H

#include <stdbool.h>

#include "base/must.h"
#include "base/str.h"

#define HMAC_TEXT_LEN 43 /* base64url without padding (RFC 4648 5) */

/* Of the pieces one after the other. 0 or -ENOMEM. */
MUST_CHECK int hmac_text(struct str key, const struct str *pieces, size_t n, char out[HMAC_TEXT_LEN]);
bool hmac_same(struct str a, struct str b);

#endif
