/* Accepting. */
#include "edge/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/conn.h"
#include "edge/edge_process.h"
#include "edge/file_cache.h"
#include "edge/home.h"

#define ACCEPT_BATCH 64
#define DRAIN_BATCH 4096
#define ACCEPT_NS (2 * NS_PER_MS) /* of a turn: what newcomers ask for is served as they come in, and may take long */
#define REST_NS (20 * NS_PER_MS)  /* no room: wait for some to be closed instead of spinning */

struct listener {
    struct list link;
    struct loop_io io;
    struct loop_timer rest;
    struct lane *lane;
    int fd;               /* borrowed */
    struct conn_new door; /* accepted when none but reserved descriptors were left: comes in first; fd -1: nobody */
    bool tls, watch;
};

static void listener_watch(struct listener *l)
{
    int error = loop_io_add(l->lane->loop, &l->io, l->fd, EPOLLIN | EPOLLEXCLUSIVE);

    if (error != 0)
        log_event(&l->lane->edge->log, LOG_ALERT, "cannot watch a listener", LOG_N("error", error));
}

/* Whoever opens too many does so all day. */
void listen_say_crowded(struct lane *lane, const union sock_addr *peer)
{
    uint64_t refused = log_seldom(&lane->crowded_said, loop_now(lane->loop));
    char text[SOCK_TEXT_MAX];

    stats_add(&lane->stats.crowded, 1);
    if (refused > 0)
        log_event(&lane->edge->log, LOG_WARNING, "too many connections from one address",
                  LOG_S("address", str_make(text, sock_host_text(peer, text))), LOG_N("refused", refused));
}

/* Nobody can be let in and nobody can go. Those who wait stay in the kernel's queue. */
static void listener_rest(struct listener *l, int error)
{
    struct lane *lane = l->lane;
    uint64_t times = log_seldom(&lane->rest_said, loop_now(lane->loop));

    if (times > 0)
        log_event(&lane->edge->log, LOG_ERROR, "cannot accept connections, they wait",
                  LOG_Z("error", error == -EUSERS ? "limit_connections are open" : strerror(-error)),
                  LOG_N("times", times));
    evict_elsewhere(lane);
    admit_set_tight(&lane->edge->admit, loop_now(lane->loop));
    if (error != -EUSERS)
        file_cache_clear(lane->files); /* its descriptors are for whoever needs them now */
    loop_io_remove(lane->loop, &l->io);
    loop_timer_set(lane->loop, &l->rest, REST_NS);
}

/* The last descriptors are not for clients: without one no file is opened and no body spooled, and no message of the supervisor's that
 * carries one arrives. The kernel gives the lowest number, so a high one means that few are left. */
static bool is_reserved(const struct listener *l, int fd)
{
    return l->lane->edge->fds_for_clients != 0 && (uint64_t)fd >= l->lane->edge->fds_for_clients;
}

/* A lower descriptor that has become free meanwhile. */
static void lower(struct conn_new *new)
{
    int fd = fcntl(new->fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return;
    close(fd < new->fd ? new->fd : fd);
    if (fd < new->fd)
        new->fd = fd;
}

/* ---- room ---- */

static bool somebody_waits(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) > 0;
}

/* At the limit somebody goes for each who comes: so it is asked first whether anybody does, as the last one may have come just now, or to another lane.
 * 0; -EAGAIN: nobody waits; -EUSERS: nobody of this lane may go. Who watches is let in when nobody else is. In a drain all who were let in by the
 * kernel are served. */
static int make_room(const struct listener *l)
{
    struct lane *lane = l->lane;

    if (l->watch || lane->draining || !admit_full(&lane->edge->admit))
        return 0;
    if (!somebody_waits(l->fd))
        return -EAGAIN;
    return evict_one(lane) ? 0 : -EUSERS;
}

/* Whether it helps when somebody goes. */
static bool is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

static bool let_in(struct lane *lane, struct conn_new *new)
{
    new->by_address = !new->watch && !snapshot_trusts(lane->snapshot, &new->peer);
    if (admit_enter(&lane->edge->admit, &new->peer, &new->by_address))
        return true;
    close(new->fd);
    listen_say_crowded(lane, &new->peer);
    return false;
}

