/*
 * Byte ranges (RFC 9110 14): which parts of a representation a request asks for.
 *
 * Sets of ranges have been used to make servers send a file many times over (CVE-2011-3192), so a set is made smaller before it is answered: ranges
 * that overlap, or that lie nearer than a part's own fields are long, become one. What is left is disjoint, hence never more than the
 * whole. A set that is still large, or was absurd to begin with, is answered with the whole representation (14.2 allows it).
 */
#ifndef QUINTET_HTTP_RANGE_H
#define QUINTET_HTTP_RANGE_H

#include <stdint.h>

#include "http/cond.h"

#define HTTP_RANGES_MAX 16      /* parts of an answer */
#define HTTP_RANGE_SPECS_MAX 64 /* ranges that are looked at */
#define HTTP_RANGE_GAP 80       /* bytes between two ranges that are sent rather than told apart */

struct http_range {
    uint64_t first, last; /* both included */
};

struct http_ranges {
    uint32_t n;
    struct http_range at[HTTP_RANGES_MAX]; /* disjoint, in the order they were asked for */
};

enum http_range_result { HTTP_RANGE_NONE, HTTP_RANGE_SOME, HTTP_RANGE_UNSATISFIABLE }; /* 200, 206, 416 */

/* The Range and If-Range fields against a representation of `size` bytes. Malformed fields, unknown units and other methods than GET: none. `out` is filled
 * with HTTP_RANGE_SOME alone: at least one range, each within the representation. */
enum http_range_result http_range_evaluate(const struct http_head *head, const char *base,
                                           const struct http_validators *v, uint64_t size, struct http_ranges *out);

#endif
