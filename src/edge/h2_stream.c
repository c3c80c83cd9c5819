/* The streams of an HTTP/2 connection: each is an exchange. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digits.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/h2.h"
#include "edge/hints.h"
#include "edge/intake.h"
#include "edge/pace.h"
#include "edge/shed.h"
#include "http/response.h"

#define SPARE_MAX 256
#define HEAD_NS (60 * NS_PER_SEC) /* for a header block: a trickle does not prolong it */
#define SPARE_HEAD_MAX (16u << 10)
#define HEADS_MAX                                                                                                      \
    (1u << 20) /* of a connection: a hundred streams of 10 KiB each; a few bytes may become large heads (HPACK) */
#define REST_TURN (1u << 20) /* bytes dropped at a time */

static struct conn *conn_of(const struct h2_stream *st)
{
    return st->h2->conn;
}

/* ---- news ---- */

static void stream_news(struct h2_stream *st)
{
    if (!list_linked(&st->news))
        list_push_back(&st->h2->news, &st->news);
}

static void ex_flush(struct exchange *ex)
{
    struct h2_stream *st = CONTAINER_OF(ex, struct h2_stream, exchange);

    stream_news(st);
    conn_advance(conn_of(st));
}

static const struct exchange_ops h2_ops = { .flush = ex_flush };

/* ---- made, kept, given up ---- */

static struct h2_stream *stream_make(struct lane *lane)
{
    struct h2_stream *st = mem_try_zalloc(sizeof(*st));

    if (st == NULL)
        return NULL;
    list_init(&st->link);
    list_init(&st->news);
    buf_init(&st->bytes, HTTP_HEAD_MAX + H2_HEAD_SLACK);
    exchange_init(&st->exchange, lane);
    st->exchange.ops = &h2_ops;
    return st;
}

static void stream_free(struct h2_stream *st)
{
    exchange_fini(&st->exchange);
    buf_fini(&st->bytes);
    mem_free(st);
}

static struct h2_stream *stream_get(struct lane *lane)
{
    struct list *spare = list_pop_front(&lane->spare_h2);

    if (spare == NULL)
        return stream_make(lane);
    lane->n_spare_h2--;
    return CONTAINER_OF(spare, struct h2_stream, link);
}

static void stream_put(struct lane *lane, struct h2_stream *st)
{
    if (lane->n_spare_h2 >= SPARE_MAX || st->bytes.cap > SPARE_HEAD_MAX) {
        stream_free(st);
        return;
    }
    list_push_front(&lane->spare_h2, &st->link);
    lane->n_spare_h2++;
}

void h2_stream_fini_spare(struct lane *lane)
{
    struct list *spare;

    while ((spare = list_pop_front(&lane->spare_h2)) != NULL)
        stream_free(CONTAINER_OF(spare, struct h2_stream, link));
    lane->n_spare_h2 = 0;
}

static bool is_arriving(enum h2_stream_state state)
{
    return state == H2_HEAD || state == H2_BODY;
}

static void set_state(struct h2_stream *st, enum h2_stream_state state)
{
    st->h2->n_arriving -= is_arriving(st->state);
    st->h2->n_arriving += is_arriving(state);
    st->state = state;
    st->deadline = 0;
}

static void stream_end(struct h2_stream *st)
{
    struct h2 *h2 = st->h2;
    struct conn *c = h2->conn;

    if (st->open && st->said && !st->all_came)
        h2_reset(h2->session, st->id, H2_NO_ERROR); /* RFC 9113 8.1: the answer did not need the rest */
    if (st->open)
        h2_forget(h2->session, st->id);
    exchange_end(&st->exchange);
    h2->n_arriving -= is_arriving(st->state);
    h2->heads -= st->counted;
    list_remove(&st->link);
    list_remove(&st->news);
    h2->n_streams--;
    stream_put(c->lane, st);
}

void h2_stream_free_all(struct h2 *h2)
{
    while (!list_empty(&h2->streams)) {
        struct h2_stream *st = CONTAINER_OF(h2->streams.next, struct h2_stream, link);

        st->exchange.client_gone = true;
        stream_end(st);
    }
}

/* ---- the request ---- */

