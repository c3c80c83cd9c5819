/*
 * Starting the user's interpreter: as a worker, or as the preloader that workers are forked from.
 */
#ifndef QUINTET_SUPER_WORKER_START_H
#define QUINTET_SUPER_WORKER_START_H

#include <stdint.h>
#include <sys/types.h>

#include "base/must.h"

#define WORKER_START_PRELOADER UINT32_MAX

struct generation;
struct plan;

struct worker_start {
    const struct generation *generation;
    const struct plan *plan;
    uint32_t release;
    uint32_t index;                         /* of the worker; WORKER_START_PRELOADER */
    int output, supervisor, edge, recorder; /* its ends of pipe and channels; -1: none */
};

/* The pid or -errno. The descriptors stay the caller's. */
MUST_CHECK pid_t worker_start(const struct worker_start *start);

#endif
