/*
 * The ready ring. head and tail count entries since the pool began and never wrap; an entry's place is its number modulo capacity.
 *
 * The pusher overwrites place n only when head has passed n, and a popper's compare-and-swap on head fails when that has happened since it
 * read the entry: so what a successful popper has read is what was pushed.
 */
#include "pool/ready.h"

#include <string.h>

#include "pool/step.h"

static _Atomic uint64_t *entry_at(const struct pool *pool, uint64_t number)
{
    return &pool->entries[number & (pool->capacity - 1)];
}

/* Entries between the two counts; 0 also when they make no sense (head beyond tail, or too far behind). */
static uint64_t entries_between(const struct pool *pool, uint64_t head, uint64_t tail)
{
    return tail - head <= pool->capacity ? tail - head : 0;
}

static void append(struct pool *pool, uint64_t entry)
{
    atomic_store_explicit(entry_at(pool, pool->tail), entry, memory_order_relaxed);
    POOL_STEP(PUSH_ENTRY);
    pool->tail++;
    /* seq_cst: ordered before the waker's look at the sleepers, as a sleeper's mark is before its look at the tail. */
    atomic_store_explicit(&pool->ready->tail, pool->tail, memory_order_seq_cst);
    POOL_STEP(PUSH_TAIL);
}

void ready_push(struct pool *pool, struct pool_ticket ticket)
{
    /* acquire: what poppers read from the places up to head happened before we overwrite them. */
    uint64_t head = atomic_load_explicit(&pool->ready->head, memory_order_acquire);

    if (pool->tail - head >= pool->capacity)
        ready_rebuild(pool); /* finds this slot READY and appends it */
    else
        append(pool, (uint64_t)ticket.serial << 32 | ticket.slot);
}

/* Pops entry number *head if it is still the first. If not, *head is the present first. */
static bool pop_at(struct pool *pool, uint64_t *head, uint64_t *entry)
{
    *entry = atomic_load_explicit(entry_at(pool, *head), memory_order_relaxed);
    return atomic_compare_exchange_strong_explicit(&pool->ready->head, head, *head + 1, memory_order_acq_rel,
                                                   memory_order_acquire);
}

bool ready_pop(struct pool *pool, uint64_t *entry)
{
    uint64_t head = atomic_load_explicit(&pool->ready->head, memory_order_acquire);

    for (;;) {
        /* acquire: the entry was written before the tail that covers it; the slot's own word orders the request's bytes. */
        uint64_t tail = atomic_load_explicit(&pool->ready->tail, memory_order_acquire);
        if (entries_between(pool, head, tail) == 0)
            return false;
        if (pop_at(pool, &head, entry))
            return true;
    }
}

bool ready_is_empty(const struct pool *pool)
{
    /* head first: it can only grow, so the tail read after it is not behind it. */
    uint64_t head = atomic_load_explicit(&pool->ready->head, memory_order_seq_cst);
    uint64_t tail = atomic_load_explicit(&pool->ready->tail, memory_order_seq_cst);

    return entries_between(pool, head, tail) == 0;
}

bool ready_slot_waits(const struct pool *pool, uint32_t slot)
{
    uint64_t handed = atomic_load_explicit(&pool->handed[slot], memory_order_relaxed);

    return handed != 0 && atomic_load_explicit(&pool->slots[slot].word, memory_order_relaxed) == handed;
}

/* An entry popped by ready_rebuild goes back if its slot still waits and has not gone back before. */
static void keep(struct pool *pool, uint64_t entry)
{
    uint32_t slot = (uint32_t)entry;

    if (slot >= pool->geometry.slots || pool->seen[slot] == pool->round || !ready_slot_waits(pool, slot))
        return;
    if (word_serial(atomic_load_explicit(&pool->handed[slot], memory_order_relaxed)) != (uint32_t)(entry >> 32))
        return;
    pool->seen[slot] = pool->round;
    append(pool, entry);
}

static void next_round(struct pool *pool)
{
    if (++pool->round == 0) { /* once in 2^32 */
        memset(pool->seen, 0, pool->geometry.slots * sizeof(*pool->seen));
        pool->round = 1;
    }
}

void ready_rebuild(struct pool *pool)
{
    uint64_t stop = pool->tail;
    uint64_t head = atomic_load_explicit(&pool->ready->head, memory_order_acquire);
    uint64_t entry;

    next_round(pool);
    if (stop - head > pool->capacity) /* a worker has scribbled */
        atomic_store_explicit(&pool->ready->head, stop, memory_order_seq_cst);
    /* A failed pop means that a worker has popped, so there are at most `capacity` of both; the count holds whatever a worker writes. */
    for (uint64_t i = 0; i <= pool->capacity && entries_between(pool, head, stop) > 0; i++) {
        if (!pop_at(pool, &head, &entry))
            continue;
        head++;
        POOL_STEP(REBUILD_POPPED);
        keep(pool, entry);
    }
    for (uint32_t slot = 0; slot < pool->geometry.slots; slot++) {
        if (!ready_slot_waits(pool, slot) || pool->seen[slot] == pool->round)
            continue;
        append(pool,
               (uint64_t)word_serial(atomic_load_explicit(&pool->handed[slot], memory_order_relaxed)) << 32 | slot);
    }
}
