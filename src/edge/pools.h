/*
 * The pools the edge has open: a generation each, with what is known of its slots and its workers.
 *
 *      open ─▶ workers join ─▶ switch: new requests come here ─▶ switch to another: retired, emptied ─▶ idle ─▶ close
 *
 * Everything is guarded by the dispatch lock unless said otherwise; the functions take it themselves and are lane 0's, but for ref and unref.
 */
#ifndef QUINTET_EDGE_POOLS_H
#define QUINTET_EDGE_POOLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/must.h"
#include "pool/pool.h"

struct dispatch;
struct job;
struct tally;

/* What the edge knows of a slot, whatever the shared word says. */
struct slot {
    uint32_t serial;
    uint32_t lane;   /* whose attention bits it sets */
    struct job *job; /* NULL: free, or an orphan whose client left */
    bool free;
    bool slow;     /* its request is of a slow kind, and counted in n_slow */
    bool begun;    /* a worker had it when the lane looked: never queued again, whatever the word says later */
    bool lost;     /* its worker has died: the lane settles it */
    bool reported; /* its request ran past the timeout, and the supervisor has been told */
    uint64_t
        orphan_ns; /* since when a request runs whose client has left: by the worker's word, as far as that can be true */
    uint64_t orphan_timeout_ns; /* how long it may run; 0: as the configuration says for all */
    char *what;                 /* the orphan's request, for the log; owned */
    struct tally *crowd;        /* which the orphan is still inside of; NULL: none */
    int32_t killer;             /* with lost: the process that died with it; 0: none did */
    int file;                   /* descriptor received for a FILE frame; -1 none; owned */
};

/* A pool's descriptors as they travel between processes. */
struct pool_fds {
    int memfd;
    const int *eventfds; /* one a lane */
    uint32_t lanes;
};

struct seat_owner {
    int channel; /* to the worker process; -1: none; owned */
    int32_t pid; /* 0: none */
    bool alive;
    bool stuck; /* a request ran past the timeout in it: it gets no more */
    bool spent; /* and nobody waits for anything it runs: the supervisor has been told */
};

struct generation {
    struct list link; /* in dispatch.generations, oldest first */
    uint32_t number;
    uint32_t refs; /* list, lanes; under the lock */
    struct pool *pool;
    struct pool_geometry geometry;
    int memfd, eventfd[POOL_LANES_MAX]; /* owned */
    struct slot *slots;                 /* geometry.slots */
    uint32_t *free;                     /* stack of free slot numbers */
    uint32_t n_free;
    uint32_t n_slow;  /* slots with slow requests (express.h) */
    atomic_uint used; /* slots not free; written under the lock */
    struct seat_owner workers[POOL_WORKERS_MAX];
    bool hungry;         /* as told to the pool */
    atomic_bool retired; /* SWITCHed away from: no new requests */
    bool idle_told;
};

/* Maps the pool and settles what a dead edge may have left in it. The descriptors are taken over, also on failure. 0, -EPROTO (not a pool
 * of so many lanes) or -errno. */
MUST_CHECK int pools_open(struct dispatch *d, uint32_t number, const struct pool_fds *fds, struct generation **out);
struct generation *pools_find(struct dispatch *d, uint32_t number); /* NULL when not open */
/* True: slots of a process that had the seats before, of whose end nobody told, are lost: as after pools_worker_gone. */
bool pools_worker_joined(struct dispatch *d, struct generation *g, uint32_t worker, int32_t pid, int channel);
/* Marks its slots lost; the caller then posts to every lane. */
void pools_worker_gone(struct dispatch *d, struct generation *g, uint32_t worker);
/* New requests go to g, which may have been switched away from before. What older generations and the one that served until now had READY
 * goes back to the front of the queue. Newer ones are left alone. */
void pools_switch(struct dispatch *d, struct generation *g);
/* Retired generations without a request: calls fn once for each. */
void pools_each_idle(struct dispatch *d, void (*fn)(void *arg, struct generation *g), void *arg);
/* Before pools_close: what waits in it goes back to the queue, the rest is lost, for lane_drop_pool to settle. */
void pools_abandon(struct dispatch *d, struct generation *g);
/* Out of the list; freed when the last lane has dropped it. */
void pools_close(struct dispatch *d, struct generation *g);
void pools_ref(struct dispatch *d, struct generation *g);
void pools_unref(struct dispatch *d, struct generation *g);

#endif
