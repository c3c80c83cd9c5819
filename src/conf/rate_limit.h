/*
 * A rate limit as people write it: "10/s burst 20 by address", "600/m by header X-Api-Key", "5/h by cookie sessionid", "1000/s by route".
 *
 * Without `burst` as many may come at once as the rate allows in its own unit; without `by` each address has its own.
 */
#ifndef QUINTET_CONF_RATE_LIMIT_H
#define QUINTET_CONF_RATE_LIMIT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"

#define RATE_LIMIT_COUNT_MAX 1000000
#define RATE_LIMIT_TEXT_MAX 128 /* of the normal form, NUL included */
#define RATE_LIMIT_NAME_MAX 64

enum rate_limit_key { RATE_BY_ADDRESS, RATE_BY_HEADER, RATE_BY_COOKIE, RATE_BY_ROUTE, RATE_KEYS };

struct rate_limit {
    uint64_t count, burst; /* 1 to RATE_LIMIT_COUNT_MAX */
    uint64_t period_ns;    /* a second, minute, hour or day */
    enum rate_limit_key key;
    struct str name; /* of the header or cookie: in the text that was parsed; empty otherwise */
};

#define RATE_LIMIT_EXPECTED                                                                                            \
    "a rate such as 10/s, 600/m burst 50, 10/s by header X-Api-Key, by cookie sessionid or by route"

/* 0 or -EINVAL. */
MUST_CHECK int rate_limit_parse(struct str text, struct rate_limit *out);
/* The normal form, with everything said. NUL-terminated. */
void rate_limit_write(const struct rate_limit *limit, char out[RATE_LIMIT_TEXT_MAX]);
/* The same without the burst: "10/s by address". */
void rate_limit_name(const struct rate_limit *limit, char out[RATE_LIMIT_TEXT_MAX]);

#endif