static void *on_begin(void *arg, int32_t id, struct h2_head **head)
{
    struct h2 *h2 = arg;
    struct lane *lane = h2->conn->lane;
    struct h2_stream *st;

    if (h2->n_streams >= H2_STREAMS_MAX || h2->failed)
        return NULL;
    if (h2->heads >= HEADS_MAX)
        return NULL;
    if (h2->leaving == H2_GONE) /* the last GOAWAY says that it was not served */
        return NULL;
    st = stream_get(lane);
    if (st == NULL) {
        shed_note(lane, "a request");
        return NULL;
    }
    st->h2 = h2;
    st->id = id;
    st->state = H2_HEAD;
    st->deadline = loop_now(lane->loop) + HEAD_NS;
    st->open = true;
    st->counted = 0;
    st->all_came = st->said = st->asked = false;
    list_push_back(&h2->streams, &st->link);
    h2->n_streams++;
    h2->n_arriving++;
    intake_begin(&st->exchange, h2->conn);
    h2_head_begin(&st->head, &st->exchange.snapshot->limits, &st->exchange.head, &st->bytes);
    *head = &st->head;
    return st;
}

static void stream_refuse(struct h2_stream *st, unsigned status, const char *why)
{
    set_state(st, H2_WAIT);
    exchange_page(&st->exchange, status, str_of(why));
}

static void send_hints(struct h2_stream *st)
{
    struct str links = hints_for(conn_of(st)->lane->hints, &st->exchange);
    struct header field = { STR("link"), links };

    if (links.n > 0)
        (void)!h2_interim(st->h2->session, st->id, &(struct h2_answer){ .status = 103, .fields = &field, .n = 1 });
}

static void stream_start(struct h2_stream *st)
{
    set_state(st, H2_WAIT);
    send_hints(st);
    intake_start(&st->exchange);
}

static void await_body(struct h2_stream *st)
{
    set_state(st, H2_BODY);
    st->deadline = loop_now(conn_of(st)->lane->loop) + PACE_GRACE_NS;
    if (st->exchange.head.expect_continue)
        (void)!h2_interim(st->h2->session, st->id, &(struct h2_answer){ .status = 100 });
}

static void on_head(void *stream, bool end)
{
    struct h2_stream *st = stream;
    struct exchange *ex = &st->exchange;
    struct intake_refusal refusal;

    st->all_came = end;
    st->counted = st->bytes.len;
    st->h2->heads += st->counted;
    if (intake_identify(ex, conn_of(st), st->bytes.data) != 0) {
        shed_note(conn_of(st)->lane, "a request");
        h2_reset(st->h2->session, st->id, H2_REFUSED_STREAM);
        return;
    }
    if (st->head.status != 0) {
        stream_refuse(st, st->head.status, st->head.reason);
        return;
    }
    switch (intake_route(ex, &refusal)) {
    case INTAKE_START:
        stream_start(st);
        break;
    case INTAKE_BODY:
        await_body(st);
        break;
    case INTAKE_REFUSE:
        stream_refuse(st, refusal.status, refusal.why);
        break;
    }
}

/* Time is earned by bytes. Who has earned all there is goes last, should somebody have to go. */
static void earn_for_body(struct h2_stream *st, size_t n)
{
    struct conn *c = conn_of(st);
    uint64_t now = loop_now(c->lane->loop);

    st->deadline = pace_earn(st->deadline, now, n);
    if (st->deadline == now + PACE_GRACE_NS)
        evict_last(c);
}

static void on_data(void *stream, const char *p, size_t n)
{
    struct h2_stream *st = stream;
    struct intake_refusal refusal;

    h2_took(st->h2->session, st->id, n);
    if (st->state != H2_BODY)
        return; /* an answer is under way that does not depend on it */
    if (intake_body(&st->exchange, p, n, &refusal) != 0)
        stream_refuse(st, refusal.status, refusal.why);
    else
        earn_for_body(st, n);
}

static void on_end(void *stream)
{
    struct h2_stream *st = stream;

    st->all_came = true;
    if (st->state != H2_BODY)
        return;
    st->exchange.body_complete = true;
    stream_start(st);
}

static void on_said(void *stream)
{
    struct h2_stream *st = stream;

    st->said = true;
    st->deadline = 0;
    stream_news(st);
}

static void on_closed(void *stream)
{
    struct h2_stream *st = stream;

    st->open = false;
    stream_news(st);
}