/* Who waits at the door, else who waits in the kernel's queue. 0, or why nobody: see accept_some. */
static int next_client(struct listener *l, struct conn_new *new)
{
    socklen_t len;
    int error;

    if (l->door.fd >= 0) {
        *new = l->door;
        l->door.fd = -1;
        lower(new);
        return 0;
    }
    error = make_room(l);
    if (error != 0)
        return error;
    *new = (struct conn_new){ .tls = l->tls, .watch = l->watch };
    new->fd = sock_accept(l->fd, &new->peer, &len);
    return new->fd < 0 ? new->fd : 0;
}

/* At most `most` connections, and only until that time. 0, or the error that ended it (-EAGAIN: nobody waits; -EUSERS: as many as there may be). A client that was accepted is
 * not sent away for want of a descriptor: it may have said something, and would be reset. */
static int accept_some(struct listener *l, unsigned most, uint64_t until_ns)
{
    for (unsigned i = 0; i < most && (i == 0 || clock_mono_ns() < until_ns); i++) {
        struct conn_new new;
        int error = next_client(l, &new);

        if (error == -ECONNABORTED || error == -EINTR || error == -EPROTO)
            continue;
        if (error != 0)
            return error;
        if (is_reserved(l, new.fd) && !l->watch && !l->lane->draining && !evict_one(l->lane)) {
            l->door = new;
            return -EMFILE;
        }
        if (!let_in(l->lane, &new))
            continue;
        home_begin(l->lane, &new);
    }
    return 0;
}

static void listener_turn(struct listener *l)
{
    int error = accept_some(l, ACCEPT_BATCH, clock_mono_ns() + ACCEPT_NS);

    if (error != 0 && error != -EAGAIN && (l->door.fd >= 0 || !is_shortage(error) || !evict_one(l->lane)))
        listener_rest(l, error);
    /* else a descriptor is free at the end of this turn, and the next one begins with the listener */
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
    (void)events;
    listener_turn(CONTAINER_OF(io, struct listener, io));
}

static void listener_rested(struct loop_timer *timer)
{
    struct listener *l = CONTAINER_OF(timer, struct listener, rest);

    listener_watch(l);
    if (l->door.fd >= 0)
        listener_turn(l);
}

int listen_add(struct lane *lane, const struct edge_listener *from)
{
    struct listener *l = mem_zalloc(sizeof(*l));

    l->lane = lane;
    l->fd = from->fd;
    l->tls = from->kind == STATS_HTTPS;
    l->watch = from->kind == STATS_METRICS;
    l->door.fd = -1;
    l->io = (struct loop_io){ .fd = -1, .fn = listener_ready };
    loop_timer_init(&l->rest, listener_rested);
    list_push_back(&lane->listeners, &l->link);
    listener_watch(l);
    return 0;
}

static void listener_free(struct listener *l)
{
    list_remove(&l->link);
    loop_timer_stop(l->lane->loop, &l->rest);
    loop_io_remove(l->lane->loop, &l->io);
    if (l->door.fd >= 0)
        close(l->door.fd);
    mem_free(l);
}

void listen_drain(struct lane *lane, bool watch_too)
{
    LIST_EACH(link, &lane->listeners) {
        struct listener *l = CONTAINER_OF(link, struct listener, link);

        if (l->watch && !watch_too)
            continue;
        (void)!accept_some(l, DRAIN_BATCH, UINT64_MAX);
        listener_free(l);
    }
}

void listen_last_call(struct lane *lane, const struct edge_listener *from)
{
    struct listener l = { .lane = lane,
                          .fd = from->fd,
                          .tls = from->kind == STATS_HTTPS,
                          .watch = from->kind == STATS_METRICS,
                          .door = { .fd = -1 } };

    (void)!accept_some(&l, DRAIN_BATCH, UINT64_MAX);
}

void listen_stop(struct lane *lane)
{
    LIST_EACH(link, &lane->listeners)
        listener_free(CONTAINER_OF(link, struct listener, link));
}
