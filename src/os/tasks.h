/*
 * The threads of another process as the kernel shows them in /proc: for a process that cannot be asked itself.
 */
#ifndef QUINTET_OS_TASKS_H
#define QUINTET_OS_TASKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

/* A line a thread, as many as fit: id, name, state, where in the kernel it sleeps, its system call. What this process may not see is left out. */
void tasks_describe(pid_t pid, struct buf *out);
/* The process has a handler for the signal: sending it does not kill. */
bool tasks_catches(pid_t pid, int signal);

#endif
