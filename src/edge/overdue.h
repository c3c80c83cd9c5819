/*
 * Requests that run past --timeout, and what follows for their workers.
 *
 *      a request ran too long ── WORKER_STUCK ──▶ supervisor: takes the stacks, starts a successor
 *         │ its worker's seats are closed: no other thread of it takes new work
 *         ▼
 *      its other threads finish what they run ── none of its slots has a client any more ── WORKER_SPENT ──▶ supervisor: ends it
 *
 * A request whose client has left is not forgotten: when its time is over, it is treated the same; when it ends, its slot comes free. Lane 0 looks at
 * both a few times a second, and only while there is something to look at.
 */
#ifndef QUINTET_EDGE_OVERDUE_H
#define QUINTET_EDGE_OVERDUE_H

#include <stdbool.h>

#include "edge/lane.h"

struct dispatch_run;
struct edge;
struct job;

struct overdue_watch {
    bool on; /* posted, or the timer is armed; under the dispatch lock, so that the job is never posted twice */
    struct lane_job job;
    struct loop_timer timer; /* lane 0's */
};

void overdue_init(struct edge *edge);
/* The job has run for too long: tells the supervisor and closes its worker's seats. What its client is told is the caller's. The job's lane. */
void overdue_job(struct edge *edge, struct job *job, const struct dispatch_run *run);
/* A request runs for which nobody waits any more. Any thread, with the dispatch lock. */
void overdue_watch(struct edge *edge);
/* "GET /path id=…" for the log, cut; heap, the caller's. */
char *overdue_describe(const struct job *job);

#endif
