/*
 * A short Python script of ours (python/quintet/NAME.py), run in the project's interpreter, directory, environment and user, and what
 * it printed. It runs the project's code, so what it prints is bounded and it is killed after SCRIPT_TIMEOUT_NS.
 */
#ifndef QUINTET_SUPER_SCRIPT_H
#define QUINTET_SUPER_SCRIPT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "super/plan.h"

#define SCRIPT_OUTPUT_MAX (1u << 20)
#define SCRIPT_TIMEOUT_NS (60 * NS_PER_SEC)
#define SCRIPT_ARGS_MAX 8

struct script {
    const char *name;                  /* "django_settings" */
    const char *args[SCRIPT_ARGS_MAX]; /* up to the first NULL */
};

/* What it left. The texts are in buffers of whoever ran it. */
struct script_result {
    int status; /* from waitpid */
    bool late;  /* killed because it took too long */
    struct str out, err;
};

bool script_exists(const struct plan *plan, const char *name);
/* Starts it; *out and *err are non-blocking read ends of the caller's. The pid or -errno. */
MUST_CHECK pid_t script_start(const struct plan *plan, const struct script *script, int *out, int *err);
/* Says that its interpreter cannot be run (-errno), as whom, and what to do. Returns the exit status, 1. */
int script_cannot_run(const struct plan *plan, int error, struct why *why);
/* Reads what is there. False: the end, or more than anybody wants. */
bool script_read(int fd, struct buf *to);
/* Runs it to its end. 0 or -errno. */
MUST_CHECK int script_wait(const struct plan *plan, const struct script *script, struct buf *out, struct buf *err,
                           struct script_result *result);

#endif
