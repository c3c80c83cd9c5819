/*
 * A growable byte buffer with a mandatory maximum.
 *
 * Invariant: len <= cap <= max; data is NULL while cap is 0. Appending past `max` changes nothing and returns -EMSGSIZE,
 * so the caller answers with the status code that belongs to the limit. One owner, one thread. Growth doubles, so that
 * many small appends cost O(bytes).
 */
#ifndef QUINTET_BASE_BUF_H
#define QUINTET_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

struct buf {
    char *data; /* owned */
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated, less one that buf_printf needs for its NUL */
    size_t max; /* never grows past this */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b); /* frees; usable again only after buf_init; needless while nothing was added */
/* Room for `more` bytes behind len (then write to data + len and call buf_commit). 0 or -EMSGSIZE. */
MUST_CHECK int buf_reserve(struct buf *b, size_t more);
/* The same for what a peer causes: -ENOMEM without memory, and b is as it was. */
MUST_CHECK int buf_try_reserve(struct buf *b, size_t more);
void buf_commit(struct buf *b, size_t n);  /* n bytes were written behind len; n <= cap - len */
void buf_consume(struct buf *b, size_t n); /* drops n bytes from the front (memmove); n <= len */
void buf_clear(struct buf *b);             /* len = 0, memory kept */
MUST_CHECK int buf_add(struct buf *b, const void *p, size_t n);
MUST_CHECK int buf_add_str(struct buf *b, struct str s);
MUST_CHECK int buf_add_char(struct buf *b, char c);
MUST_CHECK int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
MUST_CHECK int buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
MUST_CHECK int buf_add_u64(struct buf *b, uint64_t value); /* its decimal digits */
/* value / 10^decimals, with as many digits behind the point: 1234567, 6 is 1.234567. decimals: 1 to 19. */
MUST_CHECK int buf_add_decimal(struct buf *b, uint64_t value, unsigned decimals);
/* Appends s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
MUST_CHECK int buf_add_json(struct buf *b, struct str s);
struct str buf_str(const struct buf *b); /* borrowed view, valid until the next change */

#endif
