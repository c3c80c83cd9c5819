/* HTTP/1 on a connection: the states and the reading side. The writing side is h1_write.c. */
#include "edge/h1.h"

#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "edge/edge_process.h"
#include "edge/h1_store.h"
#include "edge/h1_write.h"
#include "edge/h2.h"
#include "edge/handshake.h"
#include "edge/home.h"
#include "edge/intake.h"
#include "edge/pace.h"
#include "edge/proxy_head.h"
#include "edge/shed.h"

#define HEAD_TIMEOUT_NS (60 * NS_PER_SEC)   /* for the whole head: a trickle does not prolong it */
#define DRAIN_IDLE_NS NS_PER_SEC            /* in a drain: how long a request may still come on an idle connection */
#define DRAIN_HANDSHAKE_NS (5 * NS_PER_SEC) /* in a drain: for a TLS handshake under way */
#define IN_FIRST (16u << 10)

static const struct conn_state h1_head, h1_reading_body, h1_wait, h1_send;

/* ---- beginning ---- */

/* A new request begins at in.data[0]. */
static void h1_begin(struct conn *c)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;

    intake_begin(ex, c);
    h1_head_begin(&h1->parser, &ex->snapshot->limits, &ex->head);
    h1->pos = 0;
    buf_clear(&h1->out);
    h1->out_pos = 0;
    h1->direct = 0;
    h1->moved = h1->taken = 0;
    h1->chunked = h1->tail = h1->reading_body = h1->last = false;
    conn_set_state(c, &h1_head);
}

/* ---- reading ---- */

/* Reads into p. > 0; 0 when nothing came (not readable, or closed: then c->closed). */
static size_t h1_read(struct conn *c, char *p, size_t room)
{
    ssize_t n;

    if (!c->readable || room == 0)
        return 0;
    n = stream_read(&c->stream, p, room);
    if (n > 0) {
        if (!c->peer_gone && stream_emptied(&c->stream, (size_t)n, room))
            c->readable = false;
        return (size_t)n;
    }
    if (n == -EAGAIN) {
        c->readable = false;
        return 0;
    }
    if (c->h1 != NULL)
        c->h1->exchange.client_gone = true;
    conn_close(c);
    return 0;
}

/* False: there is none, and without memory for it the connection is closed. */
static bool h1_room_in(struct conn *c, size_t n)
{
    int error = buf_try_reserve(&c->h1->in, n);

    if (error != -ENOMEM)
        return error == 0;
    shed_note(c->lane, "a request's bytes");
    conn_close(c);
    return false;
}

static size_t h1_read_in(struct conn *c)
{
    struct h1 *h1 = c->h1;
    size_t n;

    if (!h1_room_in(c, h1->in.len == 0 ? IN_FIRST : 4096))
        return 0;
    n = h1_read(c, h1->in.data + h1->in.len, h1->in.cap - h1->in.len);
    buf_commit(&h1->in, n);
    return n;
}

static bool idle_step(struct conn *c)
{
    if (!c->readable)
        return false;
    if (!h1_acquire(c)) {
        shed_note(c->lane, "a request");
        conn_close(c);
        return false;
    }
    if (h1_read_in(c) == 0) {
        if (!c->closed)
            h1_release(c);
        return false;
    }
    h1_begin(c);
    return true;
}

/* A request may be on its way: a client that was never told to close is not met with a closed connection at once. */
static uint64_t drain_timeout(const struct conn *c)
{
    uint64_t most = c->lane->snapshot->conf->graceful_timeout / 2;

    return most > 0 && most < DRAIN_IDLE_NS ? most : DRAIN_IDLE_NS;
}

static uint64_t idle_timeout(const struct conn *c)
{
    if (c->lane->draining)
        return drain_timeout(c);
    return c->served == 0 ? HEAD_TIMEOUT_NS : c->lane->snapshot->conf->keep_alive;
}

