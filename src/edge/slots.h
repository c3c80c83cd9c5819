/*
 * The slots of the generations, as dispatch.c and pools.c move requests through them. For these two alone; the dispatch lock is held by the caller of
 * every function here.
 */
#ifndef QUINTET_EDGE_SLOTS_H
#define QUINTET_EDGE_SLOTS_H

#include "base/clock.h"
#include "edge/dispatch.h"
#include "edge/pools.h"

/* Copies the job into a free slot (there is one) and publishes it; dispatch_wake follows before the lane sleeps. */
void slots_hand_over(struct dispatch *d, struct generation *g, struct job *job);
/* The slot's job is over: it is free, and the next request that waits gets it. */
void slots_free(struct dispatch *d, struct generation *g, uint32_t number, uint32_t serial);
/* Nobody waits for its answer; it is free if the worker has said DONE. */
void slots_free_orphan(struct dispatch *d, struct generation *g, uint32_t number);
/* Hands over what waits, as far as the active generation has free slots; nothing while requests are held. */
void slots_feed(struct dispatch *d);
/* How many may be in use: two a seat, one that runs and one that is next, since who waits in the queue can still go elsewhere, be refused or be
 * overtaken by a replay. And as many more as the workers end in SLOTS_AHEAD_NS: with short requests a turn of the lane is longer than two of them. */
#define SLOTS_AHEAD_NS (5 * NS_PER_MS)
uint32_t slots_usual(const struct generation *g);
bool slots_open(const struct dispatch *d, const struct generation *g); /* one more request may be handed over */
/* While requests wait for a slot, and while a generation is being emptied, every slot that comes free is news. The other lanes look at once: a bit set
 * before this may have woken nobody. */
void slots_set_hungry(struct dispatch *d, struct generation *g, bool hungry);
/* What is READY in g and no worker has seen goes back into the queue, at its place. Nothing is handed over meanwhile: the caller has seen to it. */
void slots_take_back(struct dispatch *d, struct generation *g);
struct pool_ticket slots_ticket(const struct generation *g, uint32_t number);
/* Whose it is, with RUNNING and DONE. */
bool slots_worker(const struct generation *g, struct pool_ticket ticket, uint32_t *worker);
/* What this worker has sent: each descriptor to the slot it names, if the worker has that slot. Not more than a socket holds, as a worker that never
 * stops sending must not keep the lock. */
void slots_receive_files(struct generation *g, uint32_t worker);

#endif
