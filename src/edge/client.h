/*
 * Who the client is: address and scheme behind trusted proxies, the host it asked, and the request id; and which request fields the application gets.
 *
 * Only peers in --trusted-proxies are believed (edge/proxies.h: how); from anybody else what names a client is not looked at and does not reach the
 * application. What does reach it, says one thing:
 *
 *      Host               the host that the client asked. It is X-Forwarded-Host's (or Forwarded's) where the proxy has put its own name in Host: where Host
 *                         is no known host and the other is one; or always, with USE_X_FORWARDED_HOST. So a client that can write that field through a proxy
 *                         gains nothing by it: it reaches known hosts only, which it could have asked for anyway.
 *      X-Forwarded-For    the client and the proxies after it, no address that anybody could have written
 *      X-Forwarded-Proto  the client's scheme, where a proxy has said one
 *      others             fields that name the client's address pass when they say the same; Forwarded, X-Forwarded-Host and -Port never: they have been read
 */
#ifndef QUINTET_EDGE_CLIENT_H
#define QUINTET_EDGE_CLIENT_H

#include "edge/exchange.h"
#include "pool/request.h"

/* Whether this request field may go on to the app as it is: no hop-by-hop, no Proxy, no underscore, nothing about the client from strangers, none of those
 * that client_add_fields writes. */
bool client_field_passes(const struct exchange *ex, const struct http_field *field);
/* Host and the X-Forwarded-* that the edge stands for. */
void client_add_fields(const struct exchange *ex, struct pool_request *request);

#endif
