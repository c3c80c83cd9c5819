/*
 * The preloader: a process that has imported the application, serves nothing, and forks workers on the supervisor's word.
 *
 *      supervisor ── FORK (3 or 4 descriptors) ──▶ preloader ── fork ──▶ helper ── fork ──▶ worker
 *                                                     │ waits             │ exits             │ waits until the supervisor is its parent
 *      supervisor ◀──────────────────────── FORKED (pid), READY ───────────────────────────────┘ on its own channel
 *
 * The helper's end makes the worker an orphan, and the supervisor, a subreaper, its parent: SIGCHLD and waitpid are then as for any worker. For Python and
 * the application's fork hooks both are one fork: "before" and "after in parent" run in the preloader, "after in child" in the worker, nothing
 * in the helper. A "before" hook takes locks, and there it would wait for threads that it has not. A worker that never came to be is known by
 * its channel: nobody holds the other end. One thread of ours; the GIL is held but for waiting.
 */
#ifndef QUINTET_WORKER_PRELOAD_H
#define QUINTET_WORKER_PRELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must.h"
#include "base/str.h"

/* A worker to be made. */
struct preload_order {
    uint32_t worker; /* its index */
    int fds[4];      /* owned: what it prints to, channel to the supervisor, channel to the edge, recorder (-1: none) */
};

/* Marks the inherited descriptors close-on-exec, sets signal handlers and title. 0 or -errno. */
MUST_CHECK int preload_start(uint32_t generation);
MUST_CHECK int preload_ready(void);
MUST_CHECK int preload_failed(struct str why);
/* Waits for the next order. 1; 0: it is time to go; -EINTR: a signal came. Without the GIL. */
MUST_CHECK int preload_await(struct preload_order *out);
/* In the preloader, when the order has been passed on or cannot be. */
void preload_dismiss(struct preload_order *order);
/* 0 in the worker; in the preloader 1 when the helper has ended; -errno. The caller does what Python wants before and after. */
MUST_CHECK int preload_fork(void);
/* In the worker: takes the descriptors, waits for its new parent, says FORKED. 0, or -errno: then it must end. */
MUST_CHECK int preload_become(const struct preload_order *order);

#endif
