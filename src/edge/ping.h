/*
 * The supervisor's question whether this process lives (PING): answered (PONG) when every lane has turned its loop.
 *
 * Lane 0 only, but for the jobs themselves.
 */
#ifndef QUINTET_EDGE_PING_H
#define QUINTET_EDGE_PING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "edge/lane.h"

struct edge;

struct ping {
    struct lane_job turn[POOL_LANES_MAX]; /* one a lane */
    struct lane_job answer;
    atomic_uint left; /* lanes that have not turned yet */
    bool under_way;
    uint64_t number; /* to be echoed */
};

/* A question that comes while another is under way is answered with that one. */
void ping_lanes(struct edge *edge, uint64_t number);

#endif
