/*
 * Workers and preloaders that were stopped (SIGSTOP, a job control signal) and stay so: the kernel tells their parent, with the signal that
 * tells of deaths.
 *
 * One that stands still for longer than a request may take (--timeout; without one, never) is killed and replaced: a worker holds a place that
 * nobody else can take, and a preloader the workers that it was told to fork. A request that it holds runs past its time a little earlier, so
 * that it is explained first (stuck.h). One that is continued before is left alone, and so is one under
 * a debugger, of which the kernel does not tell us. One struct a process; one thread.
 */
#ifndef QUINTET_SUPER_STANDSTILL_H
#define QUINTET_SUPER_STANDSTILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "os/loop.h"

#define STANDSTILL_LONGER_NS (2 * NS_PER_SEC) /* than a request may take */

struct child;

struct standstill {
    struct loop_timer timer;
    struct child *child; /* borrowed */
};

void standstill_init(struct standstill *still, struct child *child);
/* waitpid said so: it was stopped, continued, or has ended. timeout_ns: longest that a request may take; 0: no limit. */
void standstill_changed(struct standstill *still, int status, uint64_t timeout_ns);
void standstill_over(struct standstill *still);
bool standstill_lasts(const struct standstill *still); /* stopped, and to be killed */

#endif
