/*
 * Workers that were stopped (SIGSTOP, a job control signal) and stay so: the kernel tells their parent, with the signal that tells of deaths.
 *
 * One that stands still for as long as a request may take (--timeout; without one, never) is killed and replaced: it holds a place that
 * nobody else can take. One that is continued before is left alone, and so is one under a debugger, of which the kernel does not tell us.
 * The timer is in struct worker_process. One thread.
 */
#ifndef QUINTET_SUPER_STANDSTILL_H
#define QUINTET_SUPER_STANDSTILL_H

#include <stdbool.h>

#include "super/worker.h"

void standstill_init(struct worker_process *process);
void standstill_stopped(struct worker_process *process); /* waitpid said WIFSTOPPED */
void standstill_over(struct worker_process *process);    /* WIFCONTINUED, or it has ended */

#endif
