/*
 * What proxies say about the client: X-Forwarded-* lists and Forwarded (RFC 7239).
 *
 * Syntax alone: who may be believed is the caller's affair (edge/client.h). Everything returned is a piece of the input. Any thread.
 */
#ifndef QUINTET_HTTP_FORWARDED_H
#define QUINTET_HTTP_FORWARDED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

/* An address as proxies write it. */
struct forwarded_node {
    struct str address; /* IPv4 or IPv6 in text, no brackets, below INET6_ADDRSTRLEN bytes */
    uint16_t port;      /* 0: not said */
};

/* One element of Forwarded, its values without their quotes; .p == NULL: not said. */
struct forwarded_element {
    struct str node, proto,
        host; /* for=, proto=, host=; raw when the value has a backslash: then it is none of the things we look for */
};

/* "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"; a port may be obfuscated (RFC 7239 6.3), it counts as not
 * said then. False for all else: "unknown", "_hidden", names, zones. */
MUST_CHECK bool forwarded_node_parse(struct str text, struct forwarded_node *out);
/* "192.0.2.1:443", "2001:db8::1:443": the port is always there and the address never in brackets (CloudFront-Viewer-Address). */
MUST_CHECK bool forwarded_viewer_parse(struct str text, struct forwarded_node *out);
/* The next member that is not empty of a comma-separated list. False: there is none. */
bool forwarded_member(struct str *rest, struct str *out);
/* The next element of a whole Forwarded field. 1; 0: there is none; -EINVAL: the field is malformed, and no part of it can be believed: an open quote
 * in what a client wrote would swallow what a proxy wrote behind it. Stricter than RFC 7239 in nothing; spaces around ';' and bare ':', '[', ']' are
 * taken, as many send them. */
MUST_CHECK int forwarded_next(struct str *rest, struct forwarded_element *out);

#endif
