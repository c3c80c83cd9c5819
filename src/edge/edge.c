/*
 * The edge process: what the supervisor says, and the lanes' threads.
 *
 * Lane 0 runs in the main thread and holds the supervisor's channel; every message is a row of `messages`. What concerns all lanes is posted to each.
 */
#include "edge/edge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/handler/handlers.h"
#include "edge/listen.h"
#include "edge/shed.h"
#include "edge/status.h"
#include "os/event.h"
#include "os/proc.h"
#include "wire/inherit.h"
#include "wire/tls_blob.h"

#define CONF_BLOB_MAX (1u << 20)
#define RESERVED_FDS 64 /* for files, spools and messages */
#define SPARE_FDS 16    /* for ourselves: what later generations bring, beside a channel for each worker */
#define FEWEST 16       /* connections that there may be in any case */

static struct edge *edge_of(struct channel *channel)
{
    return channel->owner;
}

/* ---- to every lane ---- */

struct everywhere {
    struct lane_job job;
    void (*fn)(struct lane *lane, void *arg);
    void *arg;
};

static void run_everywhere(struct lane *lane, struct lane_job *job)
{
    struct everywhere *e = CONTAINER_OF(job, struct everywhere, job);

    e->fn(lane, e->arg);
    mem_free(e);
}

/* fn runs in each lane's thread; in lane 0's at once. */
static void every_lane(struct edge *edge, void (*fn)(struct lane *lane, void *arg), void *arg)
{
    for (uint32_t i = 1; i < edge->n_lanes; i++) {
        struct everywhere *e = mem_zalloc(sizeof(*e));

        e->fn = fn;
        e->arg = arg;
        e->job.fn = run_everywhere;
        lane_post(&edge->lanes[i], &e->job);
    }
    fn(&edge->lanes[0], arg);
}

/* ---- to the supervisor, from any lane ---- */

struct report {
    struct lane_job job;
    struct wire_message message;
    char text[600];
};

static void send_report(struct lane *lane, struct lane_job *job)
{
    struct report *r = CONTAINER_OF(job, struct report, job);

    channel_send(&lane->edge->super, &r->message);
    mem_free(r);
}

