/*
 * Back-pressure of a response ring: how much room there is, waiting for it, waking who waits. Private to pool/.
 */
#ifndef QUINTET_POOL_ROOM_H
#define QUINTET_POOL_ROOM_H

#include "pool/layout.h"

/* Bytes the worker may write now, a multiple of 8. 0 when a stranger has spoilt the cursors. */
size_t room_left(const struct shared_slot *slot);
/* Edge: bytes up to `consumed` (a count, response.h) have been read. Wakes the worker if it waits and a quarter is free. */
void room_give(struct shared_slot *slot, uint64_t consumed);
/* Edge: wakes the worker if it sleeps, whatever the waiting flag says: an edge that died may have taken the flag and not woken. */
void room_poke(struct shared_slot *slot);

#endif
