/* Counters and what every worker is doing, as JSON. Any lane's figures may be a moment old. */
#include "edge/status.h"

#include <errno.h>

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

static unsigned long long handshakes(const struct edge *edge)
{
    unsigned long long total = 0;

    for (size_t i = 0; i < STATS_TLS_VERSIONS; i++)
        total += sum(edge, offsetof(struct lane_stats, handshakes[i][0])) +
                 sum(edge, offsetof(struct lane_stats, handshakes[i][1]));
    return total;
}

static int write_seat(const struct generation *g, uint32_t seat, uint64_t now, struct buf *out)
{
    struct pool_seat_view v;

    pool_seat_look(g->pool, seat, &v);
    return buf_printf(out, "%s{\"worker\":%u,\"busy\":%s,\"requests\":%llu,\"age\":%.3f}", seat == 0 ? "" : ",",
                      (unsigned)(seat / g->geometry.threads) + 1, v.busy ? "true" : "false",
                      (unsigned long long)v.requests,
                      v.busy && now > v.since_ns ? (double)(now - v.since_ns) / 1e9 : 0.0);
}

static int write_generation(const struct generation *g, bool first, bool with_seats, struct buf *out)
{
    uint64_t now = clock_mono_ns();
    int error = buf_printf(out, "%s{\"generation\":%u,\"retired\":%s,\"slots\":%u,\"slots_used\":%u,\"seats\":[",
                           first ? "" : ",", (unsigned)g->number, g->retired ? "true" : "false",
                           (unsigned)g->geometry.slots, (unsigned)g->used);

    for (uint32_t i = 0; with_seats && error == 0 && i < g->geometry.workers * g->geometry.threads; i++)
        error = write_seat(g, i, now, out);
    return error != 0 ? error : buf_add_str(out, STR("]}"));
}

static int write_open(const struct edge *edge, struct buf *out)
{
    int error = buf_add_str(out, STR("\"open\":["));

    for (uint32_t i = 0; i < edge->n_lanes && error == 0; i++)
        error = buf_printf(out, "%s%u", i == 0 ? "" : ",",
                           atomic_load_explicit(&edge->lanes[i].n_open, memory_order_relaxed));
    return error != 0 ? error : buf_add_str(out, STR("],"));
}

static int write_counters(struct edge *edge, size_t descriptors, struct buf *out)
{
    const struct dispatch *d = &edge->dispatch;
    int error = buf_printf(out, "{\"lanes\":%u,", (unsigned)edge->n_lanes);

    if (error == 0)
        error = write_open(edge, out);
    if (error != 0)
        return error;
    return buf_printf(out,
                      "\"connections\":%llu,\"requests\":%llu,\"handshakes\":%llu,\"queued\":%u,\"handed\":%llu,"
                      "\"refused\":%llu,\"replayed\":%llu,\"descriptors\":%zu,\"connections_max\":%u,\"evicted\":%llu,"
                      "\"crowded\":%llu,\"too_slow\":%llu,\"shed\":%llu",
                      sum(edge, offsetof(struct lane_stats, connections)),
                      sum(edge, offsetof(struct lane_stats, requests)), handshakes(edge), (unsigned)d->n_queued,
                      (unsigned long long)d->handed, (unsigned long long)d->refused, (unsigned long long)d->replayed,
                      descriptors, atomic_load_explicit(&edge->admit.max, memory_order_relaxed),
                      sum(edge, offsetof(struct lane_stats, evicted)), sum(edge, offsetof(struct lane_stats, crowded)),
                      sum(edge, offsetof(struct lane_stats, too_slow)), sum(edge, offsetof(struct lane_stats, shed)));
}

static int write_all(struct edge *edge, struct buf *out, size_t descriptors, bool with_seats)
{
    int error = write_counters(edge, descriptors, out);

    if (error == 0)
        error = buf_add_str(out, STR(",\"generations\":["));
    LIST_EACH(link, &edge->dispatch.generations) {
        if (error == 0)
            error = write_generation(CONTAINER_OF(link, struct generation, link),
                                     link == edge->dispatch.generations.next, with_seats, out);
    }
    return error != 0 ? error : buf_add_str(out, STR("]}"));
}

/* With many workers what each is doing does not fit one message: then it is left out. */
int status_write(struct edge *edge, struct buf *out)
{
    size_t begin = out->len, descriptors = proc_count_fds(); /* takes long: not with the lock */
    int error;

    pthread_mutex_lock(&edge->dispatch.lock);
    error = write_all(edge, out, descriptors, true);
    if (error == -EMSGSIZE) {
        out->len = begin;
        error = write_all(edge, out, descriptors, false);
    }
    pthread_mutex_unlock(&edge->dispatch.lock);
    return error;
}
