/*
 * The byte rules of WSGI responses: one place, so that the log can name the rule and a fuzzer or a unit test can walk every byte.
 */
#include "worker/rules.h"

/* Fields of one connection, which are the edge's business (RFC 9110 section 7.6.1 and wsgiref.util.is_hop_by_hop). */
static const struct str hop_by_hop[] = {
    STR_INIT("connection"), STR_INIT("keep-alive"), STR_INIT("proxy-authenticate"), STR_INIT("proxy-authorization"),
    STR_INIT("te"),         STR_INIT("trailers"),   STR_INIT("transfer-encoding"),  STR_INIT("upgrade"),
};

enum { TCHAR = 1, CONTROL = 2 };

/* tchar of RFC 9110 section 5.6.2, and what no value and no status may have. A table, as every byte of every response head is looked up. */
static const unsigned char kinds[256] = {
    ['0' ... '9'] = TCHAR, ['A' ... 'Z'] = TCHAR, ['a' ... 'z'] = TCHAR, ['!'] = TCHAR, ['#'] = TCHAR, ['$'] = TCHAR,
    ['%'] = TCHAR,         ['&'] = TCHAR,         ['\''] = TCHAR,        ['*'] = TCHAR, ['+'] = TCHAR, ['-'] = TCHAR,
    ['.'] = TCHAR,         ['^'] = TCHAR,         ['_'] = TCHAR,         ['`'] = TCHAR, ['|'] = TCHAR, ['~'] = TCHAR,
    [0 ... 8] = CONTROL,   [10 ... 31] = CONTROL, [127] = CONTROL,
};

static bool has_control(struct str s)
{
    unsigned found = 0;

    for (size_t i = 0; i < s.n; i++)
        found |= kinds[(unsigned char)s.p[i]];
    return found & CONTROL;
}

static bool is_token(struct str s)
{
    unsigned all = TCHAR;

    for (size_t i = 0; i < s.n; i++)
        all &= kinds[(unsigned char)s.p[i]];
    return all & TCHAR;
}

bool rules_is_ascii(struct str s)
{
    uint64_t high = 0, word;
    size_t i = 0;

    for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
        memcpy(&word, s.p + i, sizeof(word));
        high |= word;
    }
    for (; i < s.n; i++)
        high |= (unsigned char)s.p[i];
    return (high & UINT64_C(0x8080808080808080)) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *rules_status(struct str status, uint16_t *code, struct str *reason)
{
    if (status.n < 4 || !is_digit(status.p[0]) || !is_digit(status.p[1]) || !is_digit(status.p[2]) ||
        status.p[3] != ' ')
        return "the status must be three digits, a space and a reason, like '200 OK'";
    if (has_control(status))
        return "the status must not contain control characters";
    *code = (uint16_t)((status.p[0] - '0') * 100 + (status.p[1] - '0') * 10 + (status.p[2] - '0'));
    if (*code < 200 || *code > 599)
        return "the status must be a final one, from 200 to 599";
    *reason = str_cut(status, 4, status.n);
    return NULL;
}

const char *rules_field_name(struct str name)
{
    if (name.n == 0)
        return "a header name must not be empty";
    if (!is_token(name))
        return "a header name must be a token: letters, digits and !#$%&'*+-.^_`|~";
    for (size_t i = 0; i < ARRAY_LEN(hop_by_hop); i++)
        if (name.n == hop_by_hop[i].n && str_eq_nocase(name, hop_by_hop[i]))
            return "hop-by-hop headers belong to the server, the application must not set them";
    return NULL;
}

const char *rules_field_value(struct str value)
{
    return has_control(value) ? "a header value must not contain control characters such as CR, LF or NUL" : NULL;
}

bool rules_bodyless(uint16_t status)
{
    return status == 204 || status == 304;
}
