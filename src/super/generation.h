/*
 * A generation: a set of workers that run one release of the code, and their pool.
 *
 *   OPENING ── POOL ──▶ BOOTING ── all READY ──▶ SERVING ── another serves ──▶ DRAINING ── POOL_IDLE ──▶ STOPPING ──▶ ENDED
 *      │                   │                        ▲                              │                          ▲
 *      │                   │                        └────────── rollback ──────────┼─── KEPT ── its time ─────┤
 *      └───────────────────┴── a worker fails to boot ─────────────────────────────┴──────────────────────────┘
 *
 * It stays in super->generations until its last process is reaped. Numbers grow by one and are never used twice.
 */
#ifndef QUINTET_SUPER_GENERATION_H
#define QUINTET_SUPER_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "super/child.h"
#include "super/plan.h"
#include "super/recycle.h"
#include "super/worker.h"

#define GENERATIONS_MAX                                                                                                \
    4 /* alive at a time, before another reload begins; the edge has room for more (LANE_POOLS_MAX) */
#define GENERATION_IDLE_GRACE_NS (5 * NS_PER_SEC) /* for a worker without a request to end */

struct handover;
struct super;
struct generation;

enum generation_state {
    GENERATION_OPENING, /* the edge makes the pool */
    GENERATION_BOOTING,
    GENERATION_READY, /* all workers are ready (at the start: one); the switch is the next step of the same turn */
    GENERATION_SERVING,
    GENERATION_DRAINING, /* the edge finishes its requests, at most graceful_timeout */
    GENERATION_KEPT,     /* booted and idle, for a rollback */
    GENERATION_STOPPING,
    GENERATION_ENDED,
};

struct generation {
    struct list link; /* super->generations */
    struct super *super;
    struct child *edge; /* borrowed: the edge that has its pool */
    uint32_t number;    /* of its pool, in messages */
    uint32_t release;   /* as people know it: grows when its workers are replaced by a rolling reload */
    enum generation_state state;
    struct plan *plan; /* owned: the edge's configuration while it serves, and what its next workers are started with */
    struct list preloads;   /* owned: struct preload, as long as they have a process */
    struct worker *workers; /* owned */
    uint32_t n_workers, threads;
    int pool_fds[WIRE_FDS_MAX]; /* owned: memfd, then an eventfd a lane */
    size_t n_pool_fds;
    struct loop_timer timer; /* end of the drain, or of its being kept */
    struct recycle recycle;
    struct loop_task free_task;
};

/* Takes the plan over; appended to super->generations and opened at once if there is an edge. */
struct generation *generation_new(struct super *super, struct plan *plan);
/* The serving generation of the program before: its workers are still to be restored, then generation_go_on. Takes the plan over. */
struct generation *generation_restore(struct super *super, struct plan *plan, const struct handover *h);
void generation_go_on(struct generation *g);
/* The edge has made the pool: takes the descriptors and starts the workers. False: not asked for. */
bool generation_take_pool(struct generation *g, struct wire_message *message);
/* Everything a new edge must know of it: POOL_OPEN, or POOL_ADOPT and the workers. */
void generation_introduce(struct generation *g);
void generation_serve(struct generation *g); /* SWITCH */
void generation_drain(struct generation *g); /* another serves now */
void generation_stop_kept(struct super *super);
void generation_idle(struct generation *g); /* POOL_IDLE: it is kept, or ends */
void generation_stop(struct generation *g, uint64_t grace_ns);
bool generation_takes_requests(const struct generation *g); /* and the server is not about to end */
bool generation_needs_workers(
    const struct generation *g); /* it serves, or may again: a worker that is gone comes back */
uint32_t generation_workers_up(const struct generation *g);
/* The newest one that a rollback can return to: the one kept, or the one that drains if it will be. NULL: none. */
struct generation *generation_previous(struct super *super);
bool generation_is_whole(const struct generation *g); /* each worker has been ready once */
void generation_worker_ready(struct generation *g);
void generation_worker_down(struct generation *g);
struct worker *generation_worker(struct super *super, uint32_t number, uint32_t index); /* NULL: no such */
struct generation *generation_find(struct super *super, uint32_t number);
const char *generation_state_name(enum generation_state state);

#endif
