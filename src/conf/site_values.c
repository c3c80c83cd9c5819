/* The values of sites and routes. */
#include "conf/site_values.h"

#include <arpa/inet.h>

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* ---- hosts ---- */

static bool is_v6_literal(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (s.n < 4 || s.p[0] != '[' || s.p[s.n - 1] != ']' || s.n - 2 >= sizeof(text))
        return false;
    memcpy(text, s.p + 1, s.n - 2);
    text[s.n - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* No port and no trailing dot: a request's host is compared without both. */
static bool is_name(struct str s)
{
    char before = '.';

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? before == '.' : !(is_alnum(s.p[i]) || s.p[i] == '-' || s.p[i] == '_'))
            return false;
        before = s.p[i];
    }
    return s.n > 0 && s.n <= SITE_HOST_MAX && before != '.';
}

bool site_is_host(struct str s)
{
    if (str_eq(s, STR("*")) || is_v6_literal(s))
        return true;
    if (str_starts(s, STR("*.")))
        s = str_cut(s, 2, s.n);
    return is_name(s);
}

/* ---- paths ---- */

/* Written as people read it: it is compared with what a request's path is after decoding, where "//", "." and ".." are gone. */
bool site_is_route_path(struct str s)
{
    struct str rest = s, segment;

    if (s.n == 0 || s.p[0] != '/')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f || strchr("%?#\\", s.p[i]))
            return false;
    (void)str_split(&rest, '/');
    while (rest.p) {
        segment = str_split(&rest, '/');
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")) || (segment.n == 0 && rest.p))
            return false;
    }
    return true;
}

/* ---- headers ---- */

struct str site_header_name(struct str header)
{
    return str_split(&header, ':');
}

struct str site_header_value(struct str header)
{
    (void)str_split(&header, ':');
    return str_trim(header);
}

/* RFC 9110 5.6.2 */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", s.p[i])))
            return false;
    return s.n > 0;
}

/* What says where the message ends, or belongs to one connection, is not the operator's to say. */
static bool frames_message(struct str name)
{
    static const char *const names[] = { "connection", "content-length", "keep-alive", "proxy-connection", "te",
                                         "trailer",    "upgrade",        "date",       "transfer-encoding" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

bool site_is_header(struct str s)
{
    struct str name = site_header_name(s), value = site_header_value(s);

    if (!memchr(s.p ? s.p : "", ':', s.n) || !is_token(name) || frames_message(name))
        return false;
    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || (unsigned char)value.p[i] >= 0x7f)
            return false;
    return true;
}

/* ---- redirects ---- */

static bool placeholders_are_known(struct str s)
{
    static const char *const known[] = { "{host}", "{path}", "{query}" };
    size_t i = 0;

    while (i < s.n) {
        size_t step = s.p[i] == '{' || s.p[i] == '}' ? 0 : 1;

        for (size_t k = 0; k < ARRAY_LEN(known) && step == 0; k++)
            if (str_starts(str_cut(s, i, s.n), str_of(known[k])))
                step = strlen(known[k]);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

/* Where to is for the operator to say: of the request only its own host may be part of the authority. */
static bool is_authority(struct str s)
{
    static const struct str host = STR_INIT("{host}");
    size_t end = 0;

    while (end < s.n && !strchr("/?", s.p[end]))
        end++;
    if (end == 0)
        return false;
    for (size_t i = 0; i < end; i++) {
        if (s.p[i] == '@')
            return false;
        if (s.p[i] != '{')
            continue;
        if (!str_starts(str_cut(s, i, end), host))
            return false;
        i += host.n - 1;
    }
    return true;
}

/* Neither "//host" nor "/\host", which a browser takes for another site. */
bool site_is_redirect(struct str s)
{
    struct str rest;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f || strchr("\"<>\\^`|", s.p[i]))
            return false;
    if (!placeholders_are_known(s))
        return false;
    if (str_starts(s, STR("/")))
        return s.n < 2 || s.p[1] != '/';
    if (str_starts(s, STR("https://")))
        rest = str_cut(s, strlen("https://"), s.n);
    else if (str_starts(s, STR("http://")))
        rest = str_cut(s, strlen("http://"), s.n);
    else
        return false;
    return is_authority(rest);
}
