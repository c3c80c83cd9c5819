/*
 * The gates, one file each; gate.c has their order. Each answers NULL to let the request pass (gate.h).
 */
#ifndef QUINTET_EDGE_GATE_GATES_H
#define QUINTET_EDGE_GATE_GATES_H

#include "edge/exchange.h"

const struct handler *gate_proxies(struct exchange *ex); /* 400: what trusted proxies say contradicts itself */
const struct handler *gate_host(struct exchange *ex);    /* 400, 421: no host of ours */
/* The refusal of a host that nobody knows: counted and logged. Also where sites: have none for it. */
const struct handler *gate_unknown_host(struct exchange *ex, unsigned status);
const struct handler *gate_https(struct exchange *ex);   /* 301: SECURE_SSL_REDIRECT */
const struct handler *gate_network(struct exchange *ex); /* 403: deny and allow lists */
const struct handler *gate_rate(struct exchange *ex);    /* 429: rate limits; fills in ex->rate_state */
const struct handler *gate_credentials(
    struct exchange *ex); /* 401, 403, 410: names and passwords, signed URLs; fills in ex->remote_user */

#endif
