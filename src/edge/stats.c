/* Counting an exchange. */
#include "edge/stats.h"

#include <stddef.h>

#include "edge/edge_process.h"
#include "edge/exchange.h"

static const uint64_t bounds[] = {
#define X(ns, text) UINT64_C(ns),
    STATS_BOUNDS(X)
#undef X
};

void stats_time(struct stats_histogram *h, uint64_t ns)
{
    size_t i = 0;

    while (i < ARRAY_LEN(bounds) && ns > bounds[i])
        i++;
    stats_add(&h->buckets[i], 1);
    stats_add(&h->sum_ns, ns);
}

static enum stats_status status_of(const struct exchange *ex)
{
    unsigned class = ex->response.status / 100;

    if (!ex->response.started || class < 2 || class > 5)
        return STATS_NONE;
    return (enum stats_status)(STATS_2XX + class - 2);
}

void stats_exchange(const struct exchange *ex)
{
    struct lane_stats *s = &ex->lane->stats;
    enum stats_handler handler = ex->routed != NULL ? ex->routed->kind : STATS_EDGE;

    stats_add(&s->answers[handler][status_of(ex)], 1);
    stats_time(&s->took[handler], ex->took_ns);
    if (ex->worker >= 0)
        stats_time(&s->queued, ex->queue_ns);
    stats_add(&s->body_in, ex->body.size);
    stats_add(&s->body_out, ex->sent);
}
