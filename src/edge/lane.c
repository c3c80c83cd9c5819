/* One edge thread: loop, connections, pools, jobs from other threads. */
#include "edge/lane.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/conn.h"
#include "edge/edge_process.h"
#include "edge/encoders.h"
#include "edge/file_cache.h"
#include "edge/h1.h"
#include "edge/h1_store.h"
#include "edge/h2.h"
#include "edge/handler/handlers.h"
#include "edge/hints.h"
#include "edge/leave.h"
#include "edge/listen.h"
#include "pool/wake.h"

#define CONNS_PER_CHUNK 64
#define H2_MEMORY_KEPT (256u << 10) /* of some 250 streams: what 16 busy connections have open */

/* ---- pools ---- */

static void on_attention(void *arg, uint32_t slot)
{
    struct lane_pool *lp = arg;

    app_attention(lp->lane, lp->generation, slot);
}

static void take_attention(struct lane *lane)
{
    uint32_t n = 0;

    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        struct lane_pool *lp = &lane->pools[i];

        if (lp->generation != NULL)
            n += pool_lane_take(lp->generation->pool, lane->index, on_attention, lp);
    }
    nap_completions(&lane->nap, n);
    if (n > 0)
        dispatch_pace(&lane->edge->dispatch, lane->nap.gap_ns);
}

/* Handed over and not taken: every worker is busy, and these are next. */
static uint32_t waiting(const struct lane *lane)
{
    uint32_t n = 0;

    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        const struct generation *g = lane->pools[i].generation;

        if (g != NULL && !g->retired)
            n += pool_waiting(g->pool);
    }
    return n;
}

/* Asks the workers to signal. False: there is news already. */
static bool ask_to_be_woken(struct lane *lane)
{
    bool quiet = true;

    lane->slept = true;
    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        struct generation *g = lane->pools[i].generation;

        /* A request of ours that waits may be handed over by another lane, and an orphan of ours may end, while we sleep. */
        if (g != NULL && (lane->pending > 0 || atomic_load_explicit(&g->used, memory_order_relaxed) > 0))
            quiet = pool_lane_sleep(g->pool, lane->index) && quiet;
    }
    return quiet;
}

/* A worker that runs out of work will signal that, and only that. */
static void nap(struct lane *lane)
{
    lane->slept = true;
    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        if (lane->pools[i].generation != NULL)
            pool_lane_nap(lane->pools[i].generation->pool, lane->index);
    }
    loop_sleep_for_few(lane->loop);
}

static uint64_t before_wait(void *arg)
{
    struct lane *lane = arg;
    uint64_t ns = 0;

    take_attention(lane);
    dispatch_wake(&lane->edge->dispatch);
    if (nap_is_calm(&lane->nap, loop_found(lane->loop)) && lane->pending > 0)
        ns = nap_length(&lane->nap, waiting(lane));
    if (ns > 0)
        nap(lane);
    else
        ns = ask_to_be_woken(lane) ? UINT64_MAX : 0;
    return ns;
}

static void run_jobs(struct lane *lane)
{
    struct list jobs, *link;

    if (!atomic_exchange_explicit(&lane->jobs_any, false, memory_order_acq_rel))
        return;
    list_init(&jobs);
    pthread_mutex_lock(&lane->jobs_lock);
    while ((link = list_pop_front(&lane->jobs)) != NULL)
        list_push_back(&jobs, link);
    pthread_mutex_unlock(&lane->jobs_lock);
    while ((link = list_pop_front(&jobs)) != NULL) {
        struct lane_job *job = CONTAINER_OF(link, struct lane_job, link);

        if (lane->stopped && job->drop != NULL)
            job->drop(lane, job);
        else
            job->fn(lane, job);
    }
}

static void after_wait(void *arg)
{
    struct lane *lane = arg;

    if (lane->slept) {
        lane->slept = false;
        for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
            if (lane->pools[i].generation != NULL)
                pool_lane_woken(lane->pools[i].generation->pool, lane->index);
        }
    }
    run_jobs(lane);
    take_attention(lane);
}