/* ---- the response: its head ---- */

static void add_own_fields(struct h2_stream *st)
{
    struct exchange *ex = &st->exchange;
    struct response *r = &ex->response;
    char digits[DIGITS_U64];

    if (!r->date)
        exchange_add(ex, STR("date"), lane_date(conn_of(st)->lane));
    if (exchange_tells_length(ex))
        exchange_add(ex, STR("content-length"),
                     arena_dup(&ex->arena, str_make(digits, digits_u64(digits, (uint64_t)r->length))));
}

static void stream_respond(struct h2_stream *st)
{
    struct exchange *ex = &st->exchange;
    struct response *r = &ex->response;
    struct lane *lane = conn_of(st)->lane;

    hints_learn(lane->hints, ex);
    add_own_fields(st);
    r->no_body |= ex->head.method == HTTP_HEAD || !http_status_has_content(r->status);
    st->answer = (struct h2_answer){ r->status, r->fields, r->n_fields, !r->no_body && r->length != 0 };
    if (h2_respond(st->h2->session, st->id, &st->answer) != 0) {
        shed_note(lane, "an answer");
        h2_reset(st->h2->session, st->id, H2_INTERNAL_ERROR);
        set_state(st, H2_REST);
        return;
    }
    r->started = true;
    set_state(st, st->answer.body ? H2_SEND : H2_REST);
    if (admit_is_tight(&lane->edge->admit, loop_now(lane->loop)))
        h2_leave(st->h2);
}

/* ---- its body, pulled by the session ---- */

/* What is left of the length that was announced. */
static uint64_t left_of(const struct exchange *ex)
{
    return ex->response.length < 0 ? UINT64_MAX : (uint64_t)ex->response.length - ex->sent;
}

static ssize_t on_pull(void *stream, size_t max, bool *last)
{
    struct h2_stream *st = stream;
    struct exchange *ex = &st->exchange;

    for (;;) {
        struct piece piece = { .fd = -1 };
        uint64_t left = left_of(ex), n;

        switch (exchange_peek(ex, &piece)) {
        case PIECE_WAIT:
            st->asked = true;
            st->deadline = 0;
            return -EAGAIN;
        case PIECE_FAIL:
            return -EIO;
        case PIECE_END:
            *last = true;
            return ex->response.length >= 0 && left > 0 ? -EIO : 0;
        case PIECE_DATA:
        case PIECE_FILE:
            n = piece.size < left ? piece.size : left;
            if (n == 0) { /* more than its length: dropped */
                exchange_consume(ex, (size_t)piece.size);
                break;
            }
            n = n < max ? n : max;
            *last = n == left;
            return (ssize_t)n;
        }
    }
}

static int copy_file(const struct piece *piece, char *out, size_t n)
{
    size_t at = 0;

    while (at < n) {
        ssize_t got = pread(piece->fd, out + at, n - at, (off_t)(piece->offset + at));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EIO; /* the file became shorter than what was announced */
        at += (size_t)got;
    }
    return 0;
}

static void copy_data(const struct piece *piece, char *out, size_t n)
{
    for (int i = 0; i < piece->n_iov && n > 0; i++) {
        size_t part = piece->iov[i].iov_len < n ? piece->iov[i].iov_len : n;

        memcpy(out, piece->iov[i].iov_base, part);
        out += part;
        n -= part;
    }
}

static int on_take(void *stream, char *out, size_t n)
{
    struct h2_stream *st = stream;
    struct exchange *ex = &st->exchange;
    struct piece piece = { .fd = -1 };

    switch (exchange_peek(ex, &piece)) { /* as `pull` has seen it a moment ago */
    case PIECE_DATA:
        if (piece.size < n)
            return -EIO;
        copy_data(&piece, out, n);
        break;
    case PIECE_FILE:
        if (copy_file(&piece, out, n) != 0)
            return -EIO;
        break;
    default:
        return -EIO;
    }
    ex->sent += n;
    exchange_consume(ex, n);
    if (st->deadline != 0)
        st->deadline = pace_earn(st->deadline, loop_now(conn_of(st)->lane->loop), n);
    return 0;
}

static const struct h2_answer *on_answer(void *stream)
{
    return &((struct h2_stream *)stream)->answer;
}

