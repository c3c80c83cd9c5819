/* Borrowed byte strings: see str.h. */
#include "base/str.h"

#include <errno.h>

#include "base/mem.h"

#define DISTANCE_MAX 63 /* longest input of str_distance: a row fits the stack */

struct str str_of(const char *zero_terminated)
{
    return str_make(zero_terminated, zero_terminated != NULL ? strlen(zero_terminated) : 0);
}

/* memcmp and memchr may not be given NULL, and an empty str may be one. */
static bool same_bytes(const char *a, const char *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && same_bytes(a.p, b.p, a.n);
}

/* Capital letters of eight bytes made small: the high bit of each byte that holds one becomes its case bit. */
static uint64_t lower(uint64_t v)
{
    const uint64_t each = UINT64_C(0x0101010101010101), high = each * 0x80;
    uint64_t low = v & ~high; /* so that no sum reaches the next byte */

    return v | (((low + each * (0x80 - 'A')) & ~(low + each * (0x7f - 'Z')) & ~v & high) >> 2);
}

static uint64_t eight_lower(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return lower(v);
}

/* Four to eight bytes: the first four and the last four, which may overlap. */
static uint64_t few_lower(const char *p, size_t n)
{
    uint32_t first, last;

    memcpy(&first, p, sizeof(first));
    memcpy(&last, p + n - sizeof(last), sizeof(last));
    return lower((uint64_t)first << 32 | last);
}

/* Names of fields are most of it: by eights, the last eight overlapping those before. */
static bool same_eights(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i + 8 < n; i += 8) {
        if (eight_lower(a + i) != eight_lower(b + i))
            return false;
    }
    return eight_lower(a + n - 8) == eight_lower(b + n - 8);
}

bool str_same_nocase(const char *a, const char *b, size_t n)
{
    if (n >= 8)
        return same_eights(a, b, n);
    if (n >= 4)
        return few_lower(a, n) == few_lower(b, n);
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n > 0 ? memcmp(a.p, b.p, n) : 0;

    if (r != 0)
        return r;
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && same_bytes(s.p, prefix.p, prefix.n);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_cut(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

ptrdiff_t str_find(struct str s, char c)
{
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

    return at != NULL ? at - s.p : -1;
}

ptrdiff_t str_rfind(struct str s, char c)
{
    const char *at = s.n > 0 ? memrchr(s.p, c, s.n) : NULL;

    return at != NULL ? at - s.p : -1;
}

struct str str_cut(struct str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from >= to)
        return str_make(s.p, 0);
    return str_make(s.p + from, to - from);
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_ows(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_ows(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_split(struct str *rest, char sep)
{
    ptrdiff_t at = str_find(*rest, sep);
    struct str part = *rest;

    if (at < 0) {
        *rest = str_make(NULL, 0);
        return part;
    }
    part.n = (size_t)at;
    *rest = str_make(rest->p + at + 1, rest->n - (size_t)at - 1);
    return part;
}

int str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    bool over = false;

    if (s.n == 0)
        return -EINVAL;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

        if (digit > 9)
            return -EINVAL; /* also behind an overflow: "99…9x" is no number at all */
        if (value > (UINT64_MAX - digit) / 10)
            over = true;
        else
            value = value * 10 + digit;
    }
    if (over || value > max)
        return -ERANGE;
    *out = value;
    return 0;
}

char *str_dup(struct str s)
{
    return mem_strndup(s.p, s.n);
}

size_t str_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t need;

    if (s.n == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < need)
        return 0; /* stray continuation, overlong two bytes, past U+10FFFF, cut short */
    for (size_t i = 1; i < need; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90))
        return 0; /* overlong */
    if ((p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0; /* a surrogate; past U+10FFFF */
    return need;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Optimal string alignment; three rows are enough because a swap looks back two. */
unsigned str_distance(struct str a, struct str b)
{
    unsigned rows[3][DISTANCE_MAX + 1];

    if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
        return 1000;
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned replace = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);

            row[j] = min3(above[j] + 1, row[j - 1] + 1, replace);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] && above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}
