/* UNREADY and DRAIN. */
#include "edge/leave.h"

#include <unistd.h>

#include "edge/edge_process.h"
#include "edge/lanes.h"
#include "edge/listen.h"
#include "os/half_open.h"
#include "os/sock.h"

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

/* The supervisor has deafened the listeners, but who is on the way to one (os/half_open.h) would be reset: the last packet of a handshake comes within
 * a round trip, and who has said nothing is let in when the time for it is over. Nobody else has the listeners but another edge when they were handed
 * over, and then nobody is lost. */
#define HANDSHAKE_NS (200 * NS_PER_MS)
#define LOCAL_HANDSHAKE_NS NS_PER_MS
#define SETTLE_NS NS_PER_MS           /* between being on the way no more and being in the queue */
#define LAST_CALL_NS (20 * NS_PER_MS) /* between two looks */

static bool closes(const struct edge *edge, uint32_t i)
{
    return edge->listeners[i].kind != STATS_METRICS || edge->handed_over;
}

/* At most. */
static uint64_t way_ns(int listener)
{
    uint64_t handshake = sock_is_local(listener) ? LOCAL_HANDSHAKE_NS : HANDSHAKE_NS;

    return sock_is_deferred(listener) ? SOCK_DEFER_S * NS_PER_SEC + HANDSHAKE_NS : handshake;
}

static uint64_t longest_way_ns(const struct edge *edge)
{
    uint64_t longest = 0;

    for (uint32_t i = 0; i < edge->n_listeners && !edge->handed_over; i++) {
        uint64_t ns = closes(edge, i) ? way_ns(edge->listeners[i].fd) : 0;

        if (ns > longest)
            longest = ns;
    }
    return longest;
}

static bool nobody_is_on_the_way(const struct edge *edge)
{
    bool nobody = true;

    for (uint32_t i = 0; i < edge->n_listeners && nobody; i++)
        nobody = !closes(edge, i) || half_open(edge->listeners[i].fd) == 0;
    return nobody;
}

static void last_call(struct lane *lane)
{
    struct edge *edge = lane->edge;
    bool close_them = edge->nobody_comes || loop_now(lane->loop) >= edge->last_call_ns;

    if (!close_them)
        edge->nobody_comes = nobody_is_on_the_way(edge); /* before the look at the queues */
    for (uint32_t i = 0; i < edge->n_listeners; i++) {
        if (!closes(edge, i))
            continue;
        listen_last_call(lane, &edge->listeners[i]);
        if (close_them)
            close(edge->listeners[i].fd);
    }
    if (close_them)
        atomic_store(&edge->closed, true);
    else
        loop_timer_set(lane->loop, &edge->last_call, edge->nobody_comes ? SETTLE_NS : LAST_CALL_NS);
}

static void last_call_due(struct loop_timer *timer)
{
    struct edge *edge = CONTAINER_OF(timer, struct edge, last_call);

    last_call(edge->closer);
}

/* The listeners are closed by the lane that is the last to have taken them out of its loop. */
static void drain(struct lane *lane, void *arg)
{
    struct edge *edge = arg;

    lane_drain(lane, edge->handed_over);
    if (atomic_fetch_add(&edge->deaf_lanes, 1) + 1 < edge->n_lanes)
        return;
    edge->closer = lane;
    edge->last_call_ns = loop_now(lane->loop) + longest_way_ns(edge);
    loop_timer_init(&edge->last_call, last_call_due);
    last_call(lane);
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
