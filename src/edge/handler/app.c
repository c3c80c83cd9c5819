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
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/client.h"
#include "edge/edge_process.h"
#include "edge/handler/handlers.h"
#include "http/response.h"
#include "http/uri.h"

#define HELD_MEMORY (64u << 10)
#define HELD_MAX (UINT64_C(1) << 30) /* more than this a slow client does not spool: then the worker waits for it */
#define APP_FIELDS_MAX 256
#define NO_LIMIT UINT64_MAX

enum app_source { SOURCE_NONE, SOURCE_HELD, SOURCE_FILE, SOURCE_RING };

struct app {
    struct job job;
    struct loop_timer timer;
    struct pool_request request;
    struct spool held; /* taken off the worker's hands */
    int file;          /* of a FILE frame; -1; owned */
    uint64_t file_at, file_left;
    enum app_source source;  /* of the piece peeked last */
    struct pool_piece piece; /* with SOURCE_RING */
    const char *unfit;       /* why a response is not fit to be sent, for the log */
    bool broken;             /* unfit by the pool's own rules: its worker must go */
    bool blocked;            /* the client does not read now */
    bool full;               /* and the spool takes no more: the worker waits for the client */
    bool have_head, ended, failed, released;
};

static struct app *app_of(struct exchange *ex)
{
    return ex->state;
}

static struct dispatch *dispatch_of(struct app *app)
{
    return &app->job.lane->edge->dispatch;
}

static struct pool *pool_of(struct app *app)
{
    return app->job.generation->pool;
}

/* ---- the request ---- */

static struct str port_text(struct exchange *ex, uint32_t port)
{
    return port == 0 ? STR("") : arena_printf(&ex->arena, "%u", (unsigned)port);
}

static struct str decoded_path(struct exchange *ex)
{
    struct str raw = exchange_path(ex);
    char *out;

    if (str_find(raw, '%') < 0)
        return raw;
    out = arena_alloc(&ex->arena, raw.n + 1);
    must(out != NULL);
    return str_make(out, uri_decode(raw, out));
}

static void fill_vars(struct exchange *ex, struct pool_request *r)
{
    const struct http_head *head = &ex->head;

    r->vars[POOL_METHOD] = http_str(ex->bytes, head->method_text);
    r->vars[POOL_TARGET] = http_str(ex->bytes, head->target);
    r->vars[POOL_PATH] = decoded_path(ex);
    r->vars[POOL_QUERY] = http_str(ex->bytes, head->query);
    r->vars[POOL_PROTOCOL] = head->minor == 0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
    r->vars[POOL_SCHEME] = ex->secure ? STR("https") : STR("http");
    r->vars[POOL_REMOTE_ADDR] = ex->remote_addr;
    r->vars[POOL_REMOTE_PORT] = port_text(ex, ex->remote_port);
    r->vars[POOL_SERVER_NAME] = ex->server_name;
    r->vars[POOL_SERVER_PORT] = port_text(ex, ex->server_port);
    r->vars[POOL_REQUEST_ID] = ex->id;
    r->vars[POOL_TLS_PROTOCOL] = ex->tls_info.protocol;
    r->vars[POOL_TLS_CIPHER] = ex->tls_info.cipher;
}

static void fill_fields(struct exchange *ex, struct pool_request *r)
{
    const struct http_head *head = &ex->head;

    r->n_fields = 0;
    for (uint32_t i = 0; i < head->n_fields && r->n_fields < POOL_FIELDS_MAX; i++) {
        const struct http_field *f = &head->fields[i];

        if (client_field_passes(ex, f)) {
            r->fields[r->n_fields].name = http_str(ex->bytes, f->name);
            r->fields[r->n_fields++].value = http_str(ex->bytes, f->value);
        }
    }
}

static void fill_body(struct exchange *ex, struct pool_request *r)
{
    r->has_body = ex->head.body != HTTP_BODY_NONE;
    r->body_size = ex->body.size;
    r->body = POOL_BODY_NONE;
    if (ex->body.fd >= 0) {
        r->body = POOL_BODY_FD;
    } else if (ex->body.size > 0) {
        r->body = POOL_BODY_INLINE;
        r->body_data = buf_str(&ex->body.memory);
    }
}

