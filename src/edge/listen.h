/*
 * Listening sockets of a lane: accept in batches, stop when draining, rest when descriptors run out.
 */
#ifndef QUINTET_EDGE_LISTEN_H
#define QUINTET_EDGE_LISTEN_H

#include "edge/lane.h"

struct edge_listener;

/* The socket is shared by all lanes; its descriptor is borrowed from the edge until listen_stop. 0 or -errno. */
MUST_CHECK int listen_add(struct lane *lane, const struct edge_listener *from);
/* Draining: takes what the kernel has queued already, so that nobody who was let in is reset, then stops. The
 * listener of metrics goes on, or stops too. */
void listen_drain(struct lane *lane, bool watch_too);
/* Behind the drain of all lanes, until the socket is closed: who has come since the look before. */
void listen_last_call(struct lane *lane, const struct edge_listener *from);
void listen_stop(struct lane *lane);
/* One address has as many connections as it may have: counted, and logged now and then. */
void listen_say_crowded(struct lane *lane, const union sock_addr *peer);

#endif
