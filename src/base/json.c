/* The escapes of a JSON string: see json.h. */
#include "base/json.h"

static size_t put(char out[JSON_CHAR_MAX], const char *p, size_t n)
{
    memcpy(out, p, n);
    return n;
}

static size_t put_unicode(char out[JSON_CHAR_MAX], unsigned c)
{
    static const char hex[] = "0123456789abcdef";

    memcpy(out, "\\u00", 4);
    out[4] = hex[(c >> 4) & 15];
    out[5] = hex[c & 15];
    return 6;
}

static size_t escape_ascii(unsigned char c, char out[JSON_CHAR_MAX])
{
    switch (c) {
    case '"':
        return put(out, "\\\"", 2);
    case '\\':
        return put(out, "\\\\", 2);
    case '\n':
        return put(out, "\\n", 2);
    case '\r':
        return put(out, "\\r", 2);
    case '\t':
        return put(out, "\\t", 2);
    default:
        break;
    }
    if (c < 0x20 || c == 0x7f)
        return put_unicode(out, c);
    out[0] = (char)c;
    return 1;
}

/* Eight bytes, none of them to be escaped: each term leaves the high bit of a byte that is to be. */
static bool eight_are_plain(const char *p)
{
    const uint64_t each = UINT64_C(0x0101010101010101), high = each * 0x80;
    uint64_t v, quote, backslash, found;

    memcpy(&v, p, sizeof(v));
    quote = v ^ each * '"';
    backslash = v ^ each * '\\';
    found = v | ((v - each * ' ') & ~v) | (v + each); /* 0x80 and more, controls, 0x7f */
    found |= ((quote - each) & ~quote) | ((backslash - each) & ~backslash);
    return (found & high) == 0;
}

size_t json_plain(struct str s)
{
    size_t n = 0;

    while (s.n - n >= sizeof(uint64_t) && eight_are_plain(s.p + n))
        n += sizeof(uint64_t);
    while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

size_t json_escape(struct str *rest, char out[JSON_CHAR_MAX])
{
    const char *p = rest->p;
    size_t n = str_utf8(*rest);
    size_t taken = n > 0 ? n : 1;

    rest->p += taken;
    rest->n -= taken;
    if (n == 0)
        return put(out, "\xef\xbf\xbd", 3);
    if (n == 1)
        return escape_ascii((unsigned char)p[0], out);
    if (n == 2 && (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0)
        return put_unicode(out, (unsigned char)p[1]); /* C1: a terminal may obey it */
    return put(out, p, n);
}
