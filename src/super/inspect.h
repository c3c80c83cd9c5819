/*
 * Asking the project's Django settings (python/quintet/django_settings.py, conf/django.h).
 *
 * It runs while the supervisor serves (a reload), so its answer comes by the loop; inspect_wait is for commands that have nothing
 * else to do. The answer fills the plan's configuration below everything the user said himself. With an application named by the
 * user the settings are a help, not a must: if they cannot be read, plan->notice says so and the start goes on.
 */
#ifndef QUINTET_SUPER_INSPECT_H
#define QUINTET_SUPER_INSPECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "os/loop.h"
#include "super/plan.h"
#include "super/script.h"

/* result: 0; or the exit status (2, 3) with the reason. The plan stays the caller's. */
typedef void inspect_fn(void *arg, int result, const struct why *why);

struct inspect {
    struct loop *loop; /* borrowed */
    struct plan *plan; /* borrowed; NULL: not running */
    inspect_fn *fn;
    void *arg;
    pid_t pid; /* 0: not running, or reaped */
    struct script_result result;
    struct loop_io out, err;
    int out_fd, err_fd; /* owned; -1: ended */
    struct buf out_text, err_text;
    struct loop_timer timer;
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

#endif