/* ---- time ---- */

static void app_fail(struct exchange *ex, unsigned status, const char *why);

static void report_stuck(struct exchange *ex, struct app *app, const struct dispatch_run *run)
{
    char what[512];
    int n = snprintf(what, sizeof(what), STR_FMT " %.*s id=" STR_FMT, STR_ARG(app->request.vars[POOL_METHOD]),
                     (int)(app->request.vars[POOL_TARGET].n < 300 ? app->request.vars[POOL_TARGET].n : 300),
                     app->request.vars[POOL_TARGET].p, STR_ARG(ex->id));

    edge_report(ex->lane->edge, WIRE_WORKER_STUCK, run,
                str_make(what, n < (int)sizeof(what) ? (size_t)n : sizeof(what) - 1));
}

static void arm(struct exchange *ex, struct app *app, uint64_t at)
{
    uint64_t now = loop_now(ex->lane->loop);

    if (at != NO_LIMIT)
        loop_timer_set(ex->lane->loop, &app->timer, at > now ? at - now : 1);
}

/* When what began at `from` has run for too long. */
static uint64_t run_limit(const struct conf *conf, uint64_t from)
{
    return conf->timeout == 0 ? NO_LIMIT : from + conf->timeout;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void running_too_long(struct exchange *ex, struct app *app, const struct dispatch_run *run)
{
    const struct conf *conf = ex->snapshot->conf;
    uint64_t now = loop_now(ex->lane->loop), limit = run_limit(conf, run->since_ns);

    if (now >= limit && app->full) { /* the client's slowness, which has its own limit, not the application's */
        arm(ex, app, run_limit(conf, now));
    } else if (now >= limit) {
        report_stuck(ex, app, run);
        app_fail(ex, 504, "the application did not answer in time");
    } else {
        arm(ex, app, limit);
    }
}

/* One timer for both limits: how long it may wait, and how long it may run once a worker has it. */
static void app_timer(struct loop_timer *timer)
{
    struct app *app = CONTAINER_OF(timer, struct app, timer);
    struct exchange *ex = app->job.exchange;
    const struct conf *conf = ex->snapshot->conf;
    uint64_t now = loop_now(ex->lane->loop), limit = app->job.queued_ns + conf->queue_timeout;
    struct dispatch_run run;

    if (dispatch_running(dispatch_of(app), &app->job, &run))
        running_too_long(ex, app, &run);
    else if (now >= limit)
        app_fail(ex, 503, "every worker was busy for too long");
    else
        arm(ex, app, earlier(limit, run_limit(conf, now)));
}

/* ---- start and end ---- */

static void submit(struct exchange *ex, struct app *app, bool front)
{
    const struct conf *conf = ex->snapshot->conf;

    if (dispatch_submit(dispatch_of(app), &app->job, front) != 0) {
        exchange_page(ex, 503, STR("too many requests are waiting"));
        return;
    }
    arm(ex, app, earlier(app->job.queued_ns + conf->queue_timeout, run_limit(conf, app->job.queued_ns)));
}

static void app_start(struct exchange *ex)
{
    struct app *app = arena_alloc(&ex->arena, sizeof(*app));

    must(app != NULL);
    memset(app, 0, offsetof(struct app, request)); /* the request's table is filled as far as it is used */
    memset(&app->held, 0, sizeof(*app) - offsetof(struct app, held));
    if (ex->head.length + ex->head.path.len > POOL_REQUEST_BYTES - POOL_INLINE_BODY - (16u << 10)) {
        exchange_page(ex, 431, STR("the request head is too large"));
        return;
    }
    ex->state = app;
    spool_init(&app->held, HELD_MEMORY, HELD_MAX);
    app->file = -1;
    app->job.exchange = ex;
    app->job.lane = ex->lane;
    app->job.request = &app->request;
    app->job.queued_ns = clock_mono_ns();
    app->request.queued_ns = app->job.queued_ns;
    app->request.edge_ns = app->job.queued_ns > ex->start_ns ? app->job.queued_ns - ex->start_ns : 0;
    app->request.head_only = ex->head.method == HTTP_HEAD;
    loop_timer_init(&app->timer, app_timer);
    ex->lane->pending++;
    fill_vars(ex, &app->request);
    fill_fields(ex, &app->request);
    fill_body(ex, &app->request);
    submit(ex, app, false);
}

static void app_end(struct exchange *ex)
{
    struct app *app = app_of(ex);

    loop_timer_stop(ex->lane->loop, &app->timer);
    if (!app->released)
        dispatch_withdraw(dispatch_of(app), &app->job);
    if (app->file >= 0)
        close(app->file);
    spool_fini(&app->held);
    ex->lane->pending--;
}

/* ---- the response head ---- */

/* What Python code could have done. */
static bool unfit(struct exchange *ex, const char *why)
{
    app_of(ex)->unfit = why;
    return false;
}

/* What our own side of a worker never does: something else writes in its memory. */
static bool broken(struct exchange *ex, const char *why)
{
    app_of(ex)->broken = true;
    return unfit(ex, why);
}

static bool add_field(struct exchange *ex, const struct pool_field *f)
{
    enum http_field_id id = http_field_lookup(f->name);
    uint64_t n;

    if (!http_response_field_valid(f->name, f->value))
        return unfit(ex, "a field's name is not a token, or its value has control bytes");
    switch (id) {
    case HTTP_F_CONTENT_LENGTH:
        if (ex->response.length >= 0 || str_to_u64(str_trim(f->value), INT64_MAX, &n) != 0)
            return unfit(ex, "Content-Length is repeated or no number");
        ex->response.length = (int64_t)n;
        return true;
    case HTTP_F_X_ACCEL_REDIRECT:
    case HTTP_F_X_SENDFILE:
        return true; /* no root is configured for them: a path of this machine is not for the client */
    case HTTP_F_DATE:
        ex->response.date = true;
        break;
    case HTTP_F_X_REQUEST_ID:
        ex->response.server_id = true;
        break;
    default:
        if (http_field_is_hop_by_hop(id))
            return true; /* ends here */
        break;
    }
    exchange_add(ex, f->name, str_trim(f->value)); /* Django's Set-Cookie begins with a space */
    return true;
}

static void note_times(struct exchange *ex, struct app *app)
{
    uint64_t now = clock_mono_ns();
    struct dispatch_run run;

    if (!dispatch_running(dispatch_of(app), &app->job, &run))
        return;
    ex->worker = (int)run.worker;
    ex->queue_ns = run.since_ns > app->job.queued_ns ? run.since_ns - app->job.queued_ns : 0;
    ex->app_ns = now > run.since_ns ? now - run.since_ns : 0;
}

static bool take_head(struct exchange *ex, struct app *app, const struct pool_piece *piece)
{
    struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };
    char *copy = arena_alloc(&ex->arena, piece->size + 1);
    size_t at = 0;

    if (copy == NULL || app->have_head)
        return broken(ex, "a second head");
    for (int i = 0; i < piece->n_data; i++) {
        memcpy(copy + at, piece->data[i].iov_base, piece->data[i].iov_len);
        at += piece->data[i].iov_len;
    }
    if (pool_head_parse(str_make(copy, at), &head) != 0)
        return broken(ex, "a head that makes no sense");
    if (head.status < 200 || head.status > 599 || head.n_fields > APP_FIELDS_MAX ||
        !http_response_reason_valid(head.reason))
        return unfit(ex, "the head's status or reason, or too many fields");
    exchange_respond(ex, head.status);
    ex->response.reason = head.reason;
    for (uint32_t i = 0; i < head.n_fields; i++) {
        if (!add_field(ex, &head.fields[i]))
            return false;
    }
    app->have_head = true;
    note_times(ex, app);
    return true;
}

