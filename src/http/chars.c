/*
 * The tables of chars.h. GNU ranges keep each class readable beside its ABNF.
 */
#include "http/chars.h"

const bool http_tchar[256] = {
    ['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true, ['-'] = true, ['.'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true,  ['^' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

const bool http_field_char[256] = {
    ['\t'] = true,
    [' ' ... '~'] = true,
    [0x80 ... 0xff] = true,
};

/* Wider than RFC 3986 on purpose: browsers send |, ^, {, } and scripts send raw UTF-8. What would be read two ways
 * stays out: spaces and controls (they delimit) and '#' (a fragment is never sent). */
const bool http_target_char[256] = {
    ['!' ... '"'] = true,
    ['$' ... '~'] = true,
    [0x80 ... 0xff] = true,
};

const bool http_host_char[256] = {
    ['-'] = true, ['.'] = true, ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['_'] = true, ['a' ... 'z'] = true,
};

const int8_t http_hex[256] = {
    [0 ... '/'] = -1,   ['0'] = 0,  1,  2,  3,  4,  5,  6, 7, 8, 9, /**/
    [':' ... '@'] = -1, ['A'] = 10, 11, 12, 13, 14, 15,             /**/
    ['G' ... '`'] = -1, ['a'] = 10, 11, 12, 13, 14, 15,             /**/
    ['g' ... 255] = -1,
};
