/* The edge's side of a slot: hand over, take back, cancel, release, and the clean-up after deaths. */
#include "pool/slot.h"

#include <errno.h>

#include "pool/lane.h"
#include "pool/layout.h"
#include "pool/ready.h"
#include "pool/room.h"
#include "pool/seat.h"
#include "pool/step.h"
#include "pool/wake.h"

static uint64_t word_load(const struct pool *pool, uint32_t slot)
{
    return atomic_load_explicit(&slot_at(pool, slot)->word, memory_order_acquire);
}

/* Whatever the word said: FREE with the next serial. */
static uint32_t set_free(struct pool *pool, uint32_t slot, uint32_t serial)
{
    serial++;
    atomic_store_explicit(&pool->handed[slot], 0, memory_order_relaxed);
    atomic_store_explicit(&slot_at(pool, slot)->word, word_make(POOL_FREE, 0, serial), memory_order_release);
    return serial;
}

/* All but the word itself, which comes last. What the last user left in the control lines goes here, so that a death leaves nothing. */
static void prepare(struct pool *pool, uint32_t slot, uint32_t lane)
{
    struct shared_slot *s = slot_at(pool, slot);

    must(lane < pool->geometry.lanes);
    atomic_store_explicit(&s->lane, lane, memory_order_relaxed);
    atomic_store_explicit(&s->written, 0, memory_order_relaxed);
    atomic_store_explicit(&s->announced, 0, memory_order_relaxed);
    atomic_store_explicit(&s->taken_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&s->waiting, 0, memory_order_relaxed);
    atomic_store_explicit(&s->asked, 0, memory_order_relaxed);
    atomic_store_explicit(&s->consumed, 0, memory_order_relaxed);
    atomic_store_explicit(&s->cancel, 0, memory_order_relaxed);
}

void pool_publish(struct pool *pool, struct pool_ticket ticket, uint32_t lane)
{
    uint64_t word = word_make(POOL_READY, 0, ticket.serial);

    prepare(pool, ticket.slot, lane);
    atomic_store_explicit(&pool->handed[ticket.slot], word, memory_order_relaxed);
    atomic_store_explicit(&slot_at(pool, ticket.slot)->word, word, memory_order_release);
    POOL_STEP(READY_WORD);
    ready_push(pool, ticket);
}

void pool_wake(struct pool *pool, uint32_t n)
{
    while (n-- > 0 && !ready_is_empty(pool) && seat_wake_one(pool))
        ;
}

void pool_ready(struct pool *pool, struct pool_ticket ticket, uint32_t lane)
{
    pool_publish(pool, ticket, lane);
    pool_wake(pool, 1);
}

