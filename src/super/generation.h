/*
 * A generation: a set of workers that run one release of the code, and their pool.
 *
 *   OPENING ── POOL ──▶ BOOTING ── all READY ──▶ SERVING ── a newer serves ──▶ DRAINING ── POOL_IDLE ──▶ STOPPING ──▶ ENDED
 *      └───────────────────┴── a worker fails to boot ──────────────────────────────────────────────────────▲
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

#define GENERATION_IDLE_GRACE_NS (5 * NS_PER_SEC) /* for a worker without a request to end */

struct super;
struct generation;

enum generation_state {
    GENERATION_OPENING, /* the edge makes the pool */
    GENERATION_BOOTING,
    GENERATION_READY, /* all workers are ready; the switch is the next step of the same turn */
    GENERATION_SERVING,
    GENERATION_DRAINING, /* the edge finishes its requests, at most graceful_timeout */
    GENERATION_STOPPING,
    GENERATION_ENDED,
};

struct generation {
    struct list link; /* super->generations */
    struct super *super;
    struct child *edge; /* borrowed: the edge that has its pool */
    uint32_t number;
    enum generation_state state;
    struct plan *plan;      /* owned */
    struct worker *workers; /* owned, plan->workers of them */
    uint32_t n_workers;
    int pool_fds[WIRE_FDS_MAX]; /* owned: memfd, then an eventfd a lane */
    size_t n_pool_fds;
    struct loop_timer timer; /* end of the drain */
    struct recycle recycle;
    struct loop_task free_task;
};

/* Takes the plan over; appended to super->generations and opened at once if there is an edge. */
struct generation *generation_new(struct super *super, struct plan *plan);
/* The edge has made the pool: takes the descriptors and starts the workers. False: not asked for. */
bool generation_take_pool(struct generation *g, struct wire_message *message);
/* Everything a new edge must know of it: POOL_OPEN, or POOL_ADOPT and the workers. */
void generation_introduce(struct generation *g);
void generation_serve(struct generation *g); /* SWITCH */
void generation_drain(struct generation *g); /* another serves now */
void generation_idle(struct generation *g);  /* POOL_IDLE */
void generation_stop(struct generation *g, uint64_t grace_ns);
bool generation_takes_requests(const struct generation *g); /* and the server is not about to end */
void generation_worker_ready(struct generation *g);
void generation_worker_down(struct generation *g);
struct worker *generation_worker(struct super *super, uint32_t number, uint32_t index); /* NULL: no such */
struct generation *generation_find(struct super *super, uint32_t number);
const char *generation_state_name(enum generation_state state);

#endif
