/* A connection's life: accept, steps, timer, close phase. */
#include "edge/conn.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/edge_process.h"
#include "edge/h1.h"
#include "edge/h1_store.h"
#include "edge/h2.h"
#include "edge/pace.h"
#include "edge/proxy_head.h"
#include "edge/shed.h"

#define LINGER_NS (5 * NS_PER_SEC)
#define OWN_TIMERS 256 /* of the lane and its listeners, and more than that */

static void conn_free(struct conn *c)
{
    struct lane *lane = c->lane;

    if (c->h1 != NULL)
        h1_release(c);
    if (c->h2 != NULL)
        h2_release(c);
    stream_close(&c->stream);
    if (!c->departed)
        admit_leave(&lane->edge->admit, &c->peer, c->by_address);
    slab_put(&lane->conns, c);
}

/* The end of the turn: either the close phase, or going on after a long burst of pipelined requests. */
static void conn_task(struct loop_task *task)
{
    struct conn *c = CONTAINER_OF(task, struct conn, task);

    if (c->closed) {
        conn_free(c);
        return;
    }
    c->paused = false;
    c->burst = 0;
    conn_advance(c);
}

static void conn_ready(struct loop_io *io, uint32_t events)
{
    struct conn *c = CONTAINER_OF(io, struct conn, io);

    if (events & EPOLLIN)
        c->readable = true;
    if (events & EPOLLOUT)
        c->writable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        c->peer_gone = true;
        c->readable = true;
    }
    if (!c->paused)
        c->burst = 0;
    conn_advance(c);
}

static void conn_timer(struct loop_timer *timer)
{
    struct conn *c = CONTAINER_OF(timer, struct conn, timer);

    if (!c->closed)
        c->state->timed_out(c);
}

static int conn_open_stream(struct conn *c, int fd)
{
    if (!c->tls) {
        stream_init_plain(&c->stream, fd);
        return 0;
    }
    return tls_stream_init(&c->stream, fd, c->lane->snapshot->tls);
}

void conn_refuse(struct lane *lane, const struct conn_new *new)
{
    close(new->fd);
    if (new->tls)
        atomic_fetch_sub_explicit(&lane->n_shaking, 1, memory_order_relaxed);
    admit_leave(&lane->edge->admit, &new->peer, new->by_address);
}

static void conn_init(struct conn *c, struct lane *lane, const struct conn_new *new)
{
    c->lane = lane;
    c->peer = new->peer;
    c->tls = new->tls;
    c->watch = new->watch;
    c->by_address = new->by_address;
    c->readable = c->writable = true;
    list_init(&c->ranked);
    loop_task_init(&c->task, conn_task);
    loop_timer_init(&c->timer, conn_timer);
    c->io = (struct loop_io){ .fd = -1, .fn = conn_ready };
}

/* With room for its timer and its request's. */
static struct conn *conn_new(struct lane *lane)
{
    size_t timers = 2 * (size_t)(atomic_load_explicit(&lane->n_open, memory_order_relaxed) + 1) + OWN_TIMERS;

    if (!shed_may_grow() || loop_timer_reserve(lane->loop, timers) != 0)
        return NULL;
    return slab_get(&lane->conns);
}

static enum stats_listener listener_of(const struct conn *c)
{
    return c->watch ? STATS_METRICS : c->tls ? STATS_HTTPS : STATS_HTTP;
}

void conn_begin(struct conn *c)
{
    conn_set_state(c, c->tls ? &h1_handshake : &h1_idle);
}

