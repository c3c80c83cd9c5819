/* Both versions of the PROXY protocol. Sections are those of its specification. */
#include "http/proxy_protocol.h"

#include <arpa/inet.h>
#include <string.h>

#define V1_MAX 107 /* 2.1: the longest line, CRLF included */
#define V2_FIXED 16
#define TLV_HEAD 3
#define TLV_SSL 0x20        /* PP2_TYPE_SSL */
#define SSL_HEAD 5          /* client, verify */
#define SSL_CLIENT_TLS 0x01 /* PP2_CLIENT_SSL */

static const struct str v1_signature = STR_INIT("PROXY ");
static const struct str v2_signature = STR_INIT("\r\n\r\n\0\r\nQUIT\n");

/* ---- version 1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n" (2.1) ---- */

static bool v1_address(struct str s, int family, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, out) == 1;
}

static bool v1_port(struct str s, uint16_t *port)
{
    uint64_t value = 0;

    if (s.n == 0 || (s.n > 1 && s.p[0] == '0') || str_to_u64(s, UINT16_MAX, &value) < 0)
        return false;
    *port = (uint16_t)value;
    return true;
}

static enum proxy_result v1_addresses(struct str rest, int family, struct proxy_header *out)
{
    struct str source = str_split(&rest, ' '), destination = str_split(&rest, ' '), port = str_split(&rest, ' ');
    uint8_t ignored[16];
    uint16_t ignored_port;

    if (!v1_address(source, family, out->source) || !v1_address(destination, family, ignored) ||
        !v1_port(port, &out->source_port) || rest.p == NULL || !v1_port(rest, &ignored_port))
        return PROXY_BAD;
    out->family = family == AF_INET ? PROXY_V4 : PROXY_V6;
    return PROXY_HEADER;
}

static enum proxy_result v1_parse(struct str in, struct proxy_header *out)
{
    ptrdiff_t end = str_find(str_cut(in, 0, V1_MAX), '\n');
    struct str rest, protocol;

    if (end < 0)
        return in.n < V1_MAX ? PROXY_MORE : PROXY_BAD;
    if (in.p[end - 1] != '\r')
        return PROXY_BAD;
    out->length = (uint32_t)end + 1;
    rest = str_cut(in, v1_signature.n, (size_t)end - 1);
    protocol = str_split(&rest, ' ');
    if (str_eq(protocol, STR("UNKNOWN")))
        return PROXY_HEADER; /* the rest of the line is to be ignored */
    if (rest.p != NULL && str_eq(protocol, STR("TCP4")))
        return v1_addresses(rest, AF_INET, out);
    if (rest.p != NULL && str_eq(protocol, STR("TCP6")))
        return v1_addresses(rest, AF_INET6, out);
    return PROXY_BAD;
}

/* ---- version 2: binary (2.2) ---- */

static uint16_t u16(struct str s, size_t at)
{
    return (uint16_t)((unsigned)(unsigned char)s.p[at] << 8 | (unsigned char)s.p[at + 1]);
}

/* 2.2.6: what each says is its own affair, but all of them fill the room there is. */
static bool v2_tlvs(struct str rest, struct proxy_header *out)
{
    while (rest.n > 0) {
        size_t n;

        if (rest.n < TLV_HEAD)
            return false;
        n = u16(rest, 1);
        if (rest.n - TLV_HEAD < n)
            return false;
        if ((unsigned char)rest.p[0] == TLV_SSL && n >= SSL_HEAD)
            out->tls = ((unsigned char)rest.p[TLV_HEAD] & SSL_CLIENT_TLS) != 0;
        rest = str_cut(rest, TLV_HEAD + n, rest.n);
    }
    return true;
}

static enum proxy_result v2_addresses(unsigned family, struct str body, struct proxy_header *out)
{
    static const struct {
        size_t address, room;                                         /* bytes of one, of both with their ports */
    } families[] = { { 0, 0 }, { 4, 12 }, { 16, 36 }, { 108, 216 } }; /* AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX */

    if (family >= ARRAY_LEN(families) || body.n < families[family].room)
        return PROXY_BAD;
    if (family == 1 || family == 2) {
        out->family = family == 1 ? PROXY_V4 : PROXY_V6;
        memcpy(out->source, body.p, families[family].address);
        out->source_port = u16(body, 2 * families[family].address);
    }
    if (family == 0) /* whatever there is, is to be skipped */
        return PROXY_HEADER;
    return v2_tlvs(str_cut(body, families[family].room, body.n), out) ? PROXY_HEADER : PROXY_BAD;
}

static enum proxy_result v2_parse(struct str in, struct proxy_header *out)
{
    unsigned version, family;

    if (in.n < V2_FIXED)
        return PROXY_MORE;
    version = (unsigned char)in.p[12];
    family = (unsigned char)in.p[13];
    out->length = V2_FIXED + (uint32_t)u16(in, 14);
    if ((version != 0x20 && version != 0x21) || out->length > PROXY_HEADER_MAX)
        return PROXY_BAD;
    if (in.n < out->length)
        return PROXY_MORE;
    if (version == 0x20) /* LOCAL: the proxy's own connection, a health check mostly */
        return PROXY_HEADER;
    if ((family & 0x0f) > 2) /* UNSPEC, STREAM, DGRAM */
        return PROXY_BAD;
    return v2_addresses((family & 0x0f) == 0 ? 0 : family >> 4, str_cut(in, V2_FIXED, out->length), out);
}

/* ---- which ---- */

enum match { MATCH_NO, MATCH_PART, MATCH_ALL };

static enum match match(struct str in, struct str signature)
{
    size_t n = in.n < signature.n ? in.n : signature.n;

    if (n > 0 && memcmp(in.p, signature.p, n) != 0)
        return MATCH_NO;
    return n == signature.n ? MATCH_ALL : MATCH_PART;
}

enum proxy_result proxy_parse(struct str in, struct proxy_header *out)
{
    enum match one = match(in, v1_signature), two = match(in, v2_signature);

    memset(out, 0, sizeof(*out));
    if (one == MATCH_ALL)
        return v1_parse(in, out);
    if (two == MATCH_ALL)
        return v2_parse(in, out);
    return one == MATCH_PART || two == MATCH_PART ? PROXY_MORE : PROXY_ABSENT;
}