static void on_eventfd(struct loop_io *io, uint32_t events)
{
    (void)events; /* edge-triggered: never read; the bits say it all and are taken in after_wait */
    nap_expect(&CONTAINER_OF(io, struct lane_pool, io)->lane->nap);
}

int lane_add_pool(struct lane *lane, struct generation *g)
{
    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        struct lane_pool *lp = &lane->pools[i];
        int error;

        if (lp->generation != NULL)
            continue;
        lp->io = (struct loop_io){ .fd = -1, .fn = on_eventfd };
        error = loop_io_add(lane->loop, &lp->io, g->eventfd[lane->index], EPOLLIN | EPOLLET);
        if (error == 0)
            error = loop_few_add(lane->loop, g->eventfd[lane->index]);
        if (error != 0) {
            loop_io_remove(lane->loop, &lp->io);
            return error;
        }
        pools_ref(&lane->edge->dispatch, g);
        lp->lane = lane;
        lp->generation = g;
        return 0;
    }
    return -ENOSPC;
}

void lane_drop_pool(struct lane *lane, struct generation *g)
{
    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        struct lane_pool *lp = &lane->pools[i];

        if (lp->generation != g)
            continue;
        app_settle_lost(lane, g);
        loop_few_remove(lane->loop, lp->io.fd);
        loop_io_remove(lane->loop, &lp->io);
        lp->generation = NULL;
        pools_unref(&lane->edge->dispatch, g);
    }
}

/* ---- jobs ---- */

void lane_post(struct lane *lane, struct lane_job *job)
{
    pthread_mutex_lock(&lane->jobs_lock);
    list_push_back(&lane->jobs, &job->link);
    pthread_mutex_unlock(&lane->jobs_lock);
    atomic_store_explicit(&lane->jobs_any, true, memory_order_release);
    loop_wake(lane->loop);
}

/* ---- life ---- */

int lane_init(struct lane *lane, struct edge *edge, uint32_t index)
{
    struct loop_hooks hooks = { .before_wait = before_wait, .after_wait = after_wait, .arg = lane };
    int error;

    memset(lane, 0, sizeof(*lane));
    lane->edge = edge;
    lane->index = index;
    error = loop_new(&lane->loop);
    if (error != 0)
        return error;
    loop_set_hooks(lane->loop, &hooks);
    slab_init(&lane->conns, sizeof(struct conn), CONNS_PER_CHUNK, 0);
    bins_init(&lane->h2_memory, H2_MEMORY_KEPT);
    buf_init(&lane->h2_out, H2_OUT_MAX);
    list_init(&lane->spare_h1);
    list_init(&lane->spare_h2);
    list_init(&lane->open);
    for (size_t i = 0; i < EVICT_RANKS; i++)
        list_init(&lane->ranks[i]);
    list_init(&lane->listeners);
    list_init(&lane->jobs);
    pthread_mutex_init(&lane->jobs_lock, NULL);
    buf_init(&lane->line, LANE_LINE_MAX);
    must(buf_reserve(&lane->line, LANE_LINE_MAX) == 0); /* now, so that logging needs no memory later */
    lane->scratch = mem_alloc(LANE_SCRATCH);
    lane->files = file_cache_new(lane);
    lane->hints = hints_new();
    lane->encoders = encoders_new(lane->loop);
    return 0;
}

void lane_drop_jobs(struct lane *lane)
{
    struct list *link;

    while ((link = list_pop_front(&lane->jobs)) != NULL) {
        struct lane_job *job = CONTAINER_OF(link, struct lane_job, link);

        if (job->drop != NULL)
            job->drop(lane, job);
    }
}

