/* Seats: who sleeps, waking them, opening and closing them, what each is doing. */
#include "pool/seat.h"

#include "pool/futex.h"
#include "pool/step.h"

/* A seat's place in the sleepers bitmap: the first threads of all workers, then the second ones … Threads of one worker share an
 * interpreter lock, so the next request is better off in another worker than beside a busy thread. */
static uint32_t rank_of(const struct pool *pool, uint32_t seat)
{
    return seat % pool->geometry.threads * pool->geometry.workers + seat / pool->geometry.threads;
}

static uint32_t seat_of(const struct pool *pool, uint32_t rank)
{
    return rank % pool->geometry.workers * pool->geometry.threads + rank / pool->geometry.workers;
}

static uint64_t bit_of(uint32_t rank)
{
    return UINT64_C(1) << (rank % 64);
}

void seat_mark(struct pool *pool, uint32_t seat)
{
    uint32_t rank = rank_of(pool, seat);

    atomic_fetch_or_explicit(&pool->sleepers[rank / 64], bit_of(rank), memory_order_seq_cst);
}

bool seat_unmark(struct pool *pool, uint32_t seat)
{
    uint32_t rank = rank_of(pool, seat);

    return atomic_fetch_and_explicit(&pool->sleepers[rank / 64], ~bit_of(rank), memory_order_seq_cst) & bit_of(rank);
}

void seat_poke(struct pool *pool, uint32_t seat)
{
    struct shared_seat *s = seat_at(pool, seat);

    atomic_fetch_add_explicit(&s->futex, 1, memory_order_seq_cst);
    POOL_STEP(WAKE_CHANGED);
    futex_wake_one(&s->futex);
}

static bool wake_one_of(struct pool *pool, uint32_t word)
{
    uint64_t bits = atomic_load_explicit(&pool->sleepers[word], memory_order_seq_cst);

    /* Upwards only, so 64 turns at most. A seat that marks itself below us meanwhile looks at the ring after that, and finds what we
     * have pushed. */
    while (bits != 0) {
        uint32_t rank = word * 64 + (uint32_t)__builtin_ctzll(bits), seat;
        if (rank >= pool->seats_n)
            return false;
        seat = seat_of(pool, rank);
        if (seat_unmark(pool, seat)) {
            POOL_STEP(WAKE_UNMARKED);
            seat_poke(pool, seat);
            return true;
        }
        bits &= bits - 1;
    }
    return false;
}

bool seat_wake_one(struct pool *pool)
{
    for (uint32_t word = 0; word * 64 < pool->seats_n; word++) {
        if (wake_one_of(pool, word))
            return true;
    }
    return false;
}

/* A worker closes for itself, the edge for the worker it has let in: never for the one that comes after. */
static uint32_t whom_to_close(const struct pool *pool, const struct shared_seat *seat)
{
    uint32_t pid = pool->is_edge ? atomic_load_explicit(&seat->owner, memory_order_relaxed) : pool->pid;

    return pid != 0 ? pid : POOL_CLOSED_ANY;
}

void pool_close(struct pool *pool, uint32_t first_seat, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct shared_seat *seat = seat_at(pool, first_seat + i);
        atomic_store_explicit(&seat->closed, whom_to_close(pool, seat), memory_order_seq_cst);
        POOL_STEP(CLOSE_MARKED);
        seat_poke(pool, first_seat + i);
    }
}

static void reopen(struct pool *pool, uint32_t number, uint32_t pid)
{
    struct shared_seat *seat = seat_at(pool, number);
    uint32_t closed = atomic_load_explicit(&seat->closed, memory_order_relaxed);

    if (pid != 0 && atomic_load_explicit(&seat->owner, memory_order_relaxed) == pid)
        return;
    /* What was closed was the last worker, unless this one has been told to stop before it was let in. */
    if (closed != pid)
        atomic_compare_exchange_strong(&seat->closed, &closed, 0);
    atomic_store_explicit(&seat->busy, 0, memory_order_relaxed);
    atomic_store_explicit(&seat->requests, 0, memory_order_relaxed);
    atomic_store_explicit(&seat->owner, pid, memory_order_seq_cst);
    seat_poke(pool, number);
}

void pool_reopen(struct pool *pool, uint32_t first_seat, uint32_t n, pid_t pid)
{
    for (uint32_t i = 0; i < n; i++)
        reopen(pool, first_seat + i, (uint32_t)pid);
}

void pool_seat_look(const struct pool *pool, uint32_t seat, struct pool_seat_view *out)
{
    const struct shared_seat *s = seat_at(pool, seat);
    uint32_t busy = atomic_load_explicit(&s->busy, memory_order_acquire);

    out->busy = busy >= 1 && busy <= pool->geometry.slots;
    out->slot = out->busy ? busy - 1 : 0;
    out->since_ns = atomic_load_explicit(&s->since_ns, memory_order_relaxed);
    out->requests = atomic_load_explicit(&s->requests, memory_order_relaxed);
    out->owner = (pid_t)atomic_load_explicit(&s->owner, memory_order_relaxed);
}
