/* Connections go to the lane where they stay: see home.h. */
#include "edge/home.h"

#include <unistd.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "edge/edge_process.h"
#include "edge/h1.h"
#include "edge/shed.h"

#define UNEVEN 4          /* connections that a lane may have more than another before it hands new ones over */
#define UNEVEN_SHAKING 1u /* the same of handshakes */

/* On its way to another lane. */
struct handed {
    struct lane_job job;
    struct conn_new new;
    struct stream stream; /* of one that moves, owned on the way; fd -1: one that begins */
};

static unsigned open_in(const struct lane *lane)
{
    return atomic_load_explicit(&lane->n_open, memory_order_relaxed);
}

static unsigned shaking_in(const struct lane *lane)
{
    return atomic_load_explicit(&lane->n_shaking, memory_order_relaxed);
}

/* The kernel wakes the first lane that sleeps, which is nearly always the same one: without this it would have all connections. */
static struct lane *least_open(struct lane *lane)
{
    struct edge *edge = lane->edge;
    struct lane *least = &edge->lanes[0];

    for (uint32_t i = 1; i < edge->n_homes; i++) {
        if (open_in(&edge->lanes[i]) < open_in(least))
            least = &edge->lanes[i];
    }
    return lane->index < edge->n_homes && open_in(least) + UNEVEN >= open_in(lane) ? lane : least;
}

static struct lane *least_shaking(struct lane *lane)
{
    struct edge *edge = lane->edge;
    struct lane *least = lane;

    for (uint32_t i = 0; i < edge->n_lanes; i++) {
        if (shaking_in(&edge->lanes[i]) < shaking_in(least))
            least = &edge->lanes[i];
    }
    return shaking_in(least) + UNEVEN_SHAKING < shaking_in(lane) ? least : lane;
}

static struct lane *where(struct lane *lane, const struct conn_new *new)
{
    if (lane->draining || new->watch)
        return lane;
    return new->tls ? least_shaking(lane) : least_open(lane);
}

/* The process ends. */
static void drop(struct lane *lane, struct lane_job *job)
{
    struct handed *h = CONTAINER_OF(job, struct handed, job);

    if (h->stream.fd >= 0)
        stream_close(&h->stream);
    else
        close(h->new.fd);
    admit_leave(&lane->edge->admit, &h->new.peer, h->new.by_address);
    mem_free(h);
}

static struct handed *handed_new(void (*fn)(struct lane *lane, struct lane_job *job))
{
    struct handed *h = mem_try_zalloc(sizeof(*h));

    if (h != NULL) {
        h->job.fn = fn;
        h->job.drop = drop;
        h->stream.fd = -1;
    }
    return h;
}

static void take_over(struct lane *lane, struct lane_job *job)
{
    struct handed *h = CONTAINER_OF(job, struct handed, job);

    conn_accept(lane, &h->new);
    mem_free(h);
}

void home_begin(struct lane *lane, const struct conn_new *new)
{
    struct lane *to = where(lane, new);
    struct handed *h = to != lane ? handed_new(take_over) : NULL;

    if (h == NULL)
        to = lane;
    if (new->tls)
        atomic_fetch_add_explicit(&to->n_shaking, 1, memory_order_relaxed);
    if (h == NULL) {
        conn_accept(to, new);
        return;
    }
    h->new = *new;
    lane_post(to, &h->job);
}

static void arrive(struct lane *lane, struct lane_job *job)
{
    struct handed *h = CONTAINER_OF(job, struct handed, job);

    conn_arrive(lane, &h->new, &h->stream);
    mem_free(h);
}

bool home_move(struct conn *c)
{
    struct lane *to = least_open(c->lane);
    struct handed *h = to != c->lane && !c->lane->draining ? handed_new(arrive) : NULL;

    if (h == NULL)
        return false;
    conn_depart(c, &h->new, &h->stream);
    lane_post(to, &h->job);
    return true;
}
