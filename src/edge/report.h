/*
 * What the supervisor is told of by lanes: of workers, of who asks for readiness, and that nothing runs any more. Any thread; lane 0 sends.
 */
#ifndef QUINTET_EDGE_REPORT_H
#define QUINTET_EDGE_REPORT_H

#include "base/str.h"
#include "wire/message.h"

struct dispatch_run;
struct edge;
struct lane;

/* WORKER_STUCK, WORKER_SPENT, POOL_BAD: which worker, and why (copied, cut). */
void report_worker(struct edge *edge, enum wire_type type, const struct dispatch_run *run, struct str what);
/* WATCHED: somebody has asked for readiness or health; at most every 10 s, however often that is. The lane's own thread. */
void report_watched(struct lane *lane);
/* A request has ended, of a retired generation or in a pause: lane 0 looks whether it was the last, and says POOL_IDLE and HELD. */
void report_idle(struct edge *edge);

#endif
