/*
 * Frames from a worker: its response head, data, files, end. Everything is checked; what Python code could have done wrong is told from what only a worker whose
 * memory is spoilt does.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/handler/app.h"
#include "edge/shed.h"
#include "http/response.h"
#include "pool/wake.h"

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

/* For us, never for the client: paths of this machine stay here. On other answers than 200 they mean nothing, so that a refusal stays one. */
static bool is_for_us(struct exchange *ex, const struct pool_field *f, enum http_field_id id)
{
    struct app *app = app_of(ex);

    if ((id == HTTP_F_X_ACCEL_REDIRECT || id == HTTP_F_X_SENDFILE) && ex->response.status == 200 &&
        app->elsewhere.p == NULL) {
        app->elsewhere = str_trim(f->value);
        app->elsewhere_is_path = id == HTTP_F_X_SENDFILE;
    }
    return id == HTTP_F_X_SENDFILE || str_starts_nocase(f->name, STR("X-Accel-"));
}

static bool add_field(struct exchange *ex, const struct pool_field *f)
{
    enum http_field_id id = http_field_lookup(f->name);
    uint64_t n;

    if (!http_response_field_valid(f->name, f->value))
        return unfit(ex, "a field's name is not a token, or its value has control bytes");
    if (is_for_us(ex, f, id))
        return true;
    switch (id) {
    case HTTP_F_CONTENT_LENGTH:
        if (ex->response.length >= 0 || str_to_u64(str_trim(f->value), INT64_MAX, &n) != 0)
            return unfit(ex, "Content-Length is repeated or no number");
        ex->response.length = (int64_t)n;
        return true;
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

void app_note_times(struct exchange *ex, struct app *app)
{
    struct dispatch_run run;

    if (!dispatch_running(app_dispatch(app), &app->job, &run))
        return;
    ex->worker = (int)run.worker;
    app->job.since_ns = run.since_ns;
    ex->queue_ns = run.since_ns > app->job.queued_ns ? run.since_ns - app->job.queued_ns : 0;
    ex->app_ns = run.now_ns - run.since_ns;
}

static bool take_head(struct exchange *ex, struct app *app, const struct pool_piece *piece)
{
    struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };
    size_t at = 0;
    char *copy;

    if (app->have_head)
        return broken(ex, "a second head");
    if (arena_reserve(&ex->arena, piece->size + 16 + EXCHANGE_PAGE_ROOM) !=
        0) { /* what is left is for the page that says so */
        shed_note(ex->lane, "a response's head");
        return unfit(ex, "no memory for its head");
    }
    copy = arena_alloc(&ex->arena, piece->size + 1);
    must(copy != NULL);
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
    app_note_times(ex, app);
    return true;
}

/* ---- frames ---- */

static bool take_file(struct exchange *ex, struct app *app, const struct pool_file *file)
{
    struct stat st;

    if (app->file >= 0)
        close(app->file); /* of an earlier FILE frame, sent by now */
    app->file = dispatch_take_file(app_dispatch(app), &app->job);
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
    pool_consume(app_pool(app), app->job.ticket, &app->job.reader, piece, piece->size);
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
        app_note_times(ex, app);
        app->failed = true;
        break;
    case POOL_FRAME_DATA:
        must_not_reach();
    }
    return PUMP_GO_ON;
}

static enum pump pump_one(struct exchange *ex, struct app *app)
{
    int r = pool_peek(app_pool(app), app->job.ticket, &app->job.reader, &app->piece);
    enum pump next;

    if (r < 0)
        (void)broken(ex, "frames against the pool's rules");
    if (r <= 0)
        return r == 0 ? PUMP_STOP : PUMP_BAD;
    if (app->piece.kind == POOL_FRAME_DATA && app->have_head)
        return hold(app, &app->piece) ? PUMP_GO_ON : PUMP_STOP;
    next = pump_frame(ex, app);
    if (next == PUMP_GO_ON)
        pool_consume(app_pool(app), app->job.ticket, &app->job.reader, &app->piece, 0);
    return next;
}

static enum pump pump_all(struct exchange *ex, struct app *app)
{
    uint64_t most = app->held.size + APP_TURN_MAX;
    enum pump r = PUMP_GO_ON;
    unsigned frames = 0;

    app->full = false;
    while (!app_all_said(app) && r == PUMP_GO_ON) {
        if (app->held.size >= most || frames++ == APP_TURN_FRAMES) {
            pool_lane_again(app_pool(app), ex->lane->index, app->job.ticket.slot);
            return PUMP_STOP;
        }
        r = pump_one(ex, app);
    }
    return r;
}

/* All frames said: the slot goes back as soon as the worker has said DONE too. */
static void try_release(struct exchange *ex, struct app *app)
{
    if (!app_all_said(app) || app->released)
        return;
    app_leave_crowd(app); /* now: the client's next request may be here before DONE */
    if (loop_timer_armed(&app->timer))
        loop_timer_stop(ex->lane->loop, &app->timer);
    if (dispatch_finish(app_dispatch(app), &app->job) == 0)
        app->released = true;
}

static bool has_nothing_more(const struct app *app)
{
    return !app_all_said(app) && app->piece.kind == 0;
}

/* Takes what there is, and sees a worker that has left without END: DONE is looked at first, as no frame can come after it. */
static enum pump pump_to_end(struct exchange *ex, struct app *app)
{
    enum pump r = pump_all(ex, app);

    if (r == PUMP_BAD || !has_nothing_more(app) || !dispatch_is_done(app_dispatch(app), &app->job))
        return r;
    r = pump_all(ex, app);
    if (r == PUMP_STOP && has_nothing_more(app))
        (void)broken(ex, "DONE without an end");
    return app->broken ? PUMP_BAD : r;
}

/* Takes all that can be taken. False: the worker broke the rules. */
bool app_pump(struct exchange *ex, struct app *app)
{
    if (app->released)
        return true;
    if (pump_to_end(ex, app) == PUMP_BAD)
        return false;
    if (!app_all_said(app) && ex->body.fd >= 0 && pool_body_asked(app_pool(app), app->job.ticket) &&
        dispatch_send_body(app_dispatch(app), &app->job, ex->body.fd) != 0)
        return unfit(ex, "its channel does not take the request body");
    try_release(ex, app);
    return true;
}
