/*
 * How often the kernel has killed a process for want of memory.
 */
#ifndef QUINTET_OS_OOM_H
#define QUINTET_OS_OOM_H

#include <stdint.h>

/* In our own cgroup and below it (memory.events of cgroup v2), or on the whole machine where that cannot be read. Only a rise between two calls
 * means something. 0 when nothing is known. */
uint64_t oom_kills(void);

#endif
