/* Windows, and their average. */
#include "edge/rate.h"

#include "base/clock.h"

#define WINDOW_NS (100 * NS_PER_MS)
#define WINDOW_MOST_NS (5 * NS_PER_SEC)
#define WINDOW_ENDS 16
#define WINDOW_ENDS_FIRST 8 /* until something is known: a queue grows fast at the beginning of an overload */
#define RETRY_MOST 300

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_SEC;
}

void rate_busy(struct rate *r, uint64_t now)
{
    uint64_t ends = r->ended - r->base, long_ns = now > r->since_ns ? now - r->since_ns : 0;
    unsigned enough = r->per_second > 0 ? WINDOW_ENDS : WINDOW_ENDS_FIRST;
    double sample, weight;

    if (r->since_ns == 0 || (!r->aligned && ends > 0)) {
        r->aligned = r->since_ns != 0;
        r->since_ns = now;
        r->base = r->ended;
        return;
    }
    if (long_ns < WINDOW_NS || (ends < enough && long_ns < WINDOW_MOST_NS))
        return;
    sample = (ends > 0 ? (double)ends : 0.5) / seconds(long_ns);
    weight = r->per_second > 0 ? seconds(long_ns) / (seconds(long_ns) + 1.0) : 1.0;
    r->per_second += weight * (sample - r->per_second);
    r->since_ns = now;
    r->base = r->ended;
    r->aligned = true;
}

void rate_idle(struct rate *r)
{
    r->since_ns = 0;
    r->aligned = false;
}

uint64_t rate_wait(const struct rate *r, uint64_t nth)
{
    double wait = r->per_second > 0 ? (double)nth / r->per_second : 0;

    return wait > 1e6 ? 1000000 * NS_PER_SEC : (uint64_t)(wait * (double)NS_PER_SEC);
}

uint32_t rate_retry_after(const struct rate *r, uint64_t nth, uint64_t now)
{
    uint64_t ends = r->ended - r->base, long_ns = r->since_ns != 0 && now > r->since_ns ? now - r->since_ns : 0;
    double per_second = r->per_second, wait;

    if (long_ns > NS_PER_SEC) { /* at most this fast of late */
        double now_at_most = (double)(ends + 1) / seconds(long_ns);

        if (per_second <= 0 || now_at_most < per_second)
            per_second = now_at_most;
    } else if (per_second <= 0 && long_ns > 0) {
        per_second = (double)ends / seconds(long_ns);
    }
    if (per_second <= 0)
        return 1;
    wait = (double)nth / per_second;
    return wait >= RETRY_MOST ? RETRY_MOST : (uint32_t)wait + 1;
}