bool pool_take_back(struct pool *pool, struct pool_ticket ticket, uint32_t *serial)
{
    uint64_t word = word_make(POOL_READY, 0, ticket.serial);

    if (!atomic_compare_exchange_strong_explicit(&slot_at(pool, ticket.slot)->word, &word,
                                                 word_make(POOL_FREE, 0, ticket.serial + 1), memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false;
    POOL_STEP(TAKEN_BACK);
    atomic_store_explicit(&pool->handed[ticket.slot], 0, memory_order_relaxed);
    *serial = ticket.serial + 1;
    return true;
}

void pool_cancel(struct pool *pool, struct pool_ticket ticket)
{
    struct shared_slot *slot = slot_at(pool, ticket.slot);

    /* Before the futex word changes, which the worker reads before it looks at cancel. */
    atomic_store_explicit(&slot->cancel, 1, memory_order_seq_cst);
    POOL_STEP(CANCEL_SET);
    room_poke(slot);
}

int pool_look(const struct pool *pool, struct pool_ticket ticket, struct pool_look *out)
{
    uint64_t word = word_load(pool, ticket.slot);
    uint32_t phase = word_phase(word);

    if (word_serial(word) != ticket.serial || phase < POOL_READY || phase > POOL_DONE)
        return -EPROTO;
    if (phase != POOL_READY && word_seat(word) >= pool->seats_n)
        return -EPROTO;
    out->phase = (enum pool_phase)phase;
    out->seat = word_seat(word);
    out->taken_ns = atomic_load_explicit(&slot_at(pool, ticket.slot)->taken_ns, memory_order_relaxed);
    return 0;
}

int pool_release(struct pool *pool, struct pool_ticket ticket, uint32_t *serial)
{
    struct pool_look look;

    if (pool_look(pool, ticket, &look) != 0 || look.phase != POOL_DONE)
        return -EPROTO;
    *serial = set_free(pool, ticket.slot, ticket.serial);
    POOL_STEP(RELEASED);
    return 0;
}

void pool_reap(struct pool *pool, struct pool_ticket ticket, uint32_t *serial)
{
    *serial = set_free(pool, ticket.slot, ticket.serial);
    POOL_STEP(REAPED);
}

/* The dead may have taken a sleeper's mark, or a lane's sleep flag, and not have woken it: nobody else would ever wake that one. */
static void poke_everybody(struct pool *pool)
{
    for (uint32_t seat = 0; seat < pool->seats_n; seat++)
        seat_poke(pool, seat);
    lane_poke_all(pool);
}

/* The dead may have changed a slot's word or its frames and not have told the lane. */
static void tell_lanes_of(struct pool *pool, uint32_t first_seat, uint32_t n)
{
    for (uint32_t slot = 0; slot < pool->geometry.slots; slot++) {
        uint64_t word = word_load(pool, slot);
        uint32_t phase = word_phase(word), seat = word_seat(word);

        if ((phase == POOL_RUNNING || phase == POOL_DONE) && seat >= first_seat && seat - first_seat < n)
            pool_attention(pool, (struct pool_ticket){ slot, word_serial(word) });
    }
}

void pool_recover(struct pool *pool, uint32_t first_seat, uint32_t n)
{
    /* A mark of the dead would swallow the next wake-up. If a successor already sleeps there it is poked like all, and marks itself again. */
    for (uint32_t i = 0; i < n; i++) {
        (void)seat_unmark(pool, first_seat + i);
        POOL_STEP(RECOVER_WIPED);
    }
    ready_rebuild(pool);
    tell_lanes_of(pool, first_seat, n);
    poke_everybody(pool);
}

uint32_t pool_waiting(const struct pool *pool)
{
    uint32_t n = 0;

    for (uint32_t slot = 0; slot < pool->geometry.slots; slot++)
        n += ready_slot_waits(pool, slot);
    return n;
}

/* What a dead edge left in one slot. True: FREE. */
static bool adopt_slot(struct pool *pool, uint32_t slot, uint32_t *serial)
{
    uint64_t word = word_load(pool, slot);

    *serial = word_serial(word);
    POOL_STEP(ADOPT_SLOT);
    if (word_phase(word) == POOL_READY) {
        if (pool_take_back(pool, (struct pool_ticket){ slot, *serial }, serial))
            return true;
        word = word_load(pool, slot); /* a worker was faster */
    }
    if (word_phase(word) == POOL_FREE)
        return true;
    if (word_phase(word) == POOL_DONE) {
        *serial = set_free(pool, slot, *serial);
        return true;
    }
    pool_cancel(pool, (struct pool_ticket){ slot, *serial });
    return false;
}

void pool_adopt(struct pool *pool, uint32_t *serials, bool *is_free)
{
    uint64_t head = atomic_load_explicit(&pool->ready->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&pool->ready->tail, memory_order_acquire);

    /* The entries themselves may stay: all are stale now. A push that the dead edge had not published is overwritten. */
    pool->is_edge = true;
    pool->tail = tail - head <= pool->capacity ? tail : head;
    for (uint32_t slot = 0; slot < pool->geometry.slots; slot++)
        is_free[slot] = adopt_slot(pool, slot, &serials[slot]);
    poke_everybody(pool);
}

bool pool_orphan_ended(struct pool *pool, uint32_t slot, const bool *seat_alive, uint32_t *serial)
{
    uint64_t word = word_load(pool, slot);
    uint32_t phase = word_phase(word), seat = word_seat(word);

    if ((phase != POOL_RUNNING && phase != POOL_DONE) || seat >= pool->seats_n)
        return false;
    if (phase == POOL_RUNNING && seat_alive[seat])
        return false;
    *serial = set_free(pool, slot, word_serial(word));
    return true;
}
