/*
 * The escapes of a JSON string (RFC 8259 section 7), one character at a time, so that both a growing buffer (buf_add_json)
 * and a line of limited length (the log) can cut between two characters. Whole documents are written with jansson.
 */
#ifndef QUINTET_BASE_JSON_H
#define QUINTET_BASE_JSON_H

#include <stddef.h>

#include "base/str.h"

#define JSON_CHAR_MAX 6 /* longest form of one character: \u001b */

/* Takes one character off *rest (not empty) and writes what stands for it between the quotes of a JSON string; returns its
 * length. Control characters (C0, DEL, C1), the quote and the backslash are escaped; a byte that is not UTF-8 becomes
 * U+FFFD. Always valid UTF-8. */
size_t json_escape(struct str *rest, char out[JSON_CHAR_MAX]);

size_t json_plain(
    struct str
        s); /* how many bytes from its beginning stand for themselves: printable ASCII, neither quote nor backslash */

#endif
