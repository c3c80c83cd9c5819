/*
 * The edge process: what the supervisor says, and what becomes of it.
 *
 * Lane 0 runs in the main thread and holds the supervisor's channel; every message is a row of `messages`, and most are a function of setup.c,
 * generations.c or leave.c.
 */
#include "edge/edge.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/generations.h"
#include "edge/lanes.h"
#include "edge/leave.h"
#include "edge/report.h"
#include "edge/setup.h"
#include "edge/shed.h"
#include "edge/spool.h"
#include "edge/status.h"
#include "wire/inherit.h"

/* ---- messages ---- */

static void hold_over(struct loop_timer *timer)
{
    struct edge *edge = CONTAINER_OF(timer, struct edge, hold_timer);

    hold_end(&edge->dispatch, loop_now(edge->lanes[0].loop));
}

static void on_hold(struct edge *edge, struct wire_message *m)
{
    struct loop *loop = edge->lanes[0].loop;

    if (m->number == 0) {
        loop_timer_stop(loop, &edge->hold_timer);
        hold_over(&edge->hold_timer);
        return;
    }
    hold_begin(&edge->dispatch, loop_now(loop), m->number, m->generation);
    loop_timer_set(loop, &edge->hold_timer, m->number);
    report_idle(edge);
}

static void on_ping(struct edge *edge, struct wire_message *m)
{
    ping_lanes(edge, m->number);
}

static void on_status_ask(struct edge *edge, struct wire_message *m)
{
    struct wire_message answer = { .type = WIRE_STATUS, .number = m->number };
    struct buf b;

    buf_init(&b, WIRE_TEXT_MAX);
    if (status_write(edge, &b) != 0)
        buf_clear(&b);
    answer.text = buf_str(&b);
    channel_send(&edge->super, &answer);
    buf_fini(&b);
}

static void (*const messages[WIRE_COUNT])(struct edge *edge, struct wire_message *m) = {
    [WIRE_CONF] = setup_conf,
    [WIRE_LOGS] = setup_logs,
    [WIRE_LISTENER] = setup_listener,
    [WIRE_ROOT] = setup_root,
    [WIRE_SECRET] = setup_secret,
    [WIRE_TLS] = setup_tls,
    [WIRE_TICKETS] = setup_tickets,
    [WIRE_START] = setup_start,
    [WIRE_POOL_OPEN] = generations_open,
    [WIRE_POOL_ADOPT] = generations_adopt,
    [WIRE_WORKER_JOIN] = generations_join,
    [WIRE_WORKER_GONE] = generations_gone,
    [WIRE_SWITCH] = generations_switch,
    [WIRE_POOL_CLOSE] = generations_close,
    [WIRE_HOLD] = on_hold,
    [WIRE_UNREADY] = leave_unready,
    [WIRE_DRAIN] = leave_drain,
    [WIRE_STATUS_ASK] = on_status_ask,
    [WIRE_PING] = on_ping,
};

static struct edge *edge_of(struct channel *channel)
{
    return channel->owner;
}

static void on_message(struct channel *channel, struct wire_message *m)
{
    if (messages[m->type] != NULL)
        messages[m->type](edge_of(channel), m);
}

static void stop(struct lane *lane, void *arg)
{
    (void)arg;
    lane_stop(lane);
}

/* The supervisor has closed: it is gone, or wants us gone. */
static void on_close(struct channel *channel, int error)
{
    (void)error;
    lanes_each(edge_of(channel), stop, NULL);
}

static const struct channel_handlers handlers = { .on_message = on_message, .on_close = on_close };

/* ---- the process ---- */

static void nothing(int signal)
{
    (void)signal;
}

/* The supervisor says when to end. Handlers instead of SIG_IGN: nothing is inherited by anybody, and EINTR is harmless here. */
static void quiet_signals(void)
{
    static const int ignored[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };
    struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        (void)sigaction(ignored[i], &action, NULL);
}

static void edge_fini(struct edge *edge)
{
    for (uint32_t i = 1; i < edge->n_lanes; i++)
        pthread_join(edge->lanes[i].thread, NULL);
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        lane_drop_jobs(&edge->lanes[i]); /* before those go that others own */
    credentials_fini(&edge->credentials);
    loop_timer_stop(edge->lanes[0].loop, &edge->overdue.timer);
    channel_fini(&edge->super);
    while (!list_empty(&edge->dispatch.generations))
        pools_close(&edge->dispatch, CONTAINER_OF(edge->dispatch.generations.next, struct generation, link));
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        lane_fini(&edge->lanes[i]);
    spool_settle();
    dispatch_fini(&edge->dispatch);
    admit_fini(&edge->admit);
    snapshot_unref(edge->snapshot);
    snapshot_unref(edge->building);
    tls_ctx_unref(edge->tls);
    tls_tickets_unref(edge->tickets);
    sink_free(edge->access_sink);
    edge->log.sink = NULL;
    sink_free(edge->error_sink);
}

int edge_main(int argc, char **argv)
{
    struct edge *edge = mem_zalloc(sizeof(*edge));

    (void)argc;
    (void)argv;
    quiet_signals();
    edge->log = (struct log){ .level = LOG_INFO, .process = "edge" };
    edge->started_ns = clock_mono_ns();
    setup_descriptors(edge);
    shed_init();
    dispatch_init(&edge->dispatch, edge);
    overdue_init(edge);
    edge->tickets = tls_tickets_new();
    admit_init(&edge->admit);
    credentials_init(&edge->credentials);
    loop_timer_init(&edge->hold_timer, hold_over);
    edge->dispatch.queue_max = 1024;
    edge->n_lanes = 1;
    if (lane_init(&edge->lanes[0], edge, 0) != 0 ||
        channel_init(&edge->super, edge->lanes[0].loop, INHERIT_SUPERVISOR, "SE", &handlers) != 0) {
        (void)!write(2, "edge: cannot start: the supervisor's channel is missing\n", 56);
        return 1;
    }
    edge->super.owner = edge;
    lane_run(&edge->lanes[0]);
    edge_fini(edge);
    mem_reserve_drop();
    mem_free(edge);
    return 0;
}
