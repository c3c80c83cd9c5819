/*
 * The byte rules of WSGI responses: one place, so that the log can name the rule and a fuzzer or a unit test can walk every byte.
 */
#include "worker/rules.h"

/* Fields of one connection, which are the edge's business (RFC 9110 section 7.6.1 and wsgiref.util.is_hop_by_hop). */
static const struct str hop_by_hop[] = {
    STR_INIT("connection"), STR_INIT("keep-alive"), STR_INIT("proxy-authenticate"), STR_INIT("proxy-authorization"),
    STR_INIT("te"),         STR_INIT("trailers"),   STR_INIT("transfer-encoding"),  STR_INIT("upgrade"),
};

/* tchar of RFC 9110 section 5.6.2. */
static bool is_tchar(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
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
    for (size_t i = 0; i < name.n; i++)
        if (!is_tchar((unsigned char)name.p[i]))
            return "a header name must be a token: letters, digits and !#$%&'*+-.^_`|~";
    for (size_t i = 0; i < ARRAY_LEN(hop_by_hop); i++)
        if (str_eq_nocase(name, hop_by_hop[i]))
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
