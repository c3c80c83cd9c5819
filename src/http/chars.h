/*
 * Character classes of HTTP as tables: one load per byte, no locale, no branches.
 *
 * None of them holds CR or LF, so a scan over a line that is known to end in CR needs no bounds check. Constant, any
 * thread.
 */
#ifndef QUINTET_HTTP_CHARS_H
#define QUINTET_HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

extern const bool http_tchar[256];       /* tchar: tokens, field names, methods (RFC 9110 5.6.2) */
extern const bool http_field_char[256];  /* VCHAR, obs-text, SP, HTAB: field values (RFC 9110 5.5) */
extern const bool http_target_char[256]; /* what we take in a request target: VCHAR but '#', and obs-text */
extern const bool http_host_char[256];   /* letters, digits, '-', '.', '_' */
extern const int8_t http_hex[256];       /* value of a hex digit; -1: none */

static inline bool http_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes at the start of s that are in the class. */
static inline size_t http_span(struct str s, const bool class[256])
{
    size_t i = 0;

    while (i < s.n && class[(unsigned char)s.p[i]])
        i++;
    return i;
}

#endif
