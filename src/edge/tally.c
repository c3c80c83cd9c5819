/* Counts shared by lanes. */
#include "edge/tally.h"

#include "base/clock.h"
#include "base/mem.h"

#define QUIET_NS (60 * NS_PER_SEC)

struct tally *tally_new(uint64_t id)
{
    struct tally *tally = mem_zalloc(sizeof(*tally));

    atomic_init(&tally->refs, 1);
    tally->id = id;
    return tally;
}

struct tally *tally_ref(struct tally *tally)
{
    atomic_fetch_add_explicit(&tally->refs, 1, memory_order_relaxed);
    return tally;
}

void tally_unref(struct tally *tally)
{
    if (tally != NULL && atomic_fetch_sub_explicit(&tally->refs, 1, memory_order_acq_rel) == 1)
        mem_free(tally);
}

bool tally_enter(struct tally *tally, uint64_t most)
{
    unsigned inside = atomic_load_explicit(&tally->inside, memory_order_relaxed);

    do {
        if (inside >= most)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&tally->inside, &inside, inside + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    (void)tally_ref(tally);
    return true;
}

void tally_leave(struct tally *tally)
{
    if (tally == NULL)
        return;
    must(atomic_fetch_sub_explicit(&tally->inside, 1, memory_order_relaxed) > 0);
    tally_unref(tally);
}

uint64_t tally_refused(struct tally *tally, uint64_t now_ns)
{
    unsigned long long quiet = atomic_load_explicit(&tally->quiet_ns, memory_order_relaxed);

    atomic_fetch_add_explicit(&tally->unsaid, 1, memory_order_relaxed);
    if (now_ns < quiet || !atomic_compare_exchange_strong(&tally->quiet_ns, &quiet, now_ns + QUIET_NS))
        return 0;
    return atomic_exchange_explicit(&tally->unsaid, 0, memory_order_relaxed);
}
