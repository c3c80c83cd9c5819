/*
 * The PROXY protocol, versions 1 and 2: what a proxy says in front of a connection's own bytes about who is at its other end.
 * (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt)
 *
 * The answer depends on the bytes alone and not on how they were cut: MORE asks again with more of them. Whether the sender may be believed is the
 * caller's affair. Any thread.
 */
#ifndef QUINTET_HTTP_PROXY_PROTOCOL_H
#define QUINTET_HTTP_PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

/* Longest header that is taken. Version 1 needs 107 bytes. Version 2 is told to stay below 536, which certificates in its TLVs pass. */
#define PROXY_HEADER_MAX 2048

enum proxy_result {
    PROXY_MORE,   /* it may become a header */
    PROXY_ABSENT, /* these bytes begin none */
    PROXY_BAD,    /* it begins as one and is none: nothing that follows can be believed */
    PROXY_HEADER, /* the header is complete */
};

enum proxy_family {
    PROXY_OWN, /* the proxy speaks for itself, does not know, or has its client on a unix socket: the connection's own address counts */
    PROXY_V4,
    PROXY_V6,
};

struct proxy_header {
    uint32_t length; /* bytes of the header; the connection's own begin there */
    enum proxy_family family;
    uint8_t source[16]; /* the client; network order, 4 bytes for PROXY_V4 */
    uint16_t source_port;
    bool tls; /* the client's connection to the proxy is encrypted (PP2_TYPE_SSL) */
};

/* `out` is filled for PROXY_HEADER. */
MUST_CHECK enum proxy_result proxy_parse(struct str in, struct proxy_header *out);

#endif
