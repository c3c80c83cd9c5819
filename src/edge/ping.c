/* PING goes through every lane and comes back as PONG. */
#include "edge/ping.h"

#include "edge/edge_process.h"

static void answer(struct lane *lane, struct lane_job *job)
{
    struct edge *edge = lane->edge;
    struct wire_message pong = { .type = WIRE_PONG, .number = edge->ping.number };

    (void)job;
    edge->ping.under_way = false;
    channel_send(&edge->super, &pong);
}

static void turned(struct lane *lane, struct lane_job *job)
{
    struct edge *edge = lane->edge;

    (void)job;
    if (atomic_fetch_sub(&edge->ping.left, 1) > 1)
        return;
    edge->ping.answer.fn = answer;
    lane_post(&edge->lanes[0], &edge->ping.answer);
}

void ping_lanes(struct edge *edge, uint64_t number)
{
    struct ping *ping = &edge->ping;

    ping->number = number;
    if (ping->under_way)
        return;
    ping->under_way = true;
    atomic_store(&ping->left, edge->n_lanes);
    for (uint32_t i = 0; i < edge->n_lanes; i++) {
        ping->turn[i].fn = turned;
        lane_post(&edge->lanes[i], &ping->turn[i]);
    }
}
