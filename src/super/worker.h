/*
 * A worker: one place in a generation, with its seats in the pool, and the processes that have it one after the other.
 *
 *      incumbent UP ── worker_replace ──▶ a successor boots beside it (same number, same seats) ── READY ──▶ STOP to the incumbent
 *                                                                                                              │ finishes what it runs
 *      successor is the incumbent ◀── WORKER_JOIN to the edge ◀── WORKER_GONE to the edge ◀── reaped ◀─────────┘
 *
 * The edge hears of a successor only when its predecessor is gone; until then the successor's pool_take waits, as its seats have another
 * owner. An incumbent that dies early leaves its seats to the successor at once, booted or not. A successor that fails to boot is tried
 * again after a growing pause, and the incumbent stays. One thread.
 */
#ifndef QUINTET_SUPER_WORKER_H
#define QUINTET_SUPER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "super/child.h"
#include "super/standstill.h"
#include "super/stuck.h"

struct generation;
struct plan;

/* What a worker that is to be forked from a preloader gets; the last is for the edge. */
enum { FORK_OUTPUT, FORK_SUPERVISOR, FORK_EDGE, FORK_RECORDER, FORK_EDGE_END, FORK_FDS };

struct worker_process {
    struct child child;     /* its owner: the struct worker */
    struct plan *plan;      /* owned: what it was started with */
    uint32_t release;       /* the generation's number as people know it */
    struct list fork_turn;  /* waits for its preloader (preload.h) */
    int fork_fds[FORK_FDS]; /* owned until they are sent, the last until it is forked; -1 */
    int edge_end;           /* owned: of the channel between it and the edge, until the edge hears of it; -1: none */
    struct standstill still;
    struct stuck stuck;
};

struct worker {
    struct worker_process processes[2];
    struct child *child; /* the incumbent, of processes: the one that has the seats */
    struct child *next;  /* its successor, of processes; NULL: none */
    struct generation *generation;
    uint32_t index;
    bool booted;    /* one of its processes has been ready */
    char title[48]; /* "worker 3" */
    /* recycling (recycle.h) */
    struct list turn; /* in its generation's recycle.queue */
    pid_t turn_pid;   /* the process that asked */
    char turn_why[96];
    uint32_t early_recycles; /* in a row */
};

void worker_init(struct worker *w, struct generation *g, uint32_t index);
void worker_fini(struct worker *w); /* both processes must be down */

/* Boots a successor beside the incumbent and lets it take over once it is ready: the incumbent then may finish what it
 * runs. While a replacement is under way, or the incumbent is down or booting anyhow, nothing more happens. False: its generation serves no
 * new requests, so there is nothing to succeed to. `why` is logged. */
bool worker_replace(struct worker *w, const char *why);
/* The same for another release of the code, whatever the incumbent does; there must be no successor. */
void worker_succeed_with(struct worker *w, struct plan *plan, uint32_t release);
/* What the process is started with the next time. */
void worker_set_release(struct child *child, struct plan *plan, uint32_t release);
void worker_cancel(struct worker *w);                  /* no successor after all */
void worker_stop(struct worker *w, uint64_t grace_ns); /* both processes */
bool worker_is_down(const struct worker *w);
struct child *worker_find(struct worker *w, pid_t pid); /* NULL: neither */
/* A new edge: the incumbent and it get an end of a new channel each. */
void worker_join_again(struct worker *w);

static inline struct worker_process *worker_process_of(struct child *child)
{
    return CONTAINER_OF(child, struct worker_process, child);
}

/* ---- for the role ---- */

/* Its process has just been started: the edge gets its end of their channel (stays the caller's), now or when its turn comes. */
void worker_spawned(struct child *child, int edge_end);
void worker_booted(struct child *child);            /* READY */
bool worker_wants_again(const struct child *child); /* dead: shall it be started again, if it is still wanted? */
void worker_went_down(struct child *child);

#endif
