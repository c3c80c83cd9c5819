/*
 * Room in a response ring. Worker: waiting = 1, then look at consumed and cancel. Edge: change consumed, then look at waiting.
 * All four are seq_cst, so one of the two sees the other; the futex word, read by the worker before all that, closes the gap until it sleeps.
 */
#include "pool/room.h"

#include <errno.h>

#include "pool/futex.h"
#include "pool/response.h"
#include "pool/step.h"
#include "pool/wake.h"

size_t room_left(const struct shared_slot *slot)
{
    uint64_t written = atomic_load_explicit(&slot->written, memory_order_relaxed);
    /* also acquire: the edge has read the bytes before we write over them */
    uint64_t used = written - atomic_load_explicit(&slot->consumed, memory_order_seq_cst);

    /* consumed may stand in the middle of a frame; whole words only, so that no frame head ever wraps */
    return used > POOL_RING_BYTES ? 0 : (POOL_RING_BYTES - used) & ~(size_t)7;
}

void room_poke(struct shared_slot *slot)
{
    atomic_fetch_add_explicit(&slot->room, 1, memory_order_seq_cst);
    POOL_STEP(ROOM_CHANGED);
    futex_wake_one(&slot->room);
}

void room_give(struct shared_slot *slot, uint64_t consumed)
{
    atomic_store_explicit(&slot->consumed, consumed, memory_order_seq_cst);
    POOL_STEP(CONSUMED);
    if (atomic_load_explicit(&slot->waiting, memory_order_seq_cst) == 0 || room_left(slot) < POOL_ROOM_WAKE)
        return;
    atomic_store_explicit(&slot->waiting, 0, memory_order_seq_cst);
    POOL_STEP(ROOM_CLAIMED);
    room_poke(slot);
}

int pool_wait_room(struct pool *pool, struct pool_ticket ticket, uint64_t timeout_ns)
{
    struct shared_slot *slot = slot_at(pool, ticket.slot);
    uint64_t deadline_ns = futex_deadline(timeout_ns);
    int rc = 0;

    pool_attention(pool, ticket);
    while (rc == 0) {
        uint32_t seen = atomic_load_explicit(&slot->room, memory_order_seq_cst);
        atomic_store_explicit(&slot->waiting, 1, memory_order_seq_cst);
        POOL_STEP(ROOM_MARKED);
        if (pool_cancelled(pool, ticket))
            rc = -ECANCELED;
        else if (room_left(slot) >= POOL_ROOM_WAKE)
            break;
        else
            rc = futex_wait(&slot->room, seen, deadline_ns);
        if (rc == -EINTR)
            rc = 0;
        POOL_STEP(ROOM_WOKEN);
    }
    atomic_store_explicit(&slot->waiting, 0, memory_order_relaxed);
    return rc;
}
