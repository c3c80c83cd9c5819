/* The syntax of X-Forwarded-* and Forwarded. */
#include "http/forwarded.h"

#include <arpa/inet.h>
#include <errno.h>

#include "http/chars.h"

#define PORT_DIGITS_MAX 5

/* ---- addresses ---- */

static bool is_address(struct str s, int family)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, &ignored) == 1;
}

/* obfport = "_" 1*(ALPHA / DIGIT / "." / "_" / "-") */
static bool is_obfuscated(struct str s)
{
    return s.n > 1 && s.p[0] == '_' && http_span(s, http_host_char) == s.n;
}

static bool port_parse(struct str s, uint16_t *port)
{
    uint64_t value = 0;

    *port = 0;
    if (is_obfuscated(s))
        return true;
    if (s.n > PORT_DIGITS_MAX || str_to_u64(s, UINT16_MAX, &value) < 0)
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool bracketed_parse(struct str text, struct forwarded_node *out)
{
    ptrdiff_t end = str_find(text, ']');
    struct str behind;

    if (end < 0)
        return false;
    out->address = str_cut(text, 1, (size_t)end);
    behind = str_cut(text, (size_t)end + 1, text.n);
    if (behind.n > 0 && (behind.p[0] != ':' || !port_parse(str_cut(behind, 1, behind.n), &out->port)))
        return false;
    return is_address(out->address, AF_INET6);
}

bool forwarded_node_parse(struct str text, struct forwarded_node *out)
{
    ptrdiff_t colon = str_find(text, ':');

    *out = (struct forwarded_node){ .address = text };
    if (text.n > 0 && text.p[0] == '[')
        return bracketed_parse(text, out);
    if (colon < 0)
        return is_address(text, AF_INET);
    if (str_rfind(text, ':') != colon)
        return is_address(text, AF_INET6);
    out->address = str_cut(text, 0, (size_t)colon);
    return is_address(out->address, AF_INET) && port_parse(str_cut(text, (size_t)colon + 1, text.n), &out->port);
}

bool forwarded_viewer_parse(struct str text, struct forwarded_node *out)
{
    ptrdiff_t colon = str_rfind(text, ':');

    *out = (struct forwarded_node){ 0 };
    if (colon < 0 || !port_parse(str_cut(text, (size_t)colon + 1, text.n), &out->port))
        return false;
    out->address = str_cut(text, 0, (size_t)colon);
    return is_address(out->address, AF_INET) || is_address(out->address, AF_INET6);
}

/* ---- lists ---- */

bool forwarded_member(struct str *rest, struct str *out)
{
    while (rest->p != NULL) {
        *out = str_trim(str_split(rest, ','));
        if (out->n > 0)
            return true;
    }
    return false;
}

/* ---- Forwarded ---- */

static void skip(struct str *s, size_t n)
{
    s->p += n;
    s->n -= n;
}

static void skip_space(struct str *s)
{
    while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
        skip(s, 1);
}

static bool at(const struct str *s, char c)
{
    return s->n > 0 && s->p[0] == c;
}

/* quoted-string (RFC 9110 5.6.4) without its quotes. */
static bool take_quoted(struct str *rest, struct str *out)
{
    size_t i = 1;

    for (; i < rest->n && rest->p[i] != '"'; i++) {
        if (rest->p[i] == '\\')
            i++;
        if (i < rest->n && !http_field_char[(unsigned char)rest->p[i]])
            return false;
    }
    if (i >= rest->n)
        return false;
    *out = str_make(rest->p + 1, i - 1);
    skip(rest, i + 1);
    return true;
}

static bool is_bare(char c)
{
    return http_tchar[(unsigned char)c] || c == ':' || c == '[' || c == ']';
}

static bool take_value(struct str *rest, struct str *out)
{
    size_t n = 0;

    if (at(rest, '"'))
        return take_quoted(rest, out);
    while (n < rest->n && is_bare(rest->p[n]))
        n++;
    *out = str_make(rest->p, n);
    skip(rest, n);
    return n > 0;
}

static struct str *value_of(struct forwarded_element *element, struct str name)
{
    if (str_eq_nocase(name, STR("for")))
        return &element->node;
    if (str_eq_nocase(name, STR("proto")))
        return &element->proto;
    return str_eq_nocase(name, STR("host")) ? &element->host : NULL;
}

/* token "=" value; a parameter comes once (RFC 7239 4). */
static bool take_pair(struct str *rest, struct forwarded_element *out)
{
    size_t n = http_span(*rest, http_tchar);
    struct str name = str_make(rest->p, n), value, *slot;

    skip(rest, n);
    if (n == 0 || !at(rest, '='))
        return false;
    skip(rest, 1);
    if (!take_value(rest, &value))
        return false;
    slot = value_of(out, name);
    if (slot == NULL)
        return true;
    if (slot->p != NULL)
        return false;
    *slot = value;
    return true;
}

int forwarded_next(struct str *rest, struct forwarded_element *out)
{
    *out = (struct forwarded_element){ 0 };
    for (skip_space(rest); at(rest, ','); skip_space(rest))
        skip(rest, 1);
    if (rest->n == 0)
        return 0;
    for (;;) {
        if (!at(rest, ';') && !at(rest, ',') && rest->n > 0 && !take_pair(rest, out))
            return -EINVAL;
        skip_space(rest);
        if (rest->n == 0 || at(rest, ','))
            return 1;
        if (!at(rest, ';'))
            return -EINVAL;
        skip(rest, 1);
        skip_space(rest);
    }
}
