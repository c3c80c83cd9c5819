/*
 * Who the client is: address and scheme behind trusted proxies, and the request id.
 *
 * Only from peers in --trusted-proxies: the address is the right-most of X-Forwarded-For that is not itself a trusted proxy, the scheme that of
 * X-Forwarded-Proto, the id that of X-Request-ID. From anybody else these fields are not looked at and do not reach the app.
 */
#ifndef QUINTET_EDGE_CLIENT_H
#define QUINTET_EDGE_CLIENT_H

#include "edge/exchange.h"

/* Whether this request field may go on to the app: no hop-by-hop, no Proxy, no underscore, no X-Forwarded-* from strangers. */
bool client_field_passes(const struct exchange *ex, const struct http_field *field);

#endif
