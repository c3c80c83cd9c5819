/*
 * Who is on the way to a listening socket: let in by the kernel, and not waiting for accept yet.
 *
 * That is a handshake whose last packet is missing, and where accepting is deferred (SOCK_DEFER_S, tcp(7) TCP_DEFER_ACCEPT) a client that has said nothing
 * since. To close the socket resets them all, so who wants to close it asks here first. The kernel is asked by sock_diag(7), any thread; that takes a
 * look at its whole table of connections, about a millisecond.
 */
#ifndef QUINTET_OS_HALF_OPEN_H
#define QUINTET_OS_HALF_OPEN_H

#include "base/must.h"

/* How many; 0 for a unix socket. -errno where the kernel does not tell. Clients of another socket with the same port are counted, too. */
MUST_CHECK int half_open(int listener);

#endif
