/*
 * Listening sockets of a lane: accept in batches, stop when draining, rest when descriptors run out.
 */
#ifndef QUINTET_EDGE_LISTEN_H
#define QUINTET_EDGE_LISTEN_H

#include "edge/lane.h"

/* The socket is shared by all lanes; fd is borrowed from the edge until listen_stop. 0 or -errno. */
MUST_CHECK int listen_add(struct lane *lane, int fd, bool tls);
/* Draining: takes what the kernel has queued already, so that nobody who was let in is reset, then stops. */
void listen_drain(struct lane *lane);
void listen_stop(struct lane *lane);

#endif
