/*
 * The application: a request into the queue, a response out of a slot.
 *
 *      start ─▶ submit ─▶ (queue) ─▶ slot ─▶ worker ─▶ frames ─▶ pump ─▶ peek/consume by the protocol ─▶ end
 *
 * The bytes of the response go from the ring straight to the socket while the client reads. When it does not, they are taken into a spool, so that
 * the worker is free for the next request however slow the client is. A file goes as a descriptor and holds no slot.
 * Whatever comes from the worker is checked: an unfit frame or field is a 502 and the supervisor is told (POOL_BAD).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/bounds.h"
#include "edge/handler/app.h"
#include "edge/report.h"

#define NO_LIMIT UINT64_MAX

/* ---- time ---- */

static void app_fail(struct exchange *ex, unsigned status, const char *why);

static void arm(struct exchange *ex, struct app *app, uint64_t at)
{
    uint64_t now = loop_now(ex->lane->loop);

    if (at != NO_LIMIT)
        loop_timer_set(ex->lane->loop, &app->timer, at > now ? at - now : 1);
}

/* When what began at `from` has run for too long. */
static uint64_t run_limit(const struct conf_route *conf, uint64_t from)
{
    return conf->timeout == 0 ? NO_LIMIT : from + conf->timeout;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void running_too_long(struct exchange *ex, struct app *app, const struct dispatch_run *run)
{
    const struct conf_route *conf = ex->route->conf;
    uint64_t now = loop_now(ex->lane->loop), limit = run_limit(conf, run->since_ns);

    if (now >= limit && app->full) { /* the client's slowness, which has its own limit, not the application's */
        arm(ex, app, run_limit(conf, now));
    } else if (now >= limit) {
        overdue_job(ex->lane->edge, &app->job, run);
        stats_add(&ex->lane->stats.timeouts, 1);
        app_fail(ex, 504, "the application did not answer in time");
    } else {
        arm(ex, app, limit);
    }
}

static void waited_too_long(struct exchange *ex, struct app *app)
{
    stats_add(&ex->lane->stats.queue_timeout, 1);
    ex->retry_after = dispatch_retry_after(app_dispatch(app), loop_now(ex->lane->loop));
    app_fail(ex, 503,
             atomic_load_explicit(&ex->lane->edge->has_served, memory_order_relaxed)
                 ? "every worker was busy for too long"
                 : "the application is starting");
}

/* It waits, or is about to be taken. A slow one that has stepped aside for long enough may go. */
static void look_again(struct exchange *ex, struct app *app, uint64_t at)
{
    uint64_t aside = dispatch_aside_until(app_dispatch(app), &app->job);

    if (aside <= loop_now(ex->lane->loop)) {
        dispatch_look(app_dispatch(app));
        aside = NO_LIMIT;
    }
    arm(ex, app, earlier(at, aside));
}

/* One timer for both limits: how long it may wait, and how long it may run once a worker has it. */
static void app_timer(struct loop_timer *timer)
{
    struct app *app = CONTAINER_OF(timer, struct app, timer);
    struct exchange *ex = app->job.exchange;
    const struct conf_route *conf = ex->route->conf;
    uint64_t now = loop_now(ex->lane->loop), limit = app->job.waits_ns + conf->queue_timeout;
    struct dispatch_run run;

    limit += hold_of(app_dispatch(app), &app->job, now); /* a pause is not the queue's fault */

    if (dispatch_running(app_dispatch(app), &app->job, &run))
        running_too_long(ex, app, &run);
    else if (now >= limit && dispatch_recall(app_dispatch(app), &app->job))
        waited_too_long(ex, app);
    else
        look_again(ex, app, earlier(limit, run_limit(conf, now)));
}

/* ---- start and end ---- */

/* Among the requests of its route that are with the application, as many as may be. False: refused. */
static bool enter_crowd(struct exchange *ex, struct app *app)
{
    const struct route_bounds *bounds = bounds_of(ex);
    uint64_t times;

    if (bounds->crowd == NULL)
        return true;
    if (tally_enter(bounds->crowd, bounds->concurrency)) {
        app->job.crowd = bounds->crowd;
        return true;
    }
    stats_add(&ex->lane->stats.crowded_out, 1);
    times = tally_refused(bounds->crowd, loop_now(ex->lane->loop));
    if (times > 0)
        log_event(&ex->lane->edge->log, LOG_WARNING, "too many requests at a time, refused",
                  LOG_N("concurrency", bounds->concurrency), LOG_S("route", ex->route->name),
                  LOG_S("request_id", ex->id), LOG_N("times", times));
    exchange_page(ex, 503, STR("as many requests of this kind are being answered as may be at a time"));
    return false;
}

void app_leave_crowd(struct app *app)
{
    tally_leave(app->job.crowd);
    app->job.crowd = NULL;
}

static void refuse(struct exchange *ex, struct app *app, int why)
{
    stats_add(why == -ETIME ? &ex->lane->stats.queue_hopeless : &ex->lane->stats.queue_full, 1);
    ex->retry_after = dispatch_retry_after(app_dispatch(app), app->job.queued_ns);
    exchange_page(ex, 503,
                  why == -ETIME ? STR("too many requests are waiting for this one to be served in time")
                                : STR("too many requests are waiting"));
}

static void submit(struct exchange *ex, struct app *app, bool front)
{
    const struct conf_route *conf = ex->route->conf;
    int error = dispatch_submit(app_dispatch(app), &app->job, front);

    if (error != 0) {
        refuse(ex, app, error);
        return;
    }
    nap_expect(&ex->lane->nap);
    look_again(ex, app, earlier(app->job.waits_ns + conf->queue_timeout, run_limit(conf, app->job.waits_ns)));
}

static void app_start(struct exchange *ex)
{
    struct app *app = arena_alloc(&ex->arena, sizeof(*app));

    must(app != NULL);
    memset(app, 0, offsetof(struct app, request)); /* the request's table is filled as far as it is used */
    memset(&app->held, 0, sizeof(*app) - offsetof(struct app, held));
    /* Path and query travel twice: in the target, and by themselves. */
    if (ex->head.length + ex->head.path.len + ex->head.query.len >
        POOL_REQUEST_BYTES - POOL_INLINE_BODY - (16u << 10)) {
        exchange_page(ex, 431, STR("the request head is too large"));
        return;
    }
    if (!enter_crowd(ex, app))
        return;
    ex->state = app;
    spool_init(&app->held, APP_HELD_MEMORY, APP_HELD_MAX);
    app->file = -1;
    app->job.exchange = ex;
    app->job.lane = ex->lane;
    app->job.request = &app->request;
    app->job.patience_ns = ex->route->conf->queue_timeout;
    app->job.timeout_ns = run_limit(ex->route->conf, 0);
    app->job.queued_ns = app->job.waits_ns = clock_mono_ns();
    app->request.queued_ns = app->job.queued_ns;
    app->request.edge_ns = app->job.queued_ns > ex->start_ns ? app->job.queued_ns - ex->start_ns : 0;
    app->request.head_only = ex->head.method == HTTP_HEAD;
    loop_timer_init(&app->timer, app_timer);
    ex->lane->pending++;
    app_request_fill(ex, &app->request);
    submit(ex, app, false);
}

static void app_end(struct exchange *ex)
{
    struct app *app = app_of(ex);

    loop_timer_stop(ex->lane->loop, &app->timer);
    if (!app->released)
        dispatch_withdraw(app_dispatch(app), &app->job);
    app_leave_crowd(app);
    if (app->file >= 0)
        close(app->file);
    spool_fini(&app->held);
    ex->lane->pending--;
}

/* No good answer will come. Before anything was sent: our own page; afterwards the connection breaks off. */
static void app_fail(struct exchange *ex, unsigned status, const char *why)
{
    struct app *app = app_of(ex);

    if (!ex->response.started) {
        app_note_times(ex, app);
        exchange_page(ex, status, str_of(why));
        return;
    }
    app->failed = true;
    app->ended = false;
    exchange_flush(ex);
}

static void app_lost(struct exchange *ex)
{
    stats_add(&ex->lane->stats.lost, 1);
    app_fail(ex, 502, "the worker died while it answered");
}

static void report_bad(struct exchange *ex, struct app *app)
{
    const char *why = app->unfit != NULL ? app->unfit : "frames out of order";
    struct dispatch_run run;

    log_event(&ex->lane->edge->log, LOG_ERROR, "a worker's response is not fit to be sent", LOG_Z("why", why),
              LOG_S("request_id", ex->id));
    if (app->broken && dispatch_running(app_dispatch(app), &app->job, &run) && run.pid != 0)
        report_worker(ex->lane->edge, WIRE_POOL_BAD, &run, str_of(why));
}

static void app_bad(struct exchange *ex)
{
    report_bad(ex, app_of(ex));
    stats_add(&ex->lane->stats.unfit, 1);
    app_fail(ex, 502, "the application's answer could not be understood");
}

/* After news from the worker: on to the client. */
static void app_news(struct exchange *ex)
{
    struct app *app = app_of(ex);

    if (!app_pump(ex, app)) {
        app_bad(ex);
        return;
    }
    if (app->failed && !ex->response.started)
        app_fail(ex, 500, "");
    else if (app->have_head && !ex->response.ready && app->elsewhere.p != NULL)
        accel_send(ex, app->elsewhere, app->elsewhere_is_path);
    else if (app->have_head && !ex->response.ready)
        exchange_ready(ex);
    else if (ex->response.ready)
        exchange_flush(ex);
}

void app_attention(struct lane *lane, struct generation *g, uint32_t slot)
{
    struct job *job = slot < g->geometry.slots ? dispatch_job(&lane->edge->dispatch, lane, g, slot) : NULL;

    if (job != NULL)
        app_news(job->exchange);
    else if (slot < g->geometry.slots)
        dispatch_orphan(&lane->edge->dispatch, g, slot);
}

/* What no worker has seen is taken back; what one runs goes on, and its answer must be taken off its hands. */
static bool app_client_left(struct exchange *ex)
{
    struct app *app = app_of(ex);

    return app->released || dispatch_recall(app_dispatch(app), &app->job);
}

/* ---- a worker died ---- */

/* Nothing of the answer is known, and asking again does no harm; but what kills two workers is not given a third. */
static bool may_replay(const struct exchange *ex, const struct app *app)
{
    return !app->have_head && !app_all_said(app) && !app->job.replayed && http_method_is_safe(ex->head.method);
}

/* Two workers have died with it. Whoever reads the log must find it, and may want to block it. */
static void report_poison(struct exchange *ex, const struct app *app)
{
    const struct str *vars = app->request.vars;

    if (app->job.n_killed < 2 || app_all_said(app))
        return;
    log_event(&ex->lane->edge->log, LOG_ERROR, "poison request: two workers died with it, it is not tried again",
              LOG_S("method", vars[POOL_METHOD]), LOG_S("target", str_cut(vars[POOL_TARGET], 0, 1024)),
              LOG_S("request_id", ex->id), LOG_N("pid", app->job.killed[0]), LOG_N("pid2", app->job.killed[1]));
}

static void settle(struct exchange *ex, struct app *app)
{
    bool fit;

    app_note_times(ex, app);
    app->blocked = true; /* what it said is taken out of the ring, which the slot's next request will need */
    fit = app_pump(ex, app);
    if (!fit)
        report_bad(ex, app);
    if (!app->released)
        dispatch_reap(app_dispatch(app), &app->job);
    if (fit && may_replay(ex, app)) {
        app->job.replayed = true;
        app->job.waits_ns = clock_mono_ns(); /* what it ran is no waiting */
        submit(ex, app, true);
        return;
    }
    app->released = true;
    app_leave_crowd(app);
    report_poison(ex, app);
    if (fit && app_all_said(app)) /* but DONE, perhaps */
        app_news(ex);
    else
        app_lost(ex);
}

void app_settle_lost(struct lane *lane, struct generation *g)
{
    struct job *job;

    while ((job = dispatch_lost(&lane->edge->dispatch, lane, g)) != NULL)
        settle(job->exchange, app_of(job->exchange));
}

/* ---- the body, pulled by the protocol ---- */

static enum piece_kind peek_held(struct app *app, struct piece *piece)
{
    app->source = SOURCE_HELD;
    piece->size = spool_left(&app->held);
    if (app->held.fd >= 0) {
        piece->fd = app->held.fd;
        piece->offset = app->held.taken;
        return PIECE_FILE;
    }
    piece->iov[0] = (struct iovec){ app->held.memory.data + app->held.taken, (size_t)piece->size };
    piece->n_iov = 1;
    return PIECE_DATA;
}

static enum piece_kind peek_ring(struct app *app, struct piece *piece)
{
    app->source = SOURCE_RING;
    piece->n_iov = app->piece.n_data;
    memcpy(piece->iov, app->piece.data, sizeof(piece->iov));
    piece->size = app->piece.size;
    return PIECE_DATA;
}

static enum piece_kind app_peek(struct exchange *ex, struct piece *piece)
{
    struct app *app = app_of(ex);

    app->blocked = false;
    app->source = SOURCE_NONE;
    if (spool_left(&app->held) > 0)
        return peek_held(app, piece);
    if (app->file_left > 0) {
        app->source = SOURCE_FILE;
        *piece = (struct piece){ .fd = app->file, .offset = app->file_at, .size = app->file_left };
        return PIECE_FILE;
    }
    app->piece.kind = 0;
    if (!app_pump(ex, app)) {
        report_bad(ex, app);
        app->failed = true;
        return PIECE_FAIL;
    }
    if (app->file_left > 0)
        return app_peek(ex, piece);
    if (app->failed)
        return PIECE_FAIL;
    if (app->ended)
        return PIECE_END;
    return !app->released && app->piece.kind == POOL_FRAME_DATA ? peek_ring(app, piece) : PIECE_WAIT;
}

static void app_consume(struct exchange *ex, size_t n)
{
    struct app *app = app_of(ex);

    switch (app->source) {
    case SOURCE_HELD:
        app->held.taken += n;
        if (spool_left(&app->held) == 0) {
            spool_fini(&app->held);
            spool_init(&app->held, APP_HELD_MEMORY, APP_HELD_MAX);
        }
        break;
    case SOURCE_FILE:
        app->file_at += n;
        app->file_left -= n;
        break;
    case SOURCE_RING:
        pool_consume(app_pool(app), app->job.ticket, &app->job.reader, &app->piece, n);
        break;
    case SOURCE_NONE:
        must_not_reach();
    }
}

static void app_blocked(struct exchange *ex)
{
    struct app *app = app_of(ex);

    app->blocked = true;
    if (app_pump(ex, app))
        return;
    report_bad(ex, app);
    app->failed = true;
}

const struct handler app_handler = {
    .name = "app",
    .kind = STATS_APP,
    .wants_body = true,
    .start = app_start,
    .peek = app_peek,
    .consume = app_consume,
    .blocked = app_blocked,
    .client_left = app_client_left,
    .end = app_end,
};