static void on_ponged(void *arg)
{
    h2_ponged(arg);
}

const struct h2_events h2_stream_events = { .begin = on_begin,
                                            .head = on_head,
                                            .data = on_data,
                                            .end = on_end,
                                            .said = on_said,
                                            .closed = on_closed,
                                            .pull = on_pull,
                                            .take = on_take,
                                            .answer = on_answer,
                                            .ponged = on_ponged };

void h2_stream_blocked(struct h2_stream *st)
{
    bool body = st->state == H2_SEND && !st->asked;
    bool head = st->state == H2_REST && !st->said; /* an answer without a body */

    if (!st->open || (!body && !head))
        return;
    if (st->deadline == 0)
        st->deadline = loop_now(conn_of(st)->lane->loop) + PACE_GRACE_NS;
    if (body)
        exchange_blocked(&st->exchange);
}

/* ---- what happened to it ---- */

static void stream_done(struct h2_stream *st, size_t dropped)
{
    struct conn *c = conn_of(st);

    stats_add(&c->lane->stats.requests, 1);
    c->served++;
    (void)conn_spend(c, 1, dropped);
    stream_end(st);
}

/* What nobody will get is taken from the handler until it has ended. */
static void drop_rest(struct h2_stream *st)
{
    struct exchange *ex = &st->exchange;
    size_t dropped = 0;

    while (ex->response.ready && dropped < REST_TURN) {
        struct piece piece = { .fd = -1 };

        switch (exchange_peek(ex, &piece)) {
        case PIECE_WAIT:
            return;
        case PIECE_FAIL:
        case PIECE_END:
            if (st->said || !st->open) /* else its last frame is still to be sent */
                stream_done(st, dropped);
            return;
        case PIECE_DATA:
        case PIECE_FILE:
            dropped += (size_t)piece.size;
            exchange_consume(ex, (size_t)piece.size);
            break;
        }
    }
    if (dropped == 0)
        return;
    (void)conn_spend(conn_of(st), 0, dropped);
    stream_news(st);
}

/* The session has reset a head that breaks the rules of HTTP/2 (RFC 9113 8.1.1), and none came to on_head. In log and metrics it is the 400 that the same
 * request is by HTTP/1. */
static void note_malformed(struct h2_stream *st)
{
    struct exchange *ex = &st->exchange;
    const char *bytes = st->bytes.data != NULL ? st->bytes.data : ""; /* it may have had none */

    if (st->state != H2_HEAD || st->counted > 0 || intake_identify(ex, conn_of(st), bytes) != 0)
        return;
    ex->response.status = 400;
    ex->response.started = true;
}

/* Reset before all was said. Whether it can be forgotten depends on whether a worker runs it. */
static void stream_broken(struct h2_stream *st)
{
    struct exchange *ex = &st->exchange;
    bool asked = st->state == H2_WAIT || st->state == H2_SEND;

    ex->client_gone = true;
    note_malformed(st);
    if (asked && ex->handler->client_left != NULL && !ex->handler->client_left(ex)) {
        set_state(st, H2_REST);
        exchange_unfilter(ex);
        drop_rest(st);
    } else {
        stream_end(st);
    }
}

void h2_stream_step(struct h2_stream *st)
{
    if (!st->open && !st->said && st->state != H2_REST) {
        stream_broken(st);
        return;
    }
    if (st->state == H2_WAIT && st->exchange.response.ready)
        stream_respond(st);
    if (st->state == H2_SEND && st->asked) {
        st->asked = false;
        h2_resume(st->h2->session, st->id);
    }
    if (st->state == H2_SEND && st->said)
        set_state(st, H2_REST);
    if (st->state == H2_REST)
        drop_rest(st);
}

void h2_stream_too_slow(struct h2_stream *st)
{
    struct conn *c = conn_of(st);

    stats_add(&c->lane->stats.too_slow, 1);
    st->deadline = 0;
    if (st->state == H2_HEAD)
        conn_close(c); /* in the middle of a block nothing else can come */
    else if (st->state == H2_BODY)
        stream_refuse(st, 408, "the request body did not arrive in time");
    else if (c->writable)
        h2_reset(st->h2->session, st->id, H2_CANCEL);
    else
        conn_close(c); /* it takes nothing: not even that would reach it */
}
