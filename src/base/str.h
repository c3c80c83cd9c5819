/*
 * A borrowed piece of bytes: pointer and length, not NUL-terminated, never owned.
 *
 * Comparison is bytewise; the *_nocase ones fold ASCII only (RFC 9110 field names, schemes, tokens), whatever the locale.
 */
#ifndef QUINTET_BASE_STR_H
#define QUINTET_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"

struct str {
    const char *p; /* borrowed; may be NULL when n is 0 */
    size_t n;      /* bytes */
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_INIT(literal)                                                                                              \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    } /* in static tables */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_make(const char *p, size_t n)
{
    return (struct str){ p, n };
}

struct str str_of(const char *zero_terminated); /* NULL gives the empty str */
bool str_eq(struct str a, struct str b);
bool str_same_nocase(const char *a, const char *b, size_t n);
static inline bool str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && str_same_nocase(a.p, b.p, a.n); /* most differ in length, and take no call */
}
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
ptrdiff_t str_find(struct str s, char c);                 /* index of the first c, or -1 */
ptrdiff_t str_rfind(struct str s, char c);                /* index of the last c, or -1 */
struct str str_cut(struct str s, size_t from, size_t to); /* [from, to), clamped to s */
struct str str_trim(struct str s);                        /* without leading and trailing SP and HTAB (OWS) */
/* Takes the part before `sep` off *rest and returns it; *rest becomes what follows. At the end *rest.p is NULL.
 * while (rest.p) part = str_split(&rest, ','); visits every part, empty ones included. */
struct str str_split(struct str *rest, char sep);
/* Decimal digits only, no sign, no space. 0, -EINVAL, or -ERANGE past `max`. */
MUST_CHECK int str_to_u64(struct str s, uint64_t max, uint64_t *out);
char *str_dup(struct str s); /* NUL-terminated heap copy; mem_free */
/* Bytes of the well-formed UTF-8 sequence (RFC 3629) that s begins with; 0 when it begins with none or is empty. */
size_t str_utf8(struct str s);
/* Edit distance (insert, delete, replace, swap of neighbours) for "did you mean"; inputs up to 63 bytes, else a large number. */
unsigned str_distance(struct str a, struct str b);

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif
