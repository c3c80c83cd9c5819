/* Holding requests back, and letting them go. */
#include "edge/hold.h"

#include "edge/dispatch.h"
#include "edge/pools.h"
#include "edge/slots.h"

uint64_t hold_total(const struct hold *h, uint64_t now)
{
    return h->total_ns + (h->since_ns != 0 && now > h->since_ns ? now - h->since_ns : 0);
}

bool hold_is_quiet(const struct dispatch *d)
{
    if (!hold_on(&d->hold) || d->hold.told)
        return false;
    LIST_EACH(link, &d->generations) {
        if (CONTAINER_OF(link, struct generation, link)->used > 0)
            return false;
    }
    return true;
}

void hold_begin(struct dispatch *d, uint64_t now, uint64_t ns, uint32_t number)
{
    pthread_mutex_lock(&d->lock);
    if (!hold_on(&d->hold))
        d->hold.since_ns = now;
    d->hold.until_ns = now + ns;
    d->hold.number = number;
    d->hold.told = false;
    rate_idle(&d->rate);
    LIST_EACH(link, &d->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        slots_set_hungry(d, g, true); /* the end of each request is news now */
        slots_take_back(d, g);
    }
    pthread_mutex_unlock(&d->lock);
}

void hold_end(struct dispatch *d, uint64_t now)
{
    pthread_mutex_lock(&d->lock);
    d->hold.total_ns = hold_total(&d->hold, now);
    d->hold.since_ns = 0;
    slots_feed(d);
    pthread_mutex_unlock(&d->lock);
    dispatch_wake(d);
}

bool hold_quiet(struct dispatch *d, uint32_t *number)
{
    bool quiet;

    pthread_mutex_lock(&d->lock);
    quiet = hold_is_quiet(d);
    if (quiet)
        d->hold.told = true;
    *number = d->hold.number;
    pthread_mutex_unlock(&d->lock);
    return quiet;
}

uint64_t hold_of(struct dispatch *d, const struct job *job, uint64_t now)
{
    uint64_t total;

    pthread_mutex_lock(&d->lock);
    total = hold_total(&d->hold, now);
    pthread_mutex_unlock(&d->lock);
    return total > job->held_ns ? total - job->held_ns : 0;
}
