/*
 * Asking the project's Django settings: a short Python process in the project's interpreter, directory and environment.
 *
 * It runs while the supervisor serves (a reload), so its answer comes by the loop; inspect_wait is for commands that have nothing
 * else to do. The answer fills the plan's configuration below everything the user said himself.
 */
#ifndef QUINTET_SUPER_INSPECT_H
#define QUINTET_SUPER_INSPECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "os/loop.h"
#include "super/plan.h"
#include "super/why.h"

#define INSPECT_OUTPUT_MAX (1u << 20)
#define INSPECT_TIMEOUT_NS (60 * NS_PER_SEC)

struct inspect;
/* result: 0; or the exit status (2, 3) with the reason. The plan stays the caller's. */
typedef void inspect_fn(void *arg, int result, const struct why *why);

struct inspect {
    struct loop *loop; /* borrowed */
    struct plan *plan; /* borrowed */
    inspect_fn *fn;
    void *arg;
    pid_t pid; /* 0: not running, or reaped */
    int status;
    struct loop_io out, err;
    int out_fd, err_fd; /* owned; -1: ended */
    struct buf out_text, err_text;
    struct loop_timer timer;
    bool late; /* killed by the timer */
};

void inspect_init(struct inspect *inspect, struct loop *loop);
/* Is there anything to ask: a Django project, as far as can be told without Python? */
bool inspect_wanted(const struct plan *plan);
/* Starts it; fn follows by the loop, never from inside. 0 or -errno. */
MUST_CHECK int inspect_start(struct inspect *inspect, struct plan *plan, inspect_fn *fn, void *arg);
void inspect_reaped(struct inspect *inspect, int status); /* waitpid returned inspect->pid */
void inspect_cancel(struct inspect *inspect);             /* killed, fn is not called; its pid is nobody's now */
/* The whole of it, waiting: for commands without a loop. 0; or the exit status with the reason. */
MUST_CHECK int inspect_wait(struct plan *plan, struct why *why);
/* What the script printed, into plan->builder and plan->findings. 0, or -EINVAL with the error. */
MUST_CHECK int inspect_apply(struct plan *plan, struct str answer, char error[CONF_ERROR_MAX]);

#endif
