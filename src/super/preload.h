/*
 * Preloading, the supervisor's side: one process of a generation imports the application, and its workers are forked from it.
 *
 *   worker wanted ─▶ parts made (channels, pipe, recorder) ─▶ waiting ── preloader READY ──▶ FORK sent ── FORKED on the worker's own channel ─▶ its pid is known
 *                                                               │                             │
 *                                                               └── nobody holds the other end of its channel any more: it never came to be ──▶ tried again
 *
 * Until FORKED the worker is a child without a pid (child.h). The pid is believed when the kernel says that it is a child of ours: the supervisor is the
 * subreaper of its descendants, and the worker's parent has ended. The preloader is started with the first worker that needs it, and
 * again when one needs it after its death; it ends with its generation. Processes of one generation may run different plans (a rolling
 * reload): each plan has its own preloader, which ends when no worker runs that plan any more. One thread.
 */
#ifndef QUINTET_SUPER_PRELOAD_H
#define QUINTET_SUPER_PRELOAD_H

#include <stdbool.h>

#include "super/worker.h"

struct preload {
    struct list link; /* generation->preloads */
    struct child child;
    struct generation *generation; /* borrowed */
    struct plan *plan;             /* owned */
    uint32_t release;
    struct standstill still;
    struct list waiting; /* of worker_process.fork_turn: no FORK has been sent for them */
    struct loop_task free_task;
};

static inline struct preload *preload_of(struct child *child)
{
    return CONTAINER_OF(child, struct preload, child);
}

/* Has this worker forked, now or as soon as it can be. Keeps duplicates of the descriptors. 0 or -errno. */
MUST_CHECK int preload_fork(struct worker_process *process, const int fds[FORK_FDS]);
/* The worker says FORKED: is it so? False: it is nobody's child of ours. */
bool preload_forked(struct worker_process *process, pid_t pid);
/* It is not wanted any more, or has come, or never will. Again is harmless. */
void preload_forget(struct worker_process *process);
/* Ends those whose plan no worker runs. */
void preload_sweep(struct generation *g);
void preload_stop_all(struct generation *g, uint64_t grace_ns);
struct child *preload_find(struct generation *g, pid_t pid); /* NULL: none */

#endif
