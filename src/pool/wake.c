/* Attention: workers set bits, a lane takes them; the eventfd only for a lane that sleeps. */
#include "pool/wake.h"

#include <errno.h>
#include <unistd.h>

#include "pool/lane.h"
#include "pool/ready.h"
#include "pool/step.h"

static struct shared_lane *lane_at(const struct pool *pool, uint32_t lane)
{
    must(lane < pool->geometry.lanes);
    return &pool->lanes[lane];
}

static void poke(struct pool *pool, uint32_t lane)
{
    const uint64_t one = 1;
    ssize_t n;

    if (pool->lane_fds[lane] < 0)
        return;
    do
        n = write(pool->lane_fds[lane], &one, sizeof(one));
    while (n < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the lane has its wake-up. Anything else is an eventfd that is none. */
    must(n == (ssize_t)sizeof(one) || errno == EAGAIN);
}

void lane_poke_all(struct pool *pool)
{
    for (uint32_t lane = 0; lane < pool->geometry.lanes; lane++)
        poke(pool, lane);
}

static uint32_t attention_words(const struct pool *pool)
{
    return (pool->geometry.slots + 63) / 64;
}

bool pool_lane_sleep(struct pool *pool, uint32_t lane)
{
    struct shared_lane *l = lane_at(pool, lane);

    /* seq_cst: our flag before our look at the bits, a worker's bit before its look at the flag. One sees the other. */
    atomic_store_explicit(&l->asleep, LANE_SLEEPS, memory_order_seq_cst);
    POOL_STEP(LANE_ASLEEP);
    for (uint32_t word = 0; word < attention_words(pool); word++) {
        if (atomic_load_explicit(&l->bits[word], memory_order_seq_cst) != 0) {
            pool_lane_woken(pool, lane);
            return false;
        }
    }
    return true;
}

void pool_lane_nap(struct pool *pool, uint32_t lane)
{
    atomic_store_explicit(&lane_at(pool, lane)->asleep, LANE_NAPS, memory_order_seq_cst);
}

void pool_lane_woken(struct pool *pool, uint32_t lane)
{
    atomic_store_explicit(&lane_at(pool, lane)->asleep, 0, memory_order_relaxed);
}

static uint32_t take_word(struct pool *pool, uint32_t first, uint64_t bits, pool_attention_fn *fn, void *arg)
{
    uint32_t n = 0;

    for (; bits != 0; bits &= bits - 1, n++) {
        uint32_t slot = first + (uint32_t)__builtin_ctzll(bits);
        if (slot >= pool->geometry.slots)
            break;
        fn(arg, slot);
    }
    return n;
}

uint32_t pool_lane_take(struct pool *pool, uint32_t lane, pool_attention_fn *fn, void *arg)
{
    struct shared_lane *l = lane_at(pool, lane);
    uint32_t n = 0;

    for (uint32_t word = 0; word < attention_words(pool); word++) {
        if (atomic_load_explicit(&l->bits[word], memory_order_relaxed) == 0)
            continue;
        /* acquire: the frames and states the bits tell of were written before them. */
        uint64_t bits = atomic_exchange_explicit(&l->bits[word], 0, memory_order_seq_cst);
        POOL_STEP(LANE_BITS);
        n += take_word(pool, word * 64, bits, fn, arg);
    }
    return n;
}

void pool_lane_again(struct pool *pool, uint32_t lane, uint32_t slot)
{
    must(slot < pool->geometry.slots);
    atomic_fetch_or_explicit(&lane_at(pool, lane)->bits[slot / 64], UINT64_C(1) << (slot % 64), memory_order_relaxed);
}

void pool_set_lane_fds(struct pool *pool, const int *fds, uint32_t n)
{
    must(n <= POOL_LANES_MAX);
    for (uint32_t lane = 0; lane < n; lane++)
        pool->lane_fds[lane] = fds[lane];
}

void pool_set_hungry(struct pool *pool, bool hungry)
{
    if (atomic_load_explicit(&pool->ready->hungry, memory_order_relaxed) != hungry)
        atomic_store_explicit(&pool->ready->hungry, hungry, memory_order_seq_cst);
}

/* The bit of the slot in its lane. False: some other worker has scribbled; not ours to die of. */
static bool set_bit(struct pool *pool, struct pool_ticket ticket, uint32_t *lane)
{
    *lane = atomic_load_explicit(&slot_at(pool, ticket.slot)->lane, memory_order_relaxed);
    if (*lane >= pool->geometry.lanes)
        return false;
    atomic_fetch_or_explicit(&pool->lanes[*lane].bits[ticket.slot / 64], UINT64_C(1) << (ticket.slot % 64),
                             memory_order_seq_cst);
    POOL_STEP(ATTENTION_BIT);
    return true;
}

/* If it sleeps, or with `naps`, if it naps. */
static void wake_lane(struct pool *pool, uint32_t lane, bool naps)
{
    uint32_t asleep = atomic_load_explicit(&pool->lanes[lane].asleep, memory_order_seq_cst);

    if (asleep == LANE_AWAKE || (asleep == LANE_NAPS && !naps) ||
        !atomic_compare_exchange_strong_explicit(&pool->lanes[lane].asleep, &asleep, LANE_AWAKE, memory_order_seq_cst,
                                                 memory_order_relaxed))
        return;
    POOL_STEP(ATTENTION_CLAIMED);
    poke(pool, lane);
    POOL_STEP(ATTENTION_SENT);
}

static void attend(struct pool *pool, struct pool_ticket ticket, bool naps)
{
    struct shared_slot *slot = slot_at(pool, ticket.slot);
    uint32_t lane;

    atomic_store_explicit(&slot->announced, atomic_load_explicit(&slot->written, memory_order_relaxed),
                          memory_order_relaxed);
    if (set_bit(pool, ticket, &lane))
        wake_lane(pool, lane, naps);
}

void pool_attention(struct pool *pool, struct pool_ticket ticket)
{
    attend(pool, ticket, true);
}

bool attention_is_due(const struct shared_slot *slot)
{
    return atomic_load_explicit(&slot->announced, memory_order_relaxed) !=
           atomic_load_explicit(&slot->written, memory_order_relaxed);
}

void pool_announce(struct pool *pool, struct pool_ticket ticket)
{
    if (attention_is_due(slot_at(pool, ticket.slot)))
        attend(pool, ticket, false);
}

/* seq_cst: our bit before our look at `hungry`; the edge's `hungry` before its look at the bits. One sees the other. */
static bool is_hungry(const struct pool *pool)
{
    return atomic_load_explicit(&pool->ready->hungry, memory_order_seq_cst) != 0;
}

void attention_done(struct pool *pool, struct pool_ticket ticket, bool news)
{
    uint32_t lane;

    if (!set_bit(pool, ticket, &lane))
        return;
    if (news || (is_hungry(pool) && ready_is_empty(pool)))
        wake_lane(pool, lane, false);
}

void attention_starving(struct pool *pool)
{
    bool hungry = is_hungry(pool);

    for (uint32_t lane = 0; lane < pool->geometry.lanes; lane++) {
        if (hungry || atomic_load_explicit(&pool->lanes[lane].asleep, memory_order_seq_cst) == LANE_NAPS)
            wake_lane(pool, lane, true);
    }
}
