/* A growable byte buffer with a mandatory maximum: see buf.h. */
#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/digits.h"
#include "base/json.h"
#include "base/mem.h"

#define BUF_FIRST 256 /* first allocation, so that short texts do not grow byte by byte */

void buf_init(struct buf *b, size_t max)
{
    must(max < SIZE_MAX / 2);
    *b = (struct buf){ .max = max };
}

void buf_fini(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){ .max = b->max };
}

/* The capacity to grow to. */
static size_t next_cap(const struct buf *b, size_t need)
{
    size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap * 2;

    if (cap < need)
        cap = need;
    return cap > b->max ? b->max : cap;
}

static int reserve(struct buf *b, size_t more, void *(*grow)(void *ptr, size_t size))
{
    size_t need, cap;
    char *data;

    if (more > b->max - b->len)
        return -EMSGSIZE;
    need = b->len + more;
    if (need <= b->cap)
        return 0;
    cap = next_cap(b, need);
    data = grow(b->data, cap + 1);
    if (data == NULL)
        return -ENOMEM;
    b->data = data;
    b->cap = cap;
    return 0;
}

int buf_reserve(struct buf *b, size_t more)
{
    return reserve(b, more, mem_realloc);
}

int buf_try_reserve(struct buf *b, size_t more)
{
    return reserve(b, more, mem_try_realloc);
}

void buf_commit(struct buf *b, size_t n)
{
    must(n <= b->cap - b->len);
    b->len += n;
}

void buf_consume(struct buf *b, size_t n)
{
    must(n <= b->len);
    b->len -= n;
    if (b->len > 0 && n > 0)
        memmove(b->data, b->data + n, b->len);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return 0;
    if (n > b->cap - b->len) {
        int r = buf_reserve(b, n);

        if (r < 0)
            return r;
    }
    memcpy(b->data + b->len, p, n);
    b->len += n;
    return 0;
}

int buf_add_str(struct buf *b, struct str s)
{
    return buf_add(b, s.p, s.n);
}

int buf_add_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return r;
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    size_t room = b->cap - b->len;
    va_list again;
    int n, r;

    va_copy(again, ap);
    n = vsnprintf(b->data != NULL ? b->data + b->len : NULL, b->data != NULL ? room + 1 : 0, fmt, ap);
    must(n >= 0);
    r = buf_reserve(b, (size_t)n);
    if (r == 0 && (size_t)n > room)
        n = vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    if (r == 0)
        b->len += (size_t)n;
    return r;
}

int buf_add_u64(struct buf *b, uint64_t value)
{
    char digits[DIGITS_U64];

    return buf_add(b, digits, digits_u64(digits, value));
}

int buf_add_decimal(struct buf *b, uint64_t value, unsigned decimals)
{
    char digits[DIGITS_U64 + 2]; /* the point, and a zero before it */
    size_t at = sizeof(digits);

    must(decimals > 0 && decimals < DIGITS_U64);
    for (unsigned i = 0; i <= decimals || value > 0; i++, value /= 10) {
        if (i == decimals)
            digits[--at] = '.';
        digits[--at] = (char)('0' + value % 10);
    }
    return buf_add(b, digits + at, sizeof(digits) - at);
}

/* What needs no escape goes in one piece: nearly everything. */
int buf_add_json(struct buf *b, struct str s)
{
    size_t start = b->len;
    char out[JSON_CHAR_MAX];
    int r = buf_add_char(b, '"');

    while (r == 0 && s.n > 0) {
        size_t n = json_plain(s);

        r = buf_add(b, s.p, n);
        s = str_cut(s, n, s.n);
        if (r == 0 && s.n > 0) {
            n = json_escape(&s, out);
            r = buf_add(b, out, n);
        }
    }
    if (r == 0)
        r = buf_add_char(b, '"');
    if (r < 0)
        b->len = start;
    return r;
}

struct str buf_str(const struct buf *b)
{
    return str_make(b->data, b->len);
}
