/*
 * The ready ring: slots waiting for a worker, first come first served. One pusher (the edge under its dispatch lock), many poppers.
 *
 * An entry is slot | serial << 32 and only a hint: the slot's word decides. Stale entries (taken back) and doubles (after a
 * recovery) are skipped by whoever pops them. Private to pool/.
 */
#ifndef QUINTET_POOL_READY_H
#define QUINTET_POOL_READY_H

#include "pool/layout.h"

/* ---- edge ---- */
/* The slot's word and `handed` already say READY. */
void ready_push(struct pool *pool, struct pool_ticket ticket);
/* Makes the ring hold exactly the slots that are READY, each once, in the order they had; those that were in no entry come last.
 * For a full ring, for one a worker has spoilt, and after a death. At most `capacity` steps. Wakes nobody. */
void ready_rebuild(struct pool *pool);
bool ready_slot_waits(const struct pool *pool, uint32_t slot); /* handed over, and READY still */

/* ---- worker ---- */
/* The oldest entry, which may be stale and its slot number wild. False: empty. */
bool ready_pop(struct pool *pool, uint64_t *entry);

/* ---- both ---- */
/* Nothing to pop. Sequentially consistent with seat_mark and a push: see docs/internals/pool.md, "No lost wake-up". */
bool ready_is_empty(const struct pool *pool);

#endif