const struct conn_state h1_idle = {
    .name = "idle", .step = idle_step, .timed_out = conn_close, .timeout = idle_timeout, .rank = EVICT_KEPT
};

bool h1_awaits_request(const struct conn *c)
{
    return c->state == &h1_idle || c->state == &h1_handshake || c->state == &proxy_head;
}

/* ---- handshake ---- */

void h1_agreed(struct conn *c)
{
    struct stream_tls_info info;

    if (stream_tls_info(&c->stream, &info) && str_eq(info.alpn, STR("h2")))
        h2_begin(c, NULL, 0);
    else
        conn_set_state(c, &h1_idle);
}

static bool handshake_step(struct conn *c)
{
    int r = stream_handshake(&c->stream);

    if (r == 0) {
        handshake_done(c);
        conn_shaken(c);
        if (home_move(c))
            return false;
        h1_agreed(c);
        return true;
    }
    if (r != -EAGAIN || c->peer_gone) {
        handshake_failed(c);
        conn_close(c);
    }
    return false;
}

static void note_slow(struct conn *c)
{
    stats_add(&c->lane->stats.too_slow, 1);
}

static void slow_close(struct conn *c)
{
    note_slow(c);
    conn_close(c);
}

static uint64_t handshake_timeout(const struct conn *c)
{
    return c->lane->draining ? DRAIN_HANDSHAKE_NS : HEAD_TIMEOUT_NS;
}

const struct conn_state h1_handshake = { .name = "handshake",
                                         .step = handshake_step,
                                         .timed_out = slow_close,
                                         .timeout = handshake_timeout,
                                         .rank = EVICT_BEGINNING };

/* ---- head ---- */

/* No memory to answer as one should. */
static void h1_shed(struct conn *c)
{
    struct h1 *h1 = c->h1;

    shed_note(c->lane, "an answer");
    if (c->closed)
        return;                         /* it was one of those that could be spared */
    h1->exchange.response.status = 503; /* for the log */
    buf_clear(&h1->out);
    h1->out_pos = 0;
    must(buf_add_str(&h1->out, STR("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: "
                                   "1\r\nConnection: close\r\n\r\n")) == 0);
    (void)h1_write_out(c);
    conn_linger(c);
}

/* Who asks; from here on what an answer needs of the arena is there. False: the connection has been given up. */
static bool h1_identify(struct conn *c)
{
    if (intake_identify(&c->h1->exchange, c, c->h1->in.data) == 0)
        return true;
    h1_shed(c);
    return false;
}

/* Answers with a page and gives the connection up: what follows in it cannot be trusted or is not wanted. */
static void h1_refuse(struct conn *c, unsigned status, const char *why)
{
    struct exchange *ex = &c->h1->exchange;

    ex->close = true;
    conn_set_state(c, &h1_wait);
    exchange_page(ex, status, str_of(why));
}

static uint64_t head_timeout(const struct conn *c)
{
    (void)c;
    return HEAD_TIMEOUT_NS;
}

static void head_timed_out(struct conn *c)
{
    note_slow(c);
    if (h1_identify(c))
        h1_refuse(c, 408, "the request head did not arrive in time");
    conn_advance(c);
}

static void h1_start_handler(struct conn *c)
{
    conn_set_state(c, &h1_wait);
    intake_start(&c->h1->exchange);
}

static void h1_say_continue(struct conn *c)
{
    struct h1 *h1 = c->h1;

    if (buf_add_str(&h1->out, STR("HTTP/1.1 100 Continue\r\n\r\n")) != 0)
        must_not_reach();
}

/* What we say while the body arrives. False: the connection is dead. */
static bool h1_flush_continue(struct conn *c)
{
    int error = c->h1->out.len > 0 && c->writable ? h1_write_out(c) : 0;

    if (error == 0 || error == -EAGAIN)
        return true;
    conn_close(c);
    return false;
}