void lane_fini(struct lane *lane)
{
    listen_stop(lane);
    file_cache_free(lane->files);
    hints_free(lane->hints);
    encoders_free(lane->encoders);
    h1_fini_spare(lane);
    h2_stream_fini_spare(lane);
    slab_fini(&lane->conns);
    bins_fini(&lane->h2_memory);
    buf_fini(&lane->h2_out);
    snapshot_unref(lane->snapshot);
    buf_fini(&lane->line);
    mem_free(lane->scratch);
    pthread_mutex_destroy(&lane->jobs_lock);
    loop_free(lane->loop);
}

void lane_run(struct lane *lane)
{
    loop_run(lane->loop);
}

void lane_stop(struct lane *lane)
{
    lane->stopped = true;
    listen_stop(lane); /* first: nothing is accepted any more, not even by events of this turn */
    LIST_EACH(link, &lane->open)
        conn_close(CONTAINER_OF(link, struct conn, link));
    for (size_t i = 0; i < LANE_POOLS_MAX; i++) {
        if (lane->pools[i].generation != NULL)
            lane_drop_pool(lane, lane->pools[i].generation);
    }
    loop_stop(lane->loop);
}

void lane_set_snapshot(struct lane *lane, struct snapshot *snapshot)
{
    struct snapshot *old = lane->snapshot;

    lane->snapshot = snapshot_ref(snapshot);
    snapshot_unref(old);
    file_cache_clear(lane->files);
}

/* Connections of --metrics-bind: they last to the end. */
static unsigned watchers(const struct lane *lane)
{
    unsigned long long ended = stats_get(&lane->stats.ended[STATS_METRICS]); /* first: never more than accepted */

    return (unsigned)(stats_get(&lane->stats.accepted[STATS_METRICS]) - ended);
}

/* In the whole process: one that another lane has accepted may be on its way to this one. */
static bool all_gone(const struct edge *edge)
{
    unsigned stay = 0;

    for (uint32_t i = 0; i < edge->n_lanes; i++)
        stay += watchers(&edge->lanes[i]);
    return atomic_load(&edge->admit.open) <= stay;
}

static void drain_look(struct loop_timer *timer)
{
    struct lane *lane = CONTAINER_OF(timer, struct lane, drain_timer);

    if (atomic_load(&lane->edge->closed) && all_gone(lane->edge))
        leave_lane_drained(lane->edge);
    else
        loop_timer_set(lane->loop, timer, 10 * NS_PER_MS);
}

void lane_drain(struct lane *lane, bool watch_too)
{
    lane->draining = true;
    listen_drain(lane, watch_too);
    LIST_EACH(link, &lane->open) {
        struct conn *c = CONTAINER_OF(link, struct conn, link);

        if (c->h2 != NULL)
            h2_leave(c->h2);
        else if (h1_awaits_request(c))
            conn_touch(c); /* it has the shorter time of a drain */
    }
    loop_timer_init(&lane->drain_timer, drain_look);
    loop_timer_set(lane->loop, &lane->drain_timer, NS_PER_MS);
}

struct str lane_date(struct lane *lane)
{
    uint64_t now = loop_now(lane->loop) / NS_PER_SEC;

    if (now != lane->date_second) {
        lane->date_second = now;
        http_date_write((int64_t)(clock_wall_ns() / NS_PER_SEC), lane->date);
    }
    return str_make(lane->date, HTTP_DATE_LEN);
}

uint64_t lane_wall(struct lane *lane, uint64_t mono_ns)
{
    if (loop_now(lane->loop) != lane->wall_turn) {
        lane->wall_turn = loop_now(lane->loop);
        lane->wall_ahead = clock_wall_ns() - mono_ns;
    }
    return mono_ns + lane->wall_ahead;
}

void lane_random(struct lane *lane, uint64_t out[2])
{
    if (lane->random_left < 2) {
        must(getrandom(lane->random, sizeof(lane->random), 0) == (ssize_t)sizeof(lane->random));
        lane->random_left = ARRAY_LEN(lane->random);
    }
    out[0] = lane->random[--lane->random_left];
    out[1] = lane->random[--lane->random_left];
}
