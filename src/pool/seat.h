/*
 * Seats asleep and their waking. Private to pool/.
 *
 * A seat that goes to sleep sets its bit in the sleepers bitmap; whoever clears the bit has given the seat a token: one wake-up that is
 * owed to the ready ring, which the seat passes on if there is still something to take when it has taken its own.
 */
#ifndef QUINTET_POOL_SEAT_H
#define QUINTET_POOL_SEAT_H

#include "pool/layout.h"

void seat_mark(struct pool *pool, uint32_t seat);   /* "I am about to sleep": sequentially consistent with pushes */
bool seat_unmark(struct pool *pool, uint32_t seat); /* true: the bit was still set. False: we have been given a token */
/* Wakes the first sleeper: lowest thread number, then lowest worker (its caches are the warmest). False: nobody sleeps. Bounded whatever a worker writes. */
bool seat_wake_one(struct pool *pool);
/* Changes the seat's futex word and wakes it, whether it is marked or not: it looks at everything again. */
void seat_poke(struct pool *pool, uint32_t seat);

#endif