static void h1_await_body(struct conn *c)
{
    struct h1 *h1 = c->h1;
    const struct http_head *head = &h1->exchange.head;

    h1_body_begin(&h1->body, head);
    h1->reading_body = true;
    conn_set_state(c, &h1_reading_body);
    if (head->expect_continue && h1->in.len == h1->pos)
        h1_say_continue(c);
}

/* The head is complete: who asks, who answers, and whether the body is wanted. */
static void h1_head_done(struct conn *c)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;
    struct intake_refusal refusal;

    if (!h1_identify(c))
        return;
    h1->pos = ex->head.length;
    h1->last = !ex->head.keep_alive;
    ex->close = !ex->head.keep_alive || ex->snapshot->conf->keep_alive == 0;
    switch (intake_route(ex, &refusal)) {
    case INTAKE_START:
        ex->close |=
            !ex->body_complete; /* the answer does not depend on it: not read, so the connection cannot go on */
        h1_start_handler(c);
        break;
    case INTAKE_BODY:
        h1_await_body(c);
        break;
    case INTAKE_REFUSE:
        h1_refuse(c, refusal.status, refusal.why);
        break;
    }
}

/* A client may know that we speak HTTP/2 (RFC 9113 3.3): its first bytes say so. */
static enum h2_preface look_for_preface(const struct conn *c)
{
    const struct buf *in = &c->h1->in;

    return c->tls || c->watch || c->served > 0 ? H2_PREFACE_NO : h2_preface(in->data, in->len);
}

static bool head_step(struct conn *c)
{
    struct h1 *h1 = c->h1;
    enum h2_preface preface = look_for_preface(c);
    enum h1_result r;

    if (preface == H2_PREFACE_PART)
        return h1_read_in(c) > 0;
    if (preface == H2_PREFACE_YES) {
        h2_begin(c, h1->in.data, h1->in.len);
        h1_release(c);
        return true;
    }
    r = h1_head_parse(&h1->parser, h1->in.data, h1->in.len, &h1->exchange.head);
    if (r == H1_DONE) {
        h1_head_done(c);
        return true;
    }
    if (r == H1_ERROR) {
        if (h1_identify(c))
            h1_refuse(c, h1->parser.status, h1->parser.reason);
        return true;
    }
    return h1_read_in(c) > 0;
}

static const struct conn_state h1_head = {
    .name = "head", .step = head_step, .timed_out = head_timed_out, .timeout = head_timeout, .rank = EVICT_BEGINNING
};

/* ---- body ---- */

/* Feeds bytes to the body decoder and spools what it finds. Returns the bytes consumed; the state is left when the body ended or failed. */
static size_t body_feed(struct conn *c, const char *p, size_t n)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;
    struct intake_refusal refusal;
    size_t done = 0, used;
    struct str data;

    for (;;) {
        enum h1_result r = h1_body_feed(&h1->body, p + done, n - done, &used, &data);

        done += used;
        if (r == H1_ERROR) {
            h1->reading_body = false;
            h1_refuse(c, h1->body.status, h1->body.reason);
            return done;
        }
        if (data.n > 0 && intake_body(ex, data.p, data.n, &refusal) != 0) {
            h1->reading_body = false;
            h1_refuse(c, refusal.status, refusal.why);
            return done;
        }
        if (r == H1_DONE) {
            h1->reading_body = false;
            ex->body_complete = true;
            return done;
        }
        if (used == 0 || done == n)
            return done;
    }
}

/* Bytes that came behind the body belong to the next request. */
static void body_keep_rest(struct conn *c, const char *p, size_t n)
{
    if (n > 0 && h1_room_in(c, n)) /* in.max is a head and a scratch buffer: it fits */
        must(buf_add(&c->h1->in, p, n) == 0);
}

