/* POOL_OPEN to POOL_CLOSE: generations and their workers, as the supervisor tells of them. */
#include "edge/generations.h"

#include <string.h>
#include <unistd.h>

#include "edge/edge_process.h"
#include "edge/handler/handlers.h"
#include "edge/lanes.h"
#include "edge/setup.h"
#include "os/event.h"

/* ---- pools ---- */

static void lane_add(struct lane *lane, void *arg)
{
    struct generation *g = arg;

    if (lane_add_pool(lane, g) != 0)
        log_event(&lane->edge->log, LOG_ALERT, "cannot watch a pool", LOG_N("generation", g->number));
    pools_unref(&lane->edge->dispatch, g);
}

static void lane_drop(struct lane *lane, void *arg)
{
    lane_drop_pool(lane, arg);
}

static struct generation *open_generation(struct edge *edge, uint32_t number, const struct pool_fds *fds)
{
    struct generation *g;
    int error = pools_open(&edge->dispatch, number, fds, &g);

    if (error != 0) {
        log_event(&edge->log, LOG_ALERT, "cannot open a pool", LOG_N("generation", number), LOG_N("error", error));
        return NULL;
    }
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        pools_ref(&edge->dispatch, g); /* each lane gives it back once it has its own */
    lanes_each(edge, lane_add, g);
    return g;
}

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* A pool's memfd and one eventfd a lane. Their number, or -errno. */
static int make_pool_fds(const struct pool_geometry *geometry, int fds[WIRE_FDS_MAX])
{
    int n = 0;

    fds[n] = pool_create(geometry);
    while (fds[n] >= 0) {
        if (n++ == (int)geometry->lanes)
            return n;
        fds[n] = event_new();
    }
    close_all(fds, (size_t)n);
    return fds[n];
}

void generations_open(struct edge *edge, struct wire_message *m)
{
    struct wire_message answer = { .type = WIRE_POOL, .generation = m->generation };
    struct pool_geometry geometry = { .workers = (uint32_t)(m->number >> 32), .threads = (uint32_t)m->number };
    struct pool_fds fds;
    int n;

    lanes_ensure(edge, 0);
    setup_watch_early(edge);
    geometry.lanes = edge->n_lanes;
    geometry.slots = pool_geometry_slots(geometry.workers, geometry.threads);
    n = make_pool_fds(&geometry, answer.fds);
    if (n < 0) {
        log_event(&edge->log, LOG_ALERT, "cannot make a pool", LOG_Z("error", strerror(-n)));
        return;
    }
    answer.n_fds = (size_t)n;
    channel_send(&edge->super, &answer);
    fds = (struct pool_fds){ .memfd = answer.fds[0], .eventfds = answer.fds + 1, .lanes = geometry.lanes };
    (void)open_generation(edge, m->generation, &fds);
}

void generations_adopt(struct edge *edge, struct wire_message *m)
{
    struct pool_fds fds = { .memfd = m->fds[0], .eventfds = m->fds + 1, .lanes = (uint32_t)m->n_fds - 1 };

    lanes_ensure(edge, fds.lanes);
    if (fds.lanes != edge->n_lanes) {
        log_event(&edge->log, LOG_ALERT, "an inherited pool has another number of lanes", LOG_N("lanes", fds.lanes));
        return;
    }
    (void)open_generation(edge, m->generation, &fds);
    m->n_fds = 0; /* taken over */
}

/* ---- workers ---- */

static void lane_settle(struct lane *lane, void *arg)
{
    app_settle_lost(lane, arg);
    pools_unref(&lane->edge->dispatch, arg);
}

static void settle_everywhere(struct edge *edge, struct generation *g)
{
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        pools_ref(&edge->dispatch, g);
    lanes_each(edge, lane_settle, g);
}

void generations_join(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);
    int channel = m->fds[0];

    if (g == NULL || m->worker >= g->geometry.workers)
        return;
    m->fds[0] = -1;
    if (pools_worker_joined(&edge->dispatch, g, m->worker, m->pid, channel))
        settle_everywhere(edge, g);
}

void generations_gone(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);

    if (g == NULL || m->worker >= g->geometry.workers)
        return;
    stats_add(&edge->lanes[0].stats.worker_ends, 1);
    pools_worker_gone(&edge->dispatch, g, m->worker);
    settle_everywhere(edge, g);
}

/* ---- which one serves ---- */

void generations_switch(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);

    if (g == NULL)
        return;
    pools_switch(&edge->dispatch, g);
    atomic_store(&edge->has_served, true);
}

void generations_close(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);

    if (g == NULL)
        return;
    pools_abandon(&edge->dispatch, g);
    lanes_each(edge, lane_drop, g);
    pools_close(&edge->dispatch, g);
}
