/* UNREADY and DRAIN. */
#include "edge/leave.h"

#include <unistd.h>

#include "edge/edge_process.h"
#include "edge/lanes.h"
#include "edge/listen.h"

const char *leave_unready_why(const struct edge *edge)
{
    if (atomic_load_explicit(&edge->unready, memory_order_relaxed))
        return "the server is stopping";
    return edge->phase == EDGE_SERVING && edge->dispatch.active != NULL ? NULL : "no generation serves yet";
}

void leave_unready(struct edge *edge, struct wire_message *m)
{
    (void)m;
    atomic_store(&edge->unready, true);
}

/* The listeners are closed by the lane that is the last to have taken them out of its loop. */
static void drain(struct lane *lane, void *arg)
{
    struct edge *edge = arg;

    lane_drain(lane, edge->handed_over);
    if (atomic_fetch_add(&edge->deaf_lanes, 1) + 1 < edge->n_lanes)
        return;
    for (uint32_t i = 0; i < edge->n_listeners; i++) {
        if (edge->listeners[i].kind == STATS_METRICS && !edge->handed_over)
            continue;
        listen_last_call(lane, &edge->listeners[i]);
        close(edge->listeners[i].fd);
    }
}

void leave_drain(struct edge *edge, struct wire_message *m)
{
    leave_unready(edge, m);
    if (edge->phase == EDGE_DRAINING)
        return;
    edge->phase = EDGE_DRAINING;
    edge->handed_over = m->number == 1;
    lanes_each(edge, drain, edge);
}

static void all_drained(struct lane *lane, struct lane_job *job)
{
    (void)job;
    channel_tell(&lane->edge->super, WIRE_DRAINED, 0, 0);
}

void leave_lane_drained(struct edge *edge)
{
    if (atomic_fetch_add(&edge->drained_lanes, 1) + 1 < edge->n_lanes)
        return;
    edge->drained_job.fn = all_drained;
    lane_post(&edge->lanes[0], &edge->drained_job);
}