static uint32_t age_ms(const struct dispatch_run *run)
{
    uint64_t now = clock_mono_ns(), ms = now > run->since_ns ? (now - run->since_ns) / NS_PER_MS : 0;

    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

void edge_report(struct edge *edge, enum wire_type type, const struct dispatch_run *run, struct str what)
{
    struct report *r = mem_zalloc(sizeof(*r));
    size_t n = what.n < sizeof(r->text) ? what.n : sizeof(r->text);

    memcpy(r->text, what.p, n);
    r->message = (struct wire_message){ .type = type, .worker = run->worker, .text = { r->text, n } };
    r->message.generation = run->generation;
    r->message.pid = run->pid;
    if (type == WIRE_WORKER_STUCK)
        r->message.number = (uint64_t)run->thread << 32 | age_ms(run);
    r->job.fn = send_report;
    lane_post(&edge->lanes[0], &r->job);
}

#define WATCHED_EVERY_NS (10 * NS_PER_SEC)

const char *edge_unready_why(const struct edge *edge)
{
    if (atomic_load_explicit(&edge->unready, memory_order_relaxed))
        return "the server is stopping";
    return edge->phase == EDGE_SERVING && edge->dispatch.active != NULL ? NULL : "no generation serves yet";
}

void edge_watched(struct lane *lane)
{
    struct edge *edge = lane->edge;
    unsigned long long now = loop_now(lane->loop), told = atomic_load(&edge->watched_ns);

    if (told != 0 && now - told < WATCHED_EVERY_NS)
        return;
    if (atomic_compare_exchange_strong(&edge->watched_ns, &told, now))
        edge_report(edge, WIRE_WATCHED, &(struct dispatch_run){ 0 }, STR(""));
}

static void tell_idle(void *arg, struct generation *g)
{
    struct edge *edge = arg;

    channel_tell(&edge->super, WIRE_POOL_IDLE, g->number, 0);
}

static void check_idle(struct lane *lane, struct lane_job *job)
{
    struct edge *edge = lane->edge;
    uint32_t number;

    (void)job;
    atomic_store(&edge->idle_posted, false);
    pools_each_idle(&edge->dispatch, tell_idle, edge);
    if (hold_quiet(&edge->dispatch, &number))
        channel_tell(&edge->super, WIRE_HELD, number, 0);
}

void edge_check_idle(struct edge *edge)
{
    if (atomic_exchange(&edge->idle_posted, true))
        return;
    edge->idle_job.fn = check_idle;
    lane_post(&edge->lanes[0], &edge->idle_job);
}

void edge_wake_lanes(struct edge *edge)
{
    for (uint32_t i = 0; edge->n_lanes > 1 && i < edge->n_lanes; i++)
        loop_wake(edge->lanes[i].loop);
}

static void all_drained(struct lane *lane, struct lane_job *job)
{
    (void)job;
    channel_tell(&lane->edge->super, WIRE_DRAINED, 0, 0);
}

void edge_lane_drained(struct edge *edge)
{
    if (atomic_fetch_add(&edge->drained_lanes, 1) + 1 < edge->n_lanes)
        return;
    edge->drained_job.fn = all_drained;
    lane_post(&edge->lanes[0], &edge->drained_job);
}

/* ---- configuration ---- */

static void on_conf(struct edge *edge, struct wire_message *m)
{
    struct str text;
    int error = wire_blob_read(m->fds[0], CONF_BLOB_MAX, &text);

    snapshot_unref(edge->building);
    edge->building = NULL;
    if (error == 0) {
        error = snapshot_new(text, &edge->building);
        mem_free((void *)text.p);
    }
    if (error != 0)
        log_event(&edge->log, LOG_ALERT, "the supervisor's configuration cannot be read", LOG_N("error", error));
}

static void on_logs(struct edge *edge, struct wire_message *m)
{
    struct sink *access;

    if (edge->error_sink != NULL)
        sink_reopen(edge->error_sink, m->fds[0]);
    else if (sink_new(m->fds[0], &edge->error_sink) == 0) {
        edge->log.sink_arg = edge->error_sink;
        edge->log.sink = sink_log;
    }
    m->fds[0] = -1;
    if (m->n_fds < 2)
        return;
    if (edge->access_sink != NULL)
        sink_reopen(edge->access_sink, m->fds[1]);
    else if (sink_new(m->fds[1], &access) == 0)
        edge->access_sink = access;
    else
        return;
    m->fds[1] = -1;
}

static void on_listener(struct edge *edge, struct wire_message *m)
{
    if (edge->n_listeners == EDGE_LISTENERS_MAX || m->number >= STATS_LISTENERS)
        return;
    edge->listeners[edge->n_listeners++] =
        (struct edge_listener){ .fd = m->fds[0], .kind = (enum stats_listener)m->number };
    edge->watch_late = m->generation != 0;
    m->fds[0] = -1;
}

static void on_root(struct edge *edge, struct wire_message *m)
{
    struct str prefix = m->text, kind = str_split(&prefix, ' ');
    int dir = m->fds[0];

    if (edge->building == NULL || prefix.n == 0)
        return;
    m->fds[0] = -1;
    if (snapshot_add_root(edge->building, prefix, str_eq(kind, STR("media")), dir) != 0)
        log_event(&edge->log, LOG_ALERT, "too many static and media directories", LOG_S("prefix", prefix));
}

static void on_tls(struct edge *edge, struct wire_message *m)
{
    struct tls_blob_pair *blob_pairs = mem_calloc(TLS_BLOB_PAIRS_MAX, sizeof(*blob_pairs));
    struct tls_pair *pairs = mem_calloc(TLS_BLOB_PAIRS_MAX, sizeof(*pairs));
    unsigned char ticket_key[TLS_BLOB_TICKET_KEY];
    char why[TLS_ERROR_MAX] = "";
    struct tls_ctx *ctx = NULL;
    struct str blob = { NULL, 0 };
    size_t n = 0;
    int error = wire_blob_read(m->fds[0], TLS_BLOB_MAX, &blob);

    if (error == 0)
        error = tls_blob_read(blob, ticket_key, blob_pairs, &n);
    for (size_t i = 0; error == 0 && i < n; i++)
        pairs[i] = (struct tls_pair){ blob_pairs[i].cert_pem, blob_pairs[i].key_pem, blob_pairs[i].label };
    if (error == 0)
        error = tls_ctx_new(pairs, n, ticket_key, &ctx, why);
    if (blob.p != NULL)
        mem_wipe((void *)blob.p, blob.n);
    mem_wipe(ticket_key, sizeof(ticket_key));
    mem_free((void *)blob.p);
    mem_free(blob_pairs);
    mem_free(pairs);
    if (error != 0) {
        log_event(&edge->log, LOG_ERROR, "the certificates cannot be used", LOG_Z("reason", why));
        return;
    }
    tls_ctx_unref(edge->tls);
    edge->tls = ctx;
}

/* ---- start ---- */

static void lane_adopt_snapshot(struct lane *lane, void *arg)
{
    struct snapshot *s = arg;

    lane_set_snapshot(lane, s);
    snapshot_unref(s);
}

static void tell_ready(struct lane *lane, struct lane_job *job)
{
    (void)job;
    channel_tell(&lane->edge->super, WIRE_READY, 0, 0);
}

/* The listeners for clients, or that of metrics, which is lane 0's alone: who watches is no load. */
static void listen_to(struct lane *lane, bool metrics)
{
    struct edge *edge = lane->edge;

    for (uint32_t i = 0; i < edge->n_listeners; i++) {
        if ((edge->listeners[i].kind == STATS_METRICS) != metrics)
            continue;
        if (listen_add(lane, &edge->listeners[i]) != 0)
            log_event(&edge->log, LOG_ALERT, "cannot listen", LOG_N("descriptor", edge->listeners[i].fd));
    }
}

/* From the first pool on, whose workers may take long to boot: alive, but not ready. */
static void watch_early(struct edge *edge)
{
    if (edge->watching || edge->watch_late || edge->building == NULL)
        return;
    edge->watching = true;
    lane_set_snapshot(&edge->lanes[0], edge->building);
    listen_to(&edge->lanes[0], true);
}

/* The last lane that listens makes the edge ready. */
static void lane_listen(struct lane *lane, void *arg)
{
    struct edge *edge = arg;

    listen_to(lane, false);
    if (lane->index == 0 && !edge->watching)
        listen_to(lane, true);
    if (atomic_fetch_add(&edge->listening_lanes, 1) + 1 < edge->n_lanes)
        return;
    edge->ready_job.fn = tell_ready;
    lane_post(&edge->lanes[0], &edge->ready_job);
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;

    lane_run(lane);
    return NULL;
}

/* One thread for two cores, at most POOL_LANES_MAX: the rest of the machine belongs to Python. */
static uint32_t lanes_by_rule(const struct conf *conf)
{
    uint64_t n = conf->edge_threads != 0 ? conf->edge_threads : proc_cores() / 2;

    return n < 1 ? 1 : n > POOL_LANES_MAX ? POOL_LANES_MAX : (uint32_t)n;
}

static void start_lanes(struct edge *edge, uint32_t n)
{
    while (edge->n_lanes < n) {
        struct lane *lane = &edge->lanes[edge->n_lanes];

        if (lane_init(lane, edge, edge->n_lanes) != 0 || pthread_create(&lane->thread, NULL, lane_main, lane) != 0)
            must_fail("cannot start an edge thread", __FILE__, __LINE__, __func__);
        edge->n_lanes++;
    }
}

/* Before the first pool is made, as their number is part of its geometry, and before anybody listens. */
static void ensure_lanes(struct edge *edge)
{
    const struct snapshot *s = edge->building != NULL ? edge->building : edge->snapshot;

    if (edge->n_lanes == 1 && s != NULL)
        start_lanes(edge, lanes_by_rule(s->conf));
}

/* By default what descriptors and memory allow. What is open for clients at a reload is not in use for ourselves. */
static void limit_connections(struct edge *edge, const struct conf *conf)
{
    uint64_t fds = edge->fds_for_clients == 0 ? UINT32_MAX : edge->fds_for_clients, used = proc_count_fds();
    uint64_t clients = atomic_load(&edge->admit.open), max = conf->limit_connections;

    used = (used > clients ? used - clients : 0) + SPARE_FDS + 2 * (conf->workers != 0 ? conf->workers : proc_cores());
    fds = fds > used + FEWEST ? fds - used : FEWEST;
    if (max == 0)
        max = admit_rule(fds, proc_memory());
    if (max > fds)
        max = fds; /* those beyond would have to be closed as soon as they come */
    admit_limit(&edge->admit, (uint32_t)max, (uint32_t)conf->limit_connections_per_address);
}

/* The parts of a configuration that are the process's, not a request's. */
static void apply(struct edge *edge, struct snapshot *s)
{
    enum log_level level;

    if (s->conf->log_level != NULL && log_level_parse(str_of(s->conf->log_level), &level) == 0)
        edge->log.level = level;
    edge->log.format = s->conf->log_format == CONF_LOG_JSON ? LOG_JSON : LOG_TEXT;
    edge->access_json = s->conf->log_format == CONF_LOG_JSON;
    dispatch_limit(&edge->dispatch, (uint32_t)s->conf->queue_size, s->conf->queue_timeout);
    limit_connections(edge, s->conf);
}

static void on_first_start(struct edge *edge)
{
    edge->phase = EDGE_SERVING;
    every_lane(edge, lane_listen, edge);
}

static void on_start(struct edge *edge, struct wire_message *m)
{
    struct snapshot *s = edge->building;

    (void)m;
    if (s == NULL) {
        log_event(&edge->log, LOG_ALERT, "START without a configuration");
        return;
    }
    ensure_lanes(edge);
    edge->building = NULL;
    s->tls = edge->tls != NULL ? tls_ctx_ref(edge->tls) : NULL;
    apply(edge, s);
    snapshot_unref(edge->snapshot);
    edge->snapshot = s;
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        (void)snapshot_ref(s); /* each lane gives its own back */
    every_lane(edge, lane_adopt_snapshot, s);
    if (edge->phase == EDGE_CONFIGURING)
        on_first_start(edge);
}

/* ---- generations ---- */

static void lane_add(struct lane *lane, void *arg)
{
    struct generation *g = arg;

    if (lane_add_pool(lane, g) != 0)
        log_event(&lane->edge->log, LOG_ALERT, "cannot watch a pool", LOG_N("generation", g->number));
    pools_unref(&lane->edge->dispatch, g);
}

static void lane_drop(struct lane *lane, void *arg)
{
    lane_drop_pool(lane, arg);
}

static struct generation *open_generation(struct edge *edge, uint32_t number, const struct pool_fds *fds)
{
    struct generation *g;
    int error = pools_open(&edge->dispatch, number, fds, &g);

    if (error != 0) {
        log_event(&edge->log, LOG_ALERT, "cannot open a pool", LOG_N("generation", number), LOG_N("error", error));
        return NULL;
    }
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        pools_ref(&edge->dispatch, g); /* each lane gives it back once it has its own */
    every_lane(edge, lane_add, g);
    return g;
}

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* A pool's memfd and one eventfd a lane. Their number, or -errno. */
static int make_pool_fds(const struct pool_geometry *geometry, int fds[WIRE_FDS_MAX])
{
    int n = 0;

    fds[n] = pool_create(geometry);
    while (fds[n] >= 0) {
        if (n++ == (int)geometry->lanes)
            return n;
        fds[n] = event_new();
    }
    close_all(fds, (size_t)n);
    return fds[n];
}

static void on_pool_open(struct edge *edge, struct wire_message *m)
{
    struct wire_message answer = { .type = WIRE_POOL, .generation = m->generation };
    struct pool_geometry geometry = { .workers = (uint32_t)(m->number >> 32), .threads = (uint32_t)m->number };
    struct pool_fds fds;
    int n;

    ensure_lanes(edge);
    watch_early(edge);
    geometry.lanes = edge->n_lanes;
    geometry.slots = pool_geometry_slots(geometry.workers, geometry.threads);
    n = make_pool_fds(&geometry, answer.fds);
    if (n < 0) {
        log_event(&edge->log, LOG_ALERT, "cannot make a pool", LOG_Z("error", strerror(-n)));
        return;
    }
    answer.n_fds = (size_t)n;
    channel_send(&edge->super, &answer);
    fds = (struct pool_fds){ .memfd = answer.fds[0], .eventfds = answer.fds + 1, .lanes = geometry.lanes };
    (void)open_generation(edge, m->generation, &fds);
}

static void on_pool_adopt(struct edge *edge, struct wire_message *m)
{
    struct pool_fds fds = { .memfd = m->fds[0], .eventfds = m->fds + 1, .lanes = (uint32_t)m->n_fds - 1 };

    ensure_lanes(edge);
    if (fds.lanes != edge->n_lanes) {
        log_event(&edge->log, LOG_ALERT, "an inherited pool has another number of lanes", LOG_N("lanes", fds.lanes));
        return;
    }
    (void)open_generation(edge, m->generation, &fds);
    m->n_fds = 0; /* taken over */
}

static void lane_settle(struct lane *lane, void *arg)
{
    app_settle_lost(lane, arg);
    pools_unref(&lane->edge->dispatch, arg);
}

static void settle_everywhere(struct edge *edge, struct generation *g)
{
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        pools_ref(&edge->dispatch, g);
    every_lane(edge, lane_settle, g);
}

static void on_worker_join(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);
    int channel = m->fds[0];

    if (g == NULL || m->worker >= g->geometry.workers)
        return;
    m->fds[0] = -1;
    if (pools_worker_joined(&edge->dispatch, g, m->worker, m->pid, channel))
        settle_everywhere(edge, g);
}

