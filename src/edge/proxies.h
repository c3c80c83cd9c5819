/*
 * What trusted proxies say about the client of a request.
 *
 * A proxy writes the address that it was reached from behind those that are there already, so the fields are read from the right end: the socket's peer
 * is trusted, so what it wrote is true; if that is a trusted proxy too, what stands left of it is true as well; the first that is no trusted proxy is the
 * client, and left of it is what anybody can write. Own thread.
 *
 *      X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.5        peer 10.0.0.6        --trusted-proxies 10.0.0.0/8
 *                       anybody  the client    a proxy
 *
 * Where several fields speak:
 *      - Forwarded and X-Forwarded-* that say different things: the request is refused. A proxy writes one family and lets the other pass as the
 *        client sent it, and nothing tells which.
 *      - a malformed Forwarded: refused (http/forwarded.h says why).
 *      - an entry that is no address ("unknown", "_hidden", garbage): what is left of it is not believed, the address right of it is the furthest known.
 *      - CF-Connecting-IP and CloudFront-Viewer-Address count where an address of that CDN's preset was met on the way.
 *      - X-Real-IP counts where there is neither Forwarded nor X-Forwarded-For.
 *      - X-Forwarded-Proto, -Host, -Port: the member at the client's place where the list is as long as X-Forwarded-For, else the right-most.
 */
#ifndef QUINTET_EDGE_PROXIES_H
#define QUINTET_EDGE_PROXIES_H

#include "edge/exchange.h"
#include "http/forwarded.h"

#define PROXIES_CHAIN_MAX 16 /* addresses of it that the application gets */

struct proxies_said {
    struct forwarded_node client; /* .address.p == NULL: nobody says who it is */
    struct str proto, host, port; /* of the client's request; .p == NULL: not said */
    struct str
        chain; /* "client, proxy, proxy": X-Forwarded-For with what is known to be true; in the arena; .p == NULL: no client */
    const char *why; /* not NULL: contradictory or malformed; nothing else is set then */
};

/* The peer is trusted (ex->snapshot). All but the chain are pieces of the head: good as long as ex->bytes. */
void proxies_read(struct exchange *ex, const union sock_addr *peer, struct proxies_said *said);

#endif