/* ---- frames ---- */

static bool take_file(struct exchange *ex, struct app *app, const struct pool_file *file)
{
    struct stat st;

    if (app->file >= 0)
        close(app->file); /* of an earlier FILE frame, sent by now */
    app->file = dispatch_take_file(dispatch_of(app), &app->job);
    if (app->file < 0)
        return unfit(ex, "a file whose descriptor has not come");
    if (fstat(app->file, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < file->offset)
        return unfit(ex, "a file that is no regular one, or shorter than said");
    app->file_at = file->offset;
    app->file_left = (uint64_t)st.st_size - file->offset;
    if (app->file_left > file->length)
        app->file_left = file->length;
    return true;
}

/* Takes a DATA piece into the spool. False: it stays in the ring (order, or the spool is full: back-pressure). */
static bool hold(struct app *app, struct pool_piece *piece)
{
    if (!app->blocked || app->file_left > 0)
        return false;
    app->full = spool_addv(&app->held, piece->data, piece->n_data) != 0;
    if (app->full)
        return false;
    pool_consume(pool_of(app), app->job.ticket, &app->job.reader, piece, piece->size);
    return true;
}

enum pump { PUMP_GO_ON, PUMP_STOP, PUMP_BAD };

static enum pump pump_frame(struct exchange *ex, struct app *app)
{
    const struct pool_piece *piece = &app->piece;

    if (!app->have_head && piece->kind != POOL_FRAME_HEAD && piece->kind != POOL_FRAME_FAIL)
        return PUMP_BAD;
    switch (piece->kind) {
    case POOL_FRAME_HEAD:
        return take_head(ex, app, piece) ? PUMP_GO_ON : PUMP_BAD;
    case POOL_FRAME_FILE:
        if (app->file_left > 0)
            return PUMP_STOP; /* one at a time */
        return take_file(ex, app, &piece->file) ? PUMP_GO_ON : PUMP_BAD;
    case POOL_FRAME_END:
        app->ended = true;
        break;
    case POOL_FRAME_FAIL:
        app->failed = true;
        break;
    case POOL_FRAME_DATA:
        must_not_reach();
    }
    return PUMP_GO_ON;
}

static enum pump pump_one(struct exchange *ex, struct app *app)
{
    int r = pool_peek(pool_of(app), app->job.ticket, &app->job.reader, &app->piece);
    enum pump next;

    if (r < 0)
        (void)broken(ex, "frames against the pool's rules");
    if (r <= 0)
        return r == 0 ? PUMP_STOP : PUMP_BAD;
    if (app->piece.kind == POOL_FRAME_DATA && app->have_head)
        return hold(app, &app->piece) ? PUMP_GO_ON : PUMP_STOP;
    next = pump_frame(ex, app);
    if (next == PUMP_GO_ON)
        pool_consume(pool_of(app), app->job.ticket, &app->job.reader, &app->piece, 0);
    return next;
}

static bool all_said(const struct app *app)
{
    return app->ended || app->failed;
}

static enum pump pump_all(struct exchange *ex, struct app *app)
{
    enum pump r = PUMP_GO_ON;

    app->full = false;
    while (!all_said(app) && r == PUMP_GO_ON)
        r = pump_one(ex, app);
    return r;
}

/* All frames said: the slot goes back as soon as the worker has said DONE too. */
static void try_release(struct exchange *ex, struct app *app)
{
    if (!all_said(app) || app->released)
        return;
    if (loop_timer_armed(&app->timer))
        loop_timer_stop(ex->lane->loop, &app->timer);
    if (dispatch_finish(dispatch_of(app), &app->job) == 0)
        app->released = true;
}

static bool has_nothing_more(const struct app *app)
{
    return !all_said(app) && app->piece.kind == 0;
}

/* Takes what there is, and sees a worker that has left without END: DONE is looked at first, as no frame can come after it. */
static enum pump pump_to_end(struct exchange *ex, struct app *app)
{
    enum pump r = pump_all(ex, app);

    if (r == PUMP_BAD || !has_nothing_more(app) || !dispatch_is_done(dispatch_of(app), &app->job))
        return r;
    r = pump_all(ex, app);
    if (r == PUMP_STOP && has_nothing_more(app))
        (void)broken(ex, "DONE without an end");
    return app->broken ? PUMP_BAD : r;
}

/* Takes all that can be taken. False: the worker broke the rules. */
static bool pump(struct exchange *ex, struct app *app)
{
    if (app->released)
        return true;
    if (pump_to_end(ex, app) == PUMP_BAD)
        return false;
    if (!all_said(app) && ex->body.fd >= 0 && pool_body_asked(pool_of(app), app->job.ticket) &&
        dispatch_send_body(dispatch_of(app), &app->job, ex->body.fd) != 0)
        return unfit(ex, "its channel does not take the request body");
    try_release(ex, app);
    return true;
}

/* No good answer will come. Before anything was sent: our own page; afterwards the connection breaks off. */
static void app_fail(struct exchange *ex, unsigned status, const char *why)
{
    struct app *app = app_of(ex);

    if (!ex->response.started) {
        exchange_page(ex, status, str_of(why));
        return;
    }
    app->failed = true;
    app->ended = false;
    exchange_flush(ex);
}

static void report_bad(struct exchange *ex, struct app *app)
{
    const char *why = app->unfit != NULL ? app->unfit : "frames out of order";
    struct dispatch_run run;

    log_event(&ex->lane->edge->log, LOG_ERROR, "a worker's response is not fit to be sent", LOG_Z("why", why),
              LOG_S("request_id", ex->id));
    if (app->broken && dispatch_running(dispatch_of(app), &app->job, &run) && run.pid != 0)
        edge_report(ex->lane->edge, WIRE_POOL_BAD, &run, str_of(why));
}

static void app_bad(struct exchange *ex)
{
    report_bad(ex, app_of(ex));
    app_fail(ex, 502, "the application's answer could not be understood");
}

/* After news from the worker: on to the client. */
static void app_news(struct exchange *ex)
{
    struct app *app = app_of(ex);

    if (!pump(ex, app)) {
        app_bad(ex);
        return;
    }
    if (app->failed && !ex->response.started)
        exchange_page(ex, 500, STR(""));
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

/* ---- a worker died ---- */

/* Nothing of the answer is known, and asking again does no harm; but what kills two workers is not given a third. */
static bool may_replay(const struct exchange *ex, const struct app *app)
{
    return !app->have_head && !all_said(app) && !app->job.replayed && http_method_is_safe(ex->head.method);
}

static void settle(struct exchange *ex, struct app *app)
{
    bool fit;

    app->blocked = true; /* what it said is taken out of the ring, which the slot's next request will need */
    fit = pump(ex, app);
    if (!fit)
        report_bad(ex, app);
    if (!app->released)
        dispatch_reap(dispatch_of(app), &app->job);
    if (fit && may_replay(ex, app)) {
        app->job.replayed = true;
        submit(ex, app, true);
        return;
    }
    app->released = true;
    if (fit && all_said(app)) /* but DONE, perhaps */
        app_news(ex);
    else
        app_fail(ex, 502, "the worker died while it answered");
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
    if (!pump(ex, app)) {
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
            spool_init(&app->held, HELD_MEMORY, HELD_MAX);
        }
        break;
    case SOURCE_FILE:
        app->file_at += n;
        app->file_left -= n;
        break;
    case SOURCE_RING:
        pool_consume(pool_of(app), app->job.ticket, &app->job.reader, &app->piece, n);
        break;
    case SOURCE_NONE:
        must_not_reach();
    }
}

static void app_blocked(struct exchange *ex)
{
    struct app *app = app_of(ex);

    app->blocked = true;
    if (pump(ex, app))
        return;
    report_bad(ex, app);
    app->failed = true;
}

const struct handler app_handler = {
    .name = "app",
    .wants_body = true,
    .start = app_start,
    .peek = app_peek,
    .consume = app_consume,
    .blocked = app_blocked,
    .end = app_end,
};