static void on_worker_gone(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);

    if (g == NULL || m->worker >= g->geometry.workers)
        return;
    stats_add(&edge->lanes[0].stats.worker_ends, 1);
    pools_worker_gone(&edge->dispatch, g, m->worker);
    settle_everywhere(edge, g);
}

static void on_switch(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);

    if (g != NULL)
        pools_switch(&edge->dispatch, g);
}

static void on_pool_close(struct edge *edge, struct wire_message *m)
{
    struct generation *g = pools_find(&edge->dispatch, m->generation);

    if (g == NULL)
        return;
    pools_abandon(&edge->dispatch, g);
    every_lane(edge, lane_drop, g);
    pools_close(&edge->dispatch, g);
}

/* ---- pauses ---- */

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
    edge_check_idle(edge);
}

/* ---- the end ---- */

/* The listeners are closed by the lane that is the last to have taken them out of its loop. */
static void lane_drain_arg(struct lane *lane, void *arg)
{
    struct edge *edge = arg;

    lane_drain(lane, edge->handed_over);
    if (atomic_fetch_add(&edge->deaf_lanes, 1) + 1 < edge->n_lanes)
        return;
    for (uint32_t i = 0; i < edge->n_listeners; i++) {
        if (edge->listeners[i].kind != STATS_METRICS || edge->handed_over)
            close(edge->listeners[i].fd);
    }
}

