/*
 * Reaping: what waitpid says is told to whom it concerns: a child of ours (child.h), the inspection of a reload, the probe of a takeover.
 *
 * Everybody is reaped, also who is not ours: as PID 1 of a container, and as the subreaper of forked workers, the orphans are ours to bury.
 * One thread.
 */
#ifndef QUINTET_SUPER_REAP_H
#define QUINTET_SUPER_REAP_H

#include <stdbool.h>
#include <sys/types.h>

struct child;
struct super;

void reap_all(struct super *super);                      /* SIGCHLD: waitpid for everybody who has changed */
struct child *reap_find(struct super *super, pid_t pid); /* NULL: no child of this pid */
bool reap_knows(struct super *super, pid_t pid);         /* a child, or one that reads or asks for us */

#endif