/* After the first steps: who asks for one file and goes has been served without a place in epoll. */
static void conn_watch(struct conn *c)
{
    if (!c->closed && loop_io_add(c->lane->loop, &c->io, c->stream.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != 0)
        conn_close(c);
}

static void enter(struct conn *c)
{
    list_push_back(&c->lane->open, &c->link);
    atomic_fetch_add_explicit(&c->lane->n_open, 1, memory_order_relaxed);
}

static void leave(struct conn *c)
{
    c->closed = true;
    loop_timer_stop(c->lane->loop, &c->timer);
    list_remove(&c->link);
    evict_rank(c, EVICT_NEVER);
    atomic_fetch_sub_explicit(&c->lane->n_open, 1, memory_order_relaxed);
    loop_defer(c->lane->loop, &c->task);
}

void conn_depart(struct conn *c, struct conn_new *new, struct stream *stream)
{
    *new = (struct conn_new){ .peer = c->peer, .fd = c->stream.fd, .tls = c->tls, .by_address = c->by_address };
    *stream = c->stream;
    c->stream.fd = -1;
    c->departed = true;
    loop_io_remove(c->lane->loop, &c->io);
    leave(c);
}

void conn_arrive(struct lane *lane, const struct conn_new *new, const struct stream *stream)
{
    struct conn *c = conn_new(lane);

    if (c == NULL) {
        struct stream s = *stream;

        shed_note(lane, "a connection");
        stream_close(&s);
        admit_leave(&lane->edge->admit, &new->peer, new->by_address);
        stats_add(&lane->stats.ended[STATS_HTTPS], 1);
        return;
    }
    conn_init(c, lane, new);
    c->stream = *stream;
    enter(c);
    h1_agreed(c);
    conn_advance(c);
    conn_watch(c);
}

void conn_accept(struct lane *lane, const struct conn_new *new)
{
    struct conn *c = NULL;

    if (new->tls && lane->snapshot->tls == NULL)
        goto refuse;
    c = conn_new(lane);
    if (c == NULL)
        goto no_memory;
    conn_init(c, lane, new);
    if (conn_open_stream(c, new->fd) != 0)
        goto no_memory;
    c->shaking = new->tls;
    enter(c);
    stats_add(&lane->stats.connections, 1);
    stats_add(&lane->stats.accepted[listener_of(c)], 1);
    if (proxy_head_may_come(c))
        conn_set_state(c, &proxy_head);
    else
        conn_begin(c);
    conn_advance(c);
    conn_watch(c);
    return;

no_memory:
    shed_note(lane, "a connection");
refuse:
    if (c != NULL)
        slab_put(&lane->conns, c);
    conn_refuse(lane, new);
}

void conn_shaken(struct conn *c)
{
    if (c->shaking)
        atomic_fetch_sub_explicit(&c->lane->n_shaking, 1, memory_order_relaxed);
    c->shaking = false;
}

void conn_touch(struct conn *c)
{
    uint64_t ns = c->state->timeout != NULL ? c->state->timeout(c) : 0;

    if (ns == 0)
        loop_timer_rest(&c->timer); /* between two requests: the next sets it */
    else
        loop_timer_set(c->lane->loop, &c->timer, ns);
}

/* Until the credit is used up; what it is worth is the same in all states that are paced. */
void conn_earn(struct conn *c, uint64_t bytes)
{
    uint64_t now = loop_now(c->lane->loop), deadline = pace_earn(c->timer.deadline, now, bytes);

    loop_timer_set(c->lane->loop, &c->timer, deadline > now ? deadline - now : 1);
    if (deadline == now + PACE_GRACE_NS)
        evict_last(c);
}

static enum evict_rank rank_in(const struct conn *c, const struct conn_state *state)
{
    return state->rank == EVICT_KEPT && c->served == 0 ? EVICT_BEGINNING : state->rank;
}

void conn_set_state(struct conn *c, const struct conn_state *state)
{
    if (c->closed)
        return;
    c->state = state;
    evict_rank(c, rank_in(c, state));
    conn_touch(c);
}

bool conn_spend(struct conn *c, size_t requests, size_t bytes)
{
    size_t moved = bytes / 1024;

    c->burst += (uint32_t)(requests * CONN_SHARE_REQUEST);
    c->burst += (uint32_t)(bytes > 0 && moved < CONN_SHARE_LEAST ? CONN_SHARE_LEAST : moved);
    if (c->burst < CONN_SHARE || c->closed)
        return false;
    c->paused = true;
    loop_defer(c->lane->loop, &c->task);
    return true;
}

void conn_advance(struct conn *c)
{
    if (c->closed || c->paused)
        return;
    if (c->advancing) {
        c->again = true;
        return;
    }
    c->advancing = true;
    do {
        c->again = false;
        while (!c->closed && !c->paused && c->state->step(c))
            ;
    } while (c->again && !c->closed && !c->paused);
    c->advancing = false;
}

void conn_close(struct conn *c)
{
    if (c->closed)
        return;
    conn_shaken(c);
    loop_io_forget(c->lane->loop, &c->io); /* conn_free closes the descriptor; till then conn_ready does nothing */
    stats_add(&c->lane->stats.ended[listener_of(c)], 1);
    leave(c);
}

void conn_end(struct conn *c)
{
    (void)!stream_farewell(&c->stream);
    conn_close(c);
    stream_close(&c->stream);
}

/* ---- lingering ---- */

static bool linger_step(struct conn *c)
{
    ssize_t n;

    if (!c->readable)
        return false;
    n = stream_read(&c->stream, c->lane->scratch, LANE_SCRATCH);
    if (n > 0)
        return !conn_spend(c, 0, (size_t)n);
    if (n == -EAGAIN) {
        c->readable = false;
        return false;
    }
    conn_close(c);
    return false;
}

static uint64_t linger_timeout(const struct conn *c)
{
    (void)c;
    return LINGER_NS;
}

static const struct conn_state linger = {
    .name = "linger", .step = linger_step, .timed_out = conn_close, .timeout = linger_timeout
};

void conn_linger(struct conn *c)
{
    int r = stream_shutdown(&c->stream);

    if (r != 0 && r != -EAGAIN) {
        conn_close(c);
        return;
    }
    c->readable = true; /* also what came before the peer's FIN: closing with bytes unread would reset the connection */
    conn_set_state(c, &linger);
}
