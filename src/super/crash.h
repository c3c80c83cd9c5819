/*
 * What is logged when a worker has died unasked: how, what its threads were doing, its last requests, memory, and the Python stack when
 * faulthandler could write one.
 */
#ifndef QUINTET_SUPER_CRASH_H
#define QUINTET_SUPER_CRASH_H

#include "super/child.h"
#include "super/logs.h"

/* A block at warning level; at error level when the process itself was at fault (SIGSEGV and its like). `how`: of waitpid's status, for a person.
 * Call while child->recorder is open. */
void crash_log(struct logs *logs, struct child *child, const char *how);

#endif
