/*
 * Percent-decoding, paths for files, and host names.
 */
#include "http/uri.h"

#include <arpa/inet.h>
#include <errno.h>

#include "http/chars.h"

#define HOST_MAX 255 /* RFC 1035 2.3.4 */
#define PORT_DIGITS_MAX 5

/* The byte that s.p[i..] escapes, or -1. */
static int escaped_byte(struct str s, size_t i)
{
    int high, low;

    if (s.n - i < 3)
        return -1;
    high = http_hex[(unsigned char)s.p[i + 1]];
    low = http_hex[(unsigned char)s.p[i + 2]];
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool uri_is_escape(struct str s, size_t i)
{
    return i < s.n && s.p[i] == '%' && escaped_byte(s, i) >= 0;
}

size_t uri_decode(struct str in, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < in.n; i++) {
        int byte = in.p[i] == '%' ? escaped_byte(in, i) : -1;

        if (byte >= 0)
            i += 2;
        out[n++] = byte >= 0 ? (char)byte : in.p[i];
    }
    return n;
}

/* One segment after the other is taken over, but the empty ones and the dots; the slash in front of each goes with it, so "/a/." ends in one. */
size_t uri_normalise(char *path, size_t n)
{
    size_t out = 0, i = 0;

    while (i < n) {
        size_t begin = i, len;

        i++;
        while (i < n && path[i] != '/')
            i++;
        len = i - begin - 1; /* without the slash */
        if (len == 0 || (len == 1 && path[begin + 1] == '.')) {
            if (i < n)
                continue; /* the next brings its slash */
            path[out++] = '/';
        } else if (len == 2 && path[begin + 1] == '.' && path[begin + 2] == '.') {
            while (out > 0 && path[--out] != '/')
                ;
            if (i == n)
                path[out++] = '/';
        } else {
            memmove(path + out, path + begin, len + 1);
            out += len + 1;
        }
    }
    return out;
}

/* ---- paths for files ---- */

/* A segment that begins with a dot is ".", ".." or a dot file; RFC 8615 puts "/.well-known/" first. */
static bool is_segment_allowed(struct str segment, bool first)
{
    return segment.n == 0 || segment.p[0] != '.' || (first && str_eq(segment, STR(".well-known")));
}

/* One byte of a path at *i, decoded; -EINVAL for what no file name of ours has. */
static int next_path_byte(struct str in, size_t *i)
{
    bool escaped = in.p[*i] == '%';
    int byte = escaped ? escaped_byte(in, *i) : (unsigned char)in.p[*i];

    if (byte < ' ' || byte == 0x7f || byte == '\\' || (escaped && byte == '/')) /* -1: malformed */
        return -EINVAL;
    *i += escaped ? 3 : 1;
    return byte;
}

int uri_file_path(struct str in, char *out, size_t *n)
{
    size_t len = 0, segment = 0; /* where the current segment begins in out */
    bool first = true;

    for (size_t i = 0; i < in.n;) {
        int byte = next_path_byte(in, &i);

        if (byte < 0)
            return byte;
        if (byte == '/') {
            if (len > 0 && segment == len) /* repeated */
                continue;
            if (!is_segment_allowed(str_make(out + segment, len - segment), first))
                return -EINVAL;
            first = len == 0; /* the slash that opens the path ends no segment */
            segment = len + 1;
        }
        out[len++] = (char)byte;
    }
    if (!is_segment_allowed(str_make(out + segment, len - segment), first))
        return -EINVAL;
    *n = len;
    return 0;
}

/* ---- hosts ---- */

static int parse_port(struct str digits, uint32_t *port)
{
    uint64_t value = 0;

    if (digits.n == 0) { /* "host:" is allowed (RFC 3986 3.2.3) and means the default */
        *port = 0;
        return 0;
    }
    if (digits.n > PORT_DIGITS_MAX || str_to_u64(digits, UINT16_MAX, &value) < 0 || value == 0)
        return -EINVAL;
    *port = (uint32_t)value;
    return 0;
}

/* "[...]" that holds an IPv6 address and nothing else: no zone, no IPvFuture. */
static bool is_ip_literal(struct str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (host.n < 4 || host.n - 2 >= sizeof(text) || memchr(host.p, '\0', host.n))
        return false;
    memcpy(text, host.p + 1, host.n - 2);
    text[host.n - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* Length of the host at the start of the authority; 0: invalid. */
static size_t host_len(struct str in)
{
    size_t n;

    if (in.n > 0 && in.p[0] == '[') {
        n = (size_t)(str_find(in, ']') + 1);
        return n > 0 && is_ip_literal(str_make(in.p, n)) ? n : 0;
    }
    n = http_span(in, http_host_char);
    return n > HOST_MAX || (n > 0 && in.p[0] == '.') ? 0 : n;
}

int uri_authority_parse(struct str in, struct uri_authority *out)
{
    size_t n = host_len(in);

    if (n == 0)
        return -EINVAL;
    out->host = str_make(in.p, n);
    out->port = 0;
    if (n == in.n)
        return 0;
    return in.p[n] == ':' ? parse_port(str_cut(in, n + 1, in.n), &out->port) : -EINVAL;
}

/* Without its port and one trailing dot. */
static struct str bare_host(struct str host)
{
    ptrdiff_t colon = str_rfind(host, ':');

    if (colon >= 0 && str_rfind(host, ']') < colon)
        host = str_cut(host, 0, (size_t)colon);
    return host.n > 0 && host.p[host.n - 1] == '.' ? str_cut(host, 0, host.n - 1) : host;
}

bool uri_host_matches(struct str host, struct str pattern)
{
    host = bare_host(host);
    if (str_eq(pattern, STR("*")))
        return true;
    if (pattern.n == 0 || pattern.p[0] != '.')
        return str_eq_nocase(host, pattern);
    if (str_eq_nocase(host, str_cut(pattern, 1, pattern.n)))
        return true;
    return host.n > pattern.n && str_eq_nocase(str_cut(host, host.n - pattern.n, host.n), pattern);
}
