/* A worker's side of a slot: take, sleep, done. */
#include <errno.h>

#include "base/clock.h"
#include "pool/futex.h"
#include "pool/lane.h"
#include "pool/ready.h"
#include "pool/seat.h"
#include "pool/slot.h"
#include "pool/step.h"

static bool is_closed(struct pool *pool, uint32_t seat)
{
    uint32_t closed = atomic_load_explicit(&seat_at(pool, seat)->closed, memory_order_seq_cst);

    return closed != 0 && (closed == pool->pid || closed == POOL_CLOSED_ANY);
}

/* False while the edge has not yet heard that we follow another worker in this seat: what that one left must be settled first. */
static bool is_ours(struct pool *pool, uint32_t seat)
{
    uint32_t owner = atomic_load_explicit(&seat_at(pool, seat)->owner, memory_order_seq_cst);

    return owner == 0 || owner == pool->pid;
}

static void note_busy(struct pool *pool, uint32_t seat, uint32_t slot)
{
    struct shared_seat *s = seat_at(pool, seat);

    uint64_t now = clock_mono_ns();

    atomic_store_explicit(&s->since_ns, now, memory_order_relaxed);
    atomic_store_explicit(&pool->slots[slot].taken_ns, now, memory_order_relaxed);
    atomic_store_explicit(&s->busy, slot + 1, memory_order_release);
}

/* READY → RUNNING if the entry is not stale. The one moment in which a request gets its worker. */
static bool claim(struct pool *pool, uint32_t seat, uint64_t entry, struct pool_ticket *ticket)
{
    uint32_t slot = (uint32_t)entry, serial = (uint32_t)(entry >> 32);
    uint64_t word = word_make(POOL_READY, 0, serial);

    if (slot >= pool->geometry.slots)
        return false;
    /* acquire: the request's bytes were written before the word said READY. */
    if (!atomic_compare_exchange_strong_explicit(&pool->slots[slot].word, &word, word_make(POOL_RUNNING, seat, serial),
                                                 memory_order_acq_rel, memory_order_relaxed))
        return false;
    POOL_STEP(CLAIMED);
    note_busy(pool, seat, slot);
    POOL_STEP(NOTED);
    *ticket = (struct pool_ticket){ slot, serial };
    return true;
}

enum pool_take_result pool_try_take(struct pool *pool, uint32_t seat, struct pool_ticket *ticket)
{
    uint64_t entry;

    if (is_closed(pool, seat)) {
        attention_starving(pool); /* pool_done may have left that to us */
        return POOL_CLOSED;
    }
    if (!is_ours(pool, seat))
        return POOL_TIMEOUT;
    while (ready_pop(pool, &entry)) {
        POOL_STEP(POPPED);
        if (claim(pool, seat, entry, ticket))
            return POOL_TAKEN;
    }
    return POOL_TIMEOUT;
}

/* Sleeps until something may have changed. 0, -ETIMEDOUT or -EINTR; *token: somebody woke us for an entry. */
static int sleep_once(struct pool *pool, uint32_t seat, uint64_t deadline_ns, bool *token)
{
    struct shared_seat *s = seat_at(pool, seat);
    int rc = 0;

    /* Read first: whatever makes the looks below out of date changes this word afterwards, and then futex_wait does not sleep. */
    uint32_t seen = atomic_load_explicit(&s->futex, memory_order_seq_cst);
    bool ours = is_ours(pool, seat);
    if (ours)
        seat_mark(pool, seat);
    POOL_STEP(SLEEP_MARKED);
    if (!is_closed(pool, seat) && (!ours || ready_is_empty(pool))) {
        attention_starving(pool);
        rc = futex_wait(&s->futex, seen, deadline_ns);
        POOL_STEP(SLEEP_WOKEN);
    } else {
        POOL_STEP(SLEEP_CANCELLED);
    }
    *token = ours && !seat_unmark(pool, seat);
    POOL_STEP(SLEEP_UNMARKED);
    return rc;
}

enum pool_take_result pool_take(struct pool *pool, uint32_t seat, uint64_t timeout_ns, struct pool_ticket *ticket)
{
    enum pool_take_result result = pool_try_take(pool, seat, ticket);
    uint64_t deadline_ns;
    bool token = false;

    if (result != POOL_TIMEOUT)
        return result;
    deadline_ns = futex_deadline(timeout_ns);
    for (;;) {
        int rc = sleep_once(pool, seat, deadline_ns, &token);
        result = pool_try_take(pool, seat, ticket);
        if (result != POOL_TIMEOUT || rc < 0)
            break;
    }
    /* Our token was for some entry of the ring, perhaps not for the one we took: while there are more, somebody else must look. */
    if (token && !ready_is_empty(pool)) {
        POOL_STEP(PASS_ON);
        (void)seat_wake_one(pool);
    }
    return result;
}

void pool_done(struct pool *pool, uint32_t seat, struct pool_ticket ticket)
{
    struct shared_seat *s = seat_at(pool, seat);
    struct shared_slot *slot = slot_at(pool, ticket.slot);
    uint64_t word = word_make(POOL_RUNNING, seat, ticket.serial);
    /* Asked before the word changes: then the slot is the edge's. */
    bool news = attention_is_due(slot) || atomic_load_explicit(&slot->written, memory_order_relaxed) == 0;

    atomic_store_explicit(&s->busy, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
    /* release: we have read the request and written the response. Fails when the slot was reaped meanwhile: then it is nobody's news. */
    if (!atomic_compare_exchange_strong_explicit(&slot->word, &word, word_make(POOL_DONE, seat, ticket.serial),
                                                 memory_order_acq_rel, memory_order_relaxed))
        return;
    POOL_STEP(DONE_WORD);
    attention_done(pool, ticket, news);
}

uint64_t pool_taken_ns(const struct pool *pool, struct pool_ticket ticket)
{
    return atomic_load_explicit(&slot_at(pool, ticket.slot)->taken_ns, memory_order_relaxed);
}

bool pool_cancelled(const struct pool *pool, struct pool_ticket ticket)
{
    const struct shared_slot *slot = slot_at(pool, ticket.slot);

    return atomic_load_explicit(&slot->cancel, memory_order_seq_cst) != 0 ||
           word_serial(atomic_load_explicit(&slot->word, memory_order_relaxed)) != ticket.serial;
}
