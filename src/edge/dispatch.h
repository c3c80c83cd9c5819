/*
 * The one queue.
 *
 *      submit ──▶ free slot? ── yes ──▶ HANDED: copied into the slot, READY, a worker pulls it
 *                    │ no
 *                    ▼
 *                 QUEUED, first come first served ──▶ a slot comes free ──▶ HANDED
 *
 * With one exception: quick requests overtake slow ones that would take the last worker (express.h).
 *
 * One lock guards all: queue, free slots (slots.h), generations (pools.h). It is held for a copy of a few KB at most, never across a system call that waits. A job belongs to
 * the lane of its exchange; any lane may hand it over (whoever frees a slot), only its own lane reads its response.
 */
#ifndef QUINTET_EDGE_DISPATCH_H
#define QUINTET_EDGE_DISPATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "edge/hold.h"
#include "edge/lane.h"
#include "edge/rate.h"
#include "edge/usual.h"
#include "pool/request.h"
#include "pool/response.h"
#include "pool/slot.h"

struct edge;
struct exchange;
struct generation;
struct tally;

enum job_state {
    JOB_NEW,
    JOB_QUEUED, /* in the queue, or aside */
    JOB_HANDED, /* in a slot: READY, RUNNING or DONE */
    JOB_ENDED,  /* holds nothing */
};

/* A request for the app, in its exchange's arena. Guarded by the dispatch lock, but for `reader` (its lane's). */
struct job {
    struct list link; /* in dispatch.queue or dispatch.aside */
    enum job_state state;
    struct exchange *exchange;     /* borrowed */
    struct lane *lane;             /* borrowed */
    struct generation *generation; /* borrowed while HANDED: the slot keeps it alive */
    struct pool_ticket ticket;
    struct pool_reader reader;
    const struct pool_request *request; /* borrowed from the exchange's arena */
    uint64_t queued_ns;                 /* clock_mono_ns at submit */
    uint64_t waits_ns;                  /* since when it may wait for so long: queued_ns, or the death of its worker */
    uint64_t patience_ns;               /* how long it may wait; 0: as dispatch_limit says */
    uint64_t
        timeout_ns; /* how long it may run, also when its client has left; UINT64_MAX: no limit; 0: as the configuration says */
    uint64_t since_ns; /* when a worker took it, as far as its lane knows; 0: it does not */
    uint64_t usual_ns; /* what its kind takes, where that is long; 0: it is quick (express.h) */
    uint64_t held_ns;  /* hold_total at waits_ns */
    bool replayed;     /* was handed to a worker that died */
    int32_t killed[2]; /* pids of the workers that died with it */
    uint32_t n_killed;
    struct tally *crowd; /* its route's, which it is inside of; NULL: none. An orphan's is the slot's */
};

/* Who runs a request. */
struct dispatch_run {
    uint32_t generation, worker;
    int32_t pid; /* 0: dead by now */
    uint64_t since_ns;
    uint32_t thread; /* of that worker */
    uint64_t now_ns; /* when this was looked at; not before since_ns */
};

struct dispatch {
    pthread_mutex_t lock;
    struct edge *edge; /* borrowed: told when a retired generation is idle */
    struct list queue;
    struct list aside; /* slow ones, while enough of them run (express.h) */
    struct usual usual;
    uint32_t quick_share; /* of the last requests, in 65536ths */
    uint32_t n_queued;    /* in both lists */
    uint32_t queue_max;
    uint64_t queue_timeout; /* ns */
    struct rate rate;
    struct hold hold;
    struct list generations;
    struct generation *active; /* borrowed from generations; NULL: none yet */
    atomic_uint ahead;         /* requests that the workers end in SLOTS_AHEAD_NS, by the lane that has looked last */
    atomic_uint unwoken;       /* requests handed over for which no worker has been woken yet */
    uint64_t handed, refused, replayed; /* counters for status */
};

void dispatch_init(struct dispatch *d, struct edge *edge);
void dispatch_fini(struct dispatch *d);
/* Most jobs waiting, and for how long, from now on. */
void dispatch_limit(struct dispatch *d, uint32_t queue_max, uint64_t queue_timeout);

/* ---- requests: the exchange's own lane ---- */

/* Hands the job over or queues it. 0; -ENOBUFS: the queue is full; -ETIME: at the rate of late its time would be over before its turn.
 * A job at the front is never refused. */
MUST_CHECK int dispatch_submit(struct dispatch *d, struct job *job, bool front);
uint32_t dispatch_retry_after(struct dispatch *d, uint64_t now); /* seconds: 1 to 300, or the rest of a pause */
void dispatch_pace(struct dispatch *d, uint64_t gap_ns);         /* completions in a lane come so far apart */
/* Wakes workers for what was handed over since the last call: every lane does before it sleeps. */
void dispatch_wake(struct dispatch *d);
/* When one that steps aside for quick ones will have done so for long enough; UINT64_MAX: it is quick. And then: it has a slot if there is one. */
uint64_t dispatch_aside_until(struct dispatch *d, const struct job *job);
void dispatch_look(struct dispatch *d);
/* Nobody waits for it any more (client left, deadline). True: no worker has seen it and none will. */
bool dispatch_withdraw(struct dispatch *d, struct job *job);
/* Its time to wait is over. False: a worker has taken it in this moment, and it is left where it is. */
bool dispatch_recall(struct dispatch *d, struct job *job);
/* The response has been read and the slot is DONE: the slot is free for the next. 0, -EAGAIN (the worker has not said DONE yet), -EPROTO. */
MUST_CHECK int dispatch_finish(struct dispatch *d, struct job *job);
/* The job's worker is dead: its slot is free again, the job JOB_NEW. */
void dispatch_reap(struct dispatch *d, struct job *job);
/* The lane's own job in that slot, if a worker has it or had it; or NULL: a bit from before the slot changed hands. */
struct job *dispatch_job(struct dispatch *d, const struct lane *lane, struct generation *g, uint32_t slot);
/* A job of this lane whose worker has died, or NULL when none is left. */
struct job *dispatch_lost(struct dispatch *d, const struct lane *lane, struct generation *g);
/* An attention bit on a slot without a job: frees it when its worker has finished. */
void dispatch_orphan(struct dispatch *d, struct generation *g, uint32_t slot);
/* The descriptor the job's worker sent for its FILE frame. Descriptor (the caller's) or -ENOENT. */
MUST_CHECK int dispatch_take_file(struct dispatch *d, struct job *job);
/* Sends the request's spooled body to the worker that has the job. 0 or -errno. */
MUST_CHECK int dispatch_send_body(struct dispatch *d, struct job *job, int fd);
/* Which worker has it and since when; false: none yet. */
bool dispatch_running(struct dispatch *d, struct job *job, struct dispatch_run *run);
bool dispatch_is_done(struct dispatch *d, struct job *job); /* its worker has said DONE: no frame follows */

#endif
