/*
 * A lane kept free for quick requests.
 *
 * Where most requests are quick and a few kinds are slow (usual.h), the slow ones would now and then occupy every worker, and then everybody waits as long
 * as they do. So they do not get the last worker (of many: the last eighth): while so many of them are handed over, another waits aside
 * and quick ones overtake it.
 *
 *      queue ──▶ quick, or slow and few of them run ──▶ slot
 *        └─────▶ slow, and enough of them run ──▶ aside ──▶ one of them ends, or it has waited four times what it takes ──▶ slot
 *
 * The second way out bounds what slow requests pay, and makes the rule give way where they are the load: no capacity is lost, and
 * the order among themselves stays. It applies only while three quarters of what comes is quick. Guarded by the dispatch lock.
 */
#ifndef QUINTET_EDGE_EXPRESS_H
#define QUINTET_EDGE_EXPRESS_H

#include "edge/dispatch.h"
#include "edge/pools.h"

/* A request has come: is it a slow one? Sets job->usual_ns. */
void express_judge(struct dispatch *d, struct job *job);
/* It ran for so long. */
void express_note(struct dispatch *d, const struct job *job, uint64_t ran_ns);
/* How long it steps aside at most. Nothing else may happen then, so whoever submits it looks again with dispatch_look. */
uint64_t express_patience(const struct dispatch *d, const struct job *job);
bool express_may_go(const struct dispatch *d, const struct generation *g, const struct job *job);
/* The next one that may be handed over, out of the queue or from aside; NULL: none. */
struct job *express_next(struct dispatch *d, const struct generation *g);

#endif
