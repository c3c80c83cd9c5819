/* Makes room: see evict.h for the order. */
#include "edge/evict.h"

#include <sys/socket.h>

#include "edge/conn.h"
#include "edge/edge_process.h"
#include "edge/h2.h"

#define LOOKS_MAX 16 /* connections that turn out to have a request */

static const uint64_t least_ns[EVICT_RANKS] = {
    [EVICT_KEPT] = EVICT_KEPT_NS, [EVICT_BEGINNING] = EVICT_BEGIN_NS, [EVICT_UPLOAD] = EVICT_UPLOAD_NS
};

void evict_last(struct conn *c)
{
    list_remove(&c->ranked);
    if (c->rank == EVICT_NEVER)
        return;
    c->ranked_ns = loop_now(c->lane->loop);
    list_push_back(&c->lane->ranks[c->rank], &c->ranked);
}

void evict_rank(struct conn *c, enum evict_rank rank)
{
    if (c->rank == rank)
        return;
    c->rank = rank;
    evict_last(c);
}

/* A request that has arrived and has not been read is not idle. */
static bool has_news(const struct conn *c)
{
    char byte;

    return c->rank == EVICT_KEPT && recv(c->stream.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool evict_from(struct lane *lane, enum evict_rank rank)
{
    uint64_t now = loop_now(lane->loop);

    unsigned looked = 0;

    LIST_EACH(link, &lane->ranks[rank]) {
        struct conn *c = CONTAINER_OF(link, struct conn, ranked);

        if (now - c->ranked_ns < least_ns[rank] || looked++ == LOOKS_MAX)
            return false;
        if (has_news(c)) {
            evict_last(c);
            continue;
        }
        if (c->h2 != NULL)
            h2_farewell(c->h2);
        conn_close(c);
        return true;
    }
    return false;
}

bool evict_one(struct lane *lane)
{
    for (enum evict_rank rank = EVICT_KEPT; rank < EVICT_RANKS; rank++) {
        if (evict_from(lane, rank)) {
            stats_add(&lane->stats.evicted, 1);
            return true;
        }
    }
    return false;
}

static void asked(struct lane *lane, struct lane_job *job)
{
    (void)job;
    atomic_store_explicit(&lane->evict_asked, false, memory_order_release);
    if (admit_full(&lane->edge->admit))
        (void)evict_one(lane);
}

void evict_elsewhere(struct lane *lane)
{
    struct edge *edge = lane->edge;

    for (uint32_t i = 0; i < edge->n_lanes; i++) {
        struct lane *other = &edge->lanes[i];

        if (other == lane || atomic_exchange_explicit(&other->evict_asked, true, memory_order_acq_rel))
            continue;
        other->evict_job.fn = asked;
        lane_post(other, &other->evict_job);
    }
}
