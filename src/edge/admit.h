/*
 * How many connections there may be, in all and from one address: the process-wide count that all lanes share.
 *
 * It is touched when a connection comes and when it goes, never for a request. A connection is counted from its accept until its descriptor
 * is closed, on its way to another lane too. Addresses are counted only while a limit for them is set: IPv4 whole, IPv6 by the /64 that one
 * customer usually has. Unix sockets and trusted proxies, which speak for many, count in all but not by address. Any thread.
 */
#ifndef QUINTET_EDGE_ADMIT_H
#define QUINTET_EDGE_ADMIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "os/sock.h"

struct admit {
    atomic_uint open;        /* connections now */
    atomic_uint max;         /* of them; never 0 */
    atomic_uint per_address; /* 0: no limit */
    atomic_ullong tight_ns;  /* until then answers end their connections: nobody else could make room */
    pthread_mutex_t lock;    /* guards addresses */
    struct map addresses;    /* 16 bytes of an address → how many, as a pointer */
};

void admit_init(struct admit *a); /* no limits */
void admit_fini(struct admit *a);
void admit_limit(struct admit *a, uint32_t max, uint32_t per_address);
/* The default of --limit-connections: what descriptors allow (so many are left), and a connection for each 64 KiB of memory. */
uint32_t admit_rule(uint64_t descriptors, uint64_t memory);
bool admit_full(const struct admit *a);
/* One more. by_address: this peer counts by its address; cleared when there is no limit now. False, and nothing is counted, when its
 * address has as many as it may have. */
MUST_CHECK bool admit_enter(struct admit *a, const union sock_addr *peer, bool *by_address);
/* A connection that has been let in turns out to be this address's; by_address as for admit_enter. False: it has too many, by_address is cleared. */
MUST_CHECK bool admit_address(struct admit *a, const union sock_addr *peer, bool *by_address);
void admit_leave(struct admit *a, const union sock_addr *peer, bool by_address); /* as admit_enter left it */
/* Nobody can be evicted: for the next second connections end with their answers, so that those who wait get their turn. */
void admit_set_tight(struct admit *a, uint64_t now_ns);
bool admit_is_tight(const struct admit *a, uint64_t now_ns);

#endif
