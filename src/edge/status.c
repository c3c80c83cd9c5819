/* Counters and what every worker is doing, as JSON. Any lane's figures may be a moment old. */
#include "edge/status.h"

#include "base/clock.h"
#include "edge/edge_process.h"
#include "os/proc.h"

static unsigned long long sum(const struct edge *edge, size_t offset)
{
    unsigned long long total = 0;

    for (uint32_t i = 0; i < edge->n_lanes; i++) {
        const char *stats = (const char *)&edge->lanes[i].stats;

        total += atomic_load_explicit((const atomic_ullong *)(const void *)(stats + offset), memory_order_relaxed);
    }
    return total;
}

static int write_seat(const struct generation *g, uint32_t seat, uint64_t now, struct buf *out)
{
    struct pool_seat_view v;

    pool_seat_look(g->pool, seat, &v);
    return buf_printf(out, "%s{\"worker\":%u,\"busy\":%s,\"requests\":%llu,\"age\":%.3f}", seat == 0 ? "" : ",",
                      (unsigned)(seat / g->geometry.threads), v.busy ? "true" : "false", (unsigned long long)v.requests,
                      v.busy && now > v.since_ns ? (double)(now - v.since_ns) / 1e9 : 0.0);
}

static int write_generation(const struct generation *g, bool first, struct buf *out)
{
    uint64_t now = clock_mono_ns();
    int error = buf_printf(out, "%s{\"generation\":%u,\"retired\":%s,\"slots\":%u,\"slots_used\":%u,\"seats\":[",
                           first ? "" : ",", (unsigned)g->number, g->retired ? "true" : "false",
                           (unsigned)g->geometry.slots, (unsigned)g->used);

    for (uint32_t i = 0; error == 0 && i < g->geometry.workers * g->geometry.threads; i++)
        error = write_seat(g, i, now, out);
    return error != 0 ? error : buf_add_str(out, STR("]}"));
}

int status_write(struct edge *edge, struct buf *out)
{
    struct dispatch *d = &edge->dispatch;
    int error;

    pthread_mutex_lock(&d->lock);
    error = buf_printf(
        out,
        "{\"lanes\":%u,\"connections\":%llu,\"requests\":%llu,\"handshakes\":%llu,\"queued\":%u,\"handed\":%llu,"
        "\"refused\":%llu,\"replayed\":%llu,\"descriptors\":%zu,\"generations\":[",
        (unsigned)edge->n_lanes, sum(edge, offsetof(struct lane_stats, connections)),
        sum(edge, offsetof(struct lane_stats, requests)), sum(edge, offsetof(struct lane_stats, handshakes)),
        (unsigned)d->n_queued, (unsigned long long)d->handed, (unsigned long long)d->refused,
        (unsigned long long)d->replayed, proc_count_fds());
    LIST_EACH(link, &d->generations) {
        if (error == 0)
            error = write_generation(CONTAINER_OF(link, struct generation, link), link == d->generations.next, out);
    }
    pthread_mutex_unlock(&d->lock);
    return error != 0 ? error : buf_add_str(out, STR("]}"));
}
