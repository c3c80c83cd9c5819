/* Accepting. */
#include "edge/listen.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/conn.h"
#include "edge/edge_process.h"
#include "edge/file_cache.h"

#define ACCEPT_BATCH 64
#define UNEVEN 4                  /* connections that a lane may have more than another before it hands new ones over */
#define REST_NS (100 * NS_PER_MS) /* out of descriptors: wait for some to be closed instead of spinning */

struct listener {
    struct list link;
    struct loop_io io;
    struct loop_timer rest;
    struct lane *lane;
    int fd;          /* borrowed */
    bool tls, tired; /* resting, or has just rested */
};

static void listener_watch(struct listener *l)
{
    int error = loop_io_add(l->lane->loop, &l->io, l->fd, EPOLLIN | EPOLLEXCLUSIVE);

    if (error != 0)
        log_event(&l->lane->edge->log, LOG_ALERT, "cannot watch a listener", LOG_N("error", error));
}

static void listener_rest(struct listener *l, int error)
{
    if (!l->tired)
        log_event(&l->lane->edge->log, LOG_ERROR, "cannot accept connections, resting 100 ms at a time",
                  LOG_Z("error", strerror(-error)));
    l->tired = true;
    file_cache_clear(l->lane->files); /* its descriptors are for whoever needs them now */
    loop_io_remove(l->lane->loop, &l->io);
    loop_timer_set(l->lane->loop, &l->rest, REST_NS);
}

static void listener_rested(struct loop_timer *timer)
{
    listener_watch(CONTAINER_OF(timer, struct listener, rest));
}

/* The last descriptors are not for clients: without one no file is opened and no body spooled, and no message of the supervisor's that
 * carries one arrives. The kernel gives the lowest number, so a high one means that few are left. */
static bool is_reserved(const struct listener *l, int fd)
{
    return l->lane->edge->fds_for_clients != 0 && (uint64_t)fd >= l->lane->edge->fds_for_clients;
}

/* ---- fair shares ---- */

/* A connection on its way to another lane. */
struct handed {
    struct lane_job job;
    union sock_addr peer;
    int fd;
    bool tls;
};

static void take_over(struct lane *lane, struct lane_job *job)
{
    struct handed *h = CONTAINER_OF(job, struct handed, job);

    conn_accept(lane, h->fd, &h->peer, h->tls);
    mem_free(h);
}

static void hand_over(struct lane *to, int fd, const union sock_addr *peer, bool tls)
{
    struct handed *h = mem_zalloc(sizeof(*h));

    h->job.fn = take_over;
    h->peer = *peer;
    h->fd = fd;
    h->tls = tls;
    lane_post(to, &h->job);
}

static unsigned load(struct lane *lane)
{
    return atomic_load_explicit(&lane->n_open, memory_order_relaxed);
}

/* The kernel wakes the first lane that sleeps, which is nearly always the same one: without this it would have all connections. */
static struct lane *whose_turn(struct lane *lane)
{
    struct edge *edge = lane->edge;
    struct lane *least = lane;

    if (lane->draining)
        return lane;
    for (uint32_t i = 0; i < edge->n_lanes; i++) {
        if (load(&edge->lanes[i]) < load(least))
            least = &edge->lanes[i];
    }
    return load(least) + UNEVEN < load(lane) ? least : lane;
}

/* At most `most` connections. 0, or the error that ended it (-EAGAIN: nobody waits). */
static int accept_some(struct listener *l, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        struct lane *to;
        union sock_addr peer;
        socklen_t len;
        int fd = sock_accept(l->fd, &peer, &len);

        if (fd == -ECONNABORTED || fd == -EINTR || fd == -EPROTO)
            continue;
        if (fd < 0)
            return fd;
        if (is_reserved(l, fd)) {
            close(fd);
            return -EMFILE;
        }
        to = whose_turn(l->lane);
        if (to == l->lane)
            conn_accept(to, fd, &peer, l->tls);
        else
            hand_over(to, fd, &peer, l->tls);
    }
    return 0;
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
    struct listener *l = CONTAINER_OF(io, struct listener, io);
    int error = accept_some(l, ACCEPT_BATCH);

    (void)events;
    if (error != 0 && error != -EAGAIN)
        listener_rest(l, error);
    else
        l->tired = false;
}

int listen_add(struct lane *lane, int fd, bool tls)
{
    struct listener *l = mem_zalloc(sizeof(*l));

    l->lane = lane;
    l->fd = fd;
    l->tls = tls;
    l->io = (struct loop_io){ .fd = -1, .fn = listener_ready };
    loop_timer_init(&l->rest, listener_rested);
    list_push_back(&lane->listeners, &l->link);
    listener_watch(l);
    return 0;
}

void listen_drain(struct lane *lane)
{
    LIST_EACH(link, &lane->listeners)
        (void)!accept_some(CONTAINER_OF(link, struct listener, link), 4096);
    listen_stop(lane);
}

void listen_stop(struct lane *lane)
{
    struct list *link;

    while ((link = list_pop_front(&lane->listeners)) != NULL) {
        struct listener *l = CONTAINER_OF(link, struct listener, link);

        loop_timer_stop(lane->loop, &l->rest);
        loop_io_remove(lane->loop, &l->io);
        mem_free(l);
    }
}
