/*
 * The PROXY protocol on a connection: the state before TLS and HTTP, in connections from trusted proxies only.
 *
 *      accept ─ a trusted proxy ─▶ PROXY_HEAD ─ header taken, or none ─▶ handshake or the first request
 *               anybody else ───────────────────────────────────────────▲
 *
 * Nothing needs to be switched on: the first bytes tell, and neither TLS nor a request of HTTP/1 or HTTP/2 begins like a header. From strangers such a
 * beginning is what it would be anyway: a bad request, or no handshake. The bytes are looked at in the kernel's buffer and taken off it only when the
 * header is complete, so that TLS finds its own first byte. A malformed header ends the connection: who speaks behind it is not known.
 *
 * Afterwards the address of the header is the connection's peer, for everything: the log, limits by address, and whether X-Forwarded-For counts (where
 * the address is a trusted proxy's itself). One header a connection. Own thread.
 */
#ifndef QUINTET_EDGE_PROXY_HEAD_H
#define QUINTET_EDGE_PROXY_HEAD_H

#include "edge/conn.h"

extern const struct conn_state proxy_head;

bool proxy_head_may_come(const struct conn *c); /* its peer is a trusted proxy */

#endif