static void on_unready(struct edge *edge, struct wire_message *m)
{
    (void)m;
    atomic_store(&edge->unready, true);
}

static void on_drain(struct edge *edge, struct wire_message *m)
{
    on_unready(edge, m);
    if (edge->phase == EDGE_DRAINING)
        return;
    edge->phase = EDGE_DRAINING;
    edge->handed_over = m->number == 1;
    every_lane(edge, lane_drain_arg, edge);
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

/* ---- messages ---- */

static void (*const messages[WIRE_COUNT])(struct edge *edge, struct wire_message *m) = {
    [WIRE_CONF] = on_conf,
    [WIRE_LOGS] = on_logs,
    [WIRE_LISTENER] = on_listener,
    [WIRE_ROOT] = on_root,
    [WIRE_TLS] = on_tls,
    [WIRE_START] = on_start,
    [WIRE_POOL_OPEN] = on_pool_open,
    [WIRE_POOL_ADOPT] = on_pool_adopt,
    [WIRE_WORKER_JOIN] = on_worker_join,
    [WIRE_WORKER_GONE] = on_worker_gone,
    [WIRE_SWITCH] = on_switch,
    [WIRE_POOL_CLOSE] = on_pool_close,
    [WIRE_HOLD] = on_hold,
    [WIRE_UNREADY] = on_unready,
    [WIRE_DRAIN] = on_drain,
    [WIRE_STATUS_ASK] = on_status_ask,
    [WIRE_PING] = on_ping,
};

static void on_message(struct channel *channel, struct wire_message *m)
{
    if (messages[m->type] != NULL)
        messages[m->type](edge_of(channel), m);
}

static void lane_stop_arg(struct lane *lane, void *arg)
{
    (void)arg;
    lane_stop(lane);
}

/* The supervisor has closed: it is gone, or wants us gone. */
static void on_close(struct channel *channel, int error)
{
    (void)error;
    every_lane(edge_of(channel), lane_stop_arg, NULL);
}

static const struct channel_handlers handlers = { .on_message = on_message, .on_close = on_close };

static void nothing(int signal)
{
    (void)signal;
}

/* As many descriptors as we may have, but for a reserve. */
static void count_descriptors(struct edge *edge)
{
    struct rlimit limit;
    rlim_t reserve;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    reserve = limit.rlim_cur / 4 < RESERVED_FDS ? limit.rlim_cur / 4 : RESERVED_FDS;
    edge->fds_for_clients = limit.rlim_cur - reserve;
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
    loop_timer_stop(edge->lanes[0].loop, &edge->overdue.timer);
    channel_fini(&edge->super);
    while (!list_empty(&edge->dispatch.generations))
        pools_close(&edge->dispatch, CONTAINER_OF(edge->dispatch.generations.next, struct generation, link));
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        lane_fini(&edge->lanes[i]);
    dispatch_fini(&edge->dispatch);
    admit_fini(&edge->admit);
    snapshot_unref(edge->snapshot);
    snapshot_unref(edge->building);
    tls_ctx_unref(edge->tls);
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
    count_descriptors(edge);
    shed_init();
    dispatch_init(&edge->dispatch, edge);
    overdue_init(edge);
    admit_init(&edge->admit);
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