static bool body_step(struct conn *c)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;
    size_t n = 0, used;

    if (!h1_flush_continue(c))
        return false;
    if (h1->pos < h1->in.len) {
        h1->pos += body_feed(c, h1->in.data + h1->pos, h1->in.len - h1->pos);
    } else {
        h1->in.len = h1->pos = ex->head.length;
        n = h1_read(c, c->lane->scratch, LANE_SCRATCH);
        if (n == 0)
            return false;
        conn_earn(c, n);
        used = body_feed(c, c->lane->scratch, n);
        body_keep_rest(c, c->lane->scratch + used, n - used);
        ex->bytes = h1->in.data; /* may have moved */
    }
    if (ex->body_complete && !c->closed)
        h1_start_handler(c);
    return !c->closed && !conn_spend(c, 0, n);
}

static void body_timed_out(struct conn *c)
{
    note_slow(c);
    h1_refuse(c, 408, "the request body did not arrive in time");
    conn_advance(c);
}

static uint64_t body_timeout(const struct conn *c)
{
    (void)c;
    return PACE_GRACE_NS;
}

static const struct conn_state h1_reading_body = {
    .name = "body", .step = body_step, .timed_out = body_timed_out, .timeout = body_timeout, .rank = EVICT_UPLOAD
};

/* ---- waiting for the handler ---- */

static void no_timeout(struct conn *c)
{
    (void)c;
}

static bool wait_step(struct conn *c)
{
    struct exchange *ex = &c->h1->exchange;

    if (ex->response.ready) {
        if (h1_write_head(c) != 0) {
            h1_shed(c);
            return true;
        }
        conn_set_state(c, &h1_send);
        return true;
    }
    if (c->peer_gone) {
        ex->client_gone = true;
        if (ex->handler != NULL && ex->handler->client_left != NULL)
            (void)ex->handler->client_left(ex);
        conn_close(c);
    }
    return false;
}

static const struct conn_state h1_wait = { .name = "wait", .step = wait_step, .timed_out = no_timeout };

/* ---- sending ---- */

/* The response is out: the next request, or the end of the connection. */
static void h1_next(struct conn *c)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;
    bool close = ex->close; /* as the head said: in a drain every head that is still to be written says so */
    bool unread = !ex->body_complete || h1->pos < h1->in.len;

    stats_add(&c->lane->stats.requests, 1);
    c->served++;
    exchange_end(ex);
    if (close) {
        if (unread || c->readable)
            conn_linger(c);
        else
            conn_end(c);
        return;
    }
    if (h1->pos == h1->in.len) {
        h1_release(c);
        conn_set_state(c, &h1_idle);
        return;
    }
    buf_consume(&h1->in, h1->pos);
    h1_begin(c);
}

static bool send_step(struct conn *c)
{
    switch (h1_write(c)) {
    case H1_WRITE_DONE:
        h1_next(c);
        return !c->closed && !conn_spend(c, 1, 0);
    case H1_WRITE_PAUSED:
        conn_touch(c);
        return false;
    case H1_WRITE_DEAD:
        c->h1->exchange.client_gone = true;
        conn_close(c);
        return false;
    case H1_WRITE_BLOCKED:
    case H1_WRITE_WAITING:
        if (c->writable)
            conn_touch(c);
        else
            conn_earn(c, c->h1->moved); /* news from the application do not prolong the client's time */
        c->h1->moved = 0;
        if (c->peer_gone && c->state == &h1_send && c->writable) {
            c->h1->exchange.client_gone = true;
            conn_close(c);
        }
        return false;
    }
    must_not_reach();
}

static uint64_t send_timeout(const struct conn *c)
{
    return c->writable ? 0 : PACE_GRACE_NS; /* only the client's slowness is timed, not the application's */
}

/* The socket's buffer may hold megabytes, and it is no news to us when a slow client takes some of them: the kernel knows. */
static void send_timed_out(struct conn *c)
{
    uint64_t before = c->h1->taken;

    c->h1->taken = sock_taken(c->stream.fd);
    if (c->h1->taken > before)
        conn_earn(c, c->h1->taken - before);
    else
        slow_close(c);
}

static const struct conn_state h1_send = {
    .name = "send", .step = send_step, .timed_out = send_timed_out, .timeout = send_timeout
};
