/*
 * Before a new program takes over: is it one that can? It is run as `quintet takeover-probe` with the arguments, environment and directory it
 * would be started with, and has PROBE_TIMEOUT_NS to say the format of the handover it reads (super/handover.h) and to read the configuration.
 *
 * Nothing has been changed yet when it cannot. By the loop, one at a time, one thread.
 */
#ifndef QUINTET_SUPER_PROBE_H
#define QUINTET_SUPER_PROBE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "os/loop.h"
#include "super/plan.h"

#define PROBE_TIMEOUT_NS (10 * NS_PER_SEC)
#define PROBE_OUTPUT_MAX (16u << 10)

/* error NULL: it can. */
typedef void probe_fn(void *arg, const char *error);

struct probe {
    struct loop *loop; /* borrowed */
    probe_fn *fn;
    void *arg;
    pid_t pid;    /* 0: not running, or reaped */
    bool running; /* fn is still to be called */
    bool late;
    int status;
    int fd; /* owned: what it prints; -1: ended */
    struct loop_io io;
    struct buf text;
    struct loop_timer timer;
};

void probe_init(struct probe *probe, struct loop *loop, probe_fn *fn, void *arg);
/* Starts the program at path; fn follows by the loop, never from inside. 0 or -errno: it cannot even be run. */
MUST_CHECK int probe_start(struct probe *probe, const struct launch *launch, const char *path);
void probe_reaped(struct probe *probe, int status); /* waitpid returned probe->pid */
void probe_cancel(struct probe *probe);             /* fn is not called any more */

/* The other side: `quintet takeover-probe`. Returns the exit status. */
int probe_answer(const struct launch *launch);

#endif
