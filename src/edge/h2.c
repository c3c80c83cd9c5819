/* HTTP/2 on a connection: states, reading, writing, the end. The streams are in h2_stream.c. */
#include "edge/h2.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/pace.h"
#include "edge/shed.h"

#define FIRST_NS (60 * NS_PER_SEC) /* for the first request */
/* What is read may be frames of ten bytes, each of which takes as long as a kilobyte that is written: a turn's share of them is 64 KiB. */
#define READ_MAX (32u << 10)
#define READ_WEIGHT 16
#define TICK_NS (5 * NS_PER_SEC)   /* how often the streams' deadlines are looked at */
#define NOTICE_NS NS_PER_SEC       /* for requests on their way, once the client has been told to send no more */
#define ENDING_NS (5 * NS_PER_SEC) /* for the last frames */

static const struct conn_state h2_idle, h2_upload, h2_busy, h2_flush, h2_ending;

/* ---- the end ---- */

/* What waits to be written is all that is still said. */
static void h2_end(struct h2 *h2)
{
    h2->failed = true;
    h2_stream_free_all(h2);
    conn_set_state(h2->conn, &h2_ending);
}

static void h2_go(struct h2 *h2, enum h2_code code)
{
    if (h2->leaving == H2_GONE)
        return;
    h2->leaving = H2_GONE;
    h2_goaway(h2->session, code);
}

/* What this asks to be said goes at the end of the turn: whoever drains goes through a list of connections, which must not change meanwhile. */
void h2_leave(struct h2 *h2)
{
    struct conn *c = h2->conn;

    if (h2->leaving != H2_STAYS || h2->failed)
        return;
    h2->leaving = H2_NOTICED;
    h2->noticed_ns = loop_now(c->lane->loop);
    h2_notice(h2->session);
    h2_ping(h2->session);
    conn_touch(c);
    loop_defer(c->lane->loop, &c->task);
}

void h2_ponged(struct h2 *h2)
{
    if (h2->leaving == H2_NOTICED)
        h2_go(h2, H2_NO_ERROR);
}

/* What a client did too often. It has been told; whoever runs the site may want to know, too. */
static void note_abuse(struct h2 *h2)
{
    struct conn *c = h2->conn;
    enum h2_guard guard = h2_abuse(h2->session);
    uint64_t times = log_seldom(&c->lane->h2_said, loop_now(c->lane->loop));
    char text[SOCK_TEXT_MAX];

    stats_add(&c->lane->stats.h2_abuse[guard], 1);
    if (times > 0)
        log_event(&c->lane->edge->log, LOG_WARNING, "an HTTP/2 connection was ended: too many frames of one kind",
                  LOG_Z("kind", h2_guard_name(guard)), LOG_S("peer", str_make(text, sock_host_text(&c->peer, text))),
                  LOG_N("times", times));
}

/* ---- reading ---- */

static void take_input(struct h2 *h2, const char *p, size_t n)
{
    struct conn *c = h2->conn;
    int error;

    h2->inside = true;
    error = h2_input(h2->session, p, n, loop_now(c->lane->loop));
    h2->inside = false;
    if (error == 0)
        return;
    if (error == -EDQUOT)
        note_abuse(h2);
    else if (error == -ENOMEM)
        shed_note(c->lane, "an HTTP/2 session");
    h2->failed = true;
}

/* Bytes read, 0: none now, or closed. */
static size_t h2_read(struct conn *c)
{
    ssize_t n;

    if (!c->readable || h2_is_stuffed(c->h2->session))
        return 0;
    n = stream_read(&c->stream, c->lane->scratch, READ_MAX);
    if (n > 0) {
        if (!c->peer_gone && stream_emptied(&c->stream, (size_t)n, READ_MAX))
            c->readable = false;
        take_input(c->h2, c->lane->scratch, (size_t)n);
        return (size_t)n;
    }
    c->readable = false;
    if (n != -EAGAIN)
        conn_close(c);
    return 0;
}

/* ---- writing ---- */

/* The buffer goes round: who has nothing to say holds none, and the next one need not ask the heap. */
static void take_out(struct h2 *h2)
{
    struct lane *lane = h2->conn->lane;

    if (h2->out.cap == 0) {
        h2->out = lane->h2_out;
        buf_init(&lane->h2_out, H2_OUT_MAX);
    }
}

static void give_out(struct h2 *h2)
{
    struct lane *lane = h2->conn->lane;

    buf_fini(&lane->h2_out);
    buf_clear(&h2->out);
    lane->h2_out = h2->out;
    buf_init(&h2->out, H2_OUT_MAX);
    h2->out_pos = 0;
}

/* More frames into `out`. False: there are none. */
static bool h2_fill(struct h2 *h2)
{
    struct conn *c = h2->conn;
    int error;

    take_out(h2);
    buf_clear(&h2->out);
    h2->out_pos = 0;
    h2->inside = true;
    error = h2_output(h2->session, &h2->out, loop_now(c->lane->loop));
    h2->inside = false;
    if (error == -EDQUOT && !h2->failed) {
        note_abuse(h2);
        h2->failed = true;
    } else if (error == -ENOMEM) {
        shed_note(c->lane, "an HTTP/2 answer");
        conn_close(c);
        return false;
    }
    return h2->out.len > 0;
}

/* Bytes written. */
static size_t h2_write(struct conn *c)
{
    struct h2 *h2 = c->h2;
    struct iovec iov;
    ssize_t n;

    if (!c->writable || (h2->out_pos == h2->out.len && !h2_fill(h2)))
        return 0;
    iov = (struct iovec){ h2->out.data + h2->out_pos, h2->out.len - h2->out_pos };
    n = stream_writev(&c->stream, &iov, 1);
    if (n > 0) {
        h2->out_pos += (size_t)n;
        return (size_t)n;
    }
    c->writable = false;
    if (n != -EAGAIN)
        conn_close(c);
    return 0;
}

/* Nothing of it may be running: who needs memory for one of its own streams evicts, too. */
void h2_farewell(struct h2 *h2)
{
    struct conn *c = h2->conn;

    if (h2->inside || h2->failed || c->state != &h2_idle)
        return;
    h2_go(h2, H2_NO_ERROR);
    (void)h2_write(c);
}

/* ---- streams ---- */

/* False: they need another turn. */
static bool h2_hear_streams(struct h2 *h2)
{
    struct list *link;

    while (!h2->conn->closed && !h2->conn->paused && (link = list_pop_front(&h2->news)) != NULL) {
        list_init(link);
        h2_stream_step(CONTAINER_OF(link, struct h2_stream, news));
    }
    return list_empty(&h2->news);
}

/* Nothing goes out any more: the socket takes nothing, or the client's windows are shut. */
static void h2_tell_blocked(struct h2 *h2)
{
    LIST_EACH(link, &h2->streams)
        h2_stream_blocked(CONTAINER_OF(link, struct h2_stream, link));
}

/* ---- the connection's states ---- */

static bool is_flushed(const struct h2 *h2)
{
    return h2->out_pos == h2->out.len;
}

static const struct conn_state *state_of(const struct h2 *h2)
{
    if (h2->n_streams == 0)
        return is_flushed(h2) ? &h2_idle : &h2_flush;
    return h2->n_arriving == h2->n_streams ? &h2_upload : &h2_busy;
}

/* At once when a request begins: who has one must not be taken for idle, not even until the end of the turn. */
static void h2_restate(struct conn *c)
{
    const struct conn_state *state = state_of(c->h2);

    if (c->state == state)
        return;
    if (c->state == &h2_idle || c->state == &h2_flush)
        c->h2->look_ns = loop_now(c->lane->loop) + TICK_NS;
    conn_set_state(c, state);
}

/* All that could be done has been done for now. */
static void h2_settle(struct conn *c)
{
    struct h2 *h2 = c->h2;

    h2_tell_blocked(h2);
    if (is_flushed(h2) && h2->out.cap > 0)
        give_out(h2);
    h2_restate(c);
    if (h2->n_streams == 0 && c->served > 0 && c->lane->snapshot->conf->keep_alive == 0)
        h2_leave(h2);
}

static bool h2_step(struct conn *c)
{
    struct h2 *h2 = c->h2;
    size_t got = h2_read(c) * READ_WEIGHT, sent;

    if (c->closed)
        return false;
    h2_restate(c);
    if (!h2_hear_streams(h2))
        return false;
    sent = h2_write(c);
    if (c->closed)
        return false;
    if (h2->failed || (h2_is_over(h2->session) && is_flushed(h2))) {
        h2_end(h2);
        return true;
    }
    if (sent > 0 && c->state == &h2_flush)
        conn_earn(c, sent);
    if (got + sent > 0)
        return !conn_spend(c, 0, got + sent);
    if (!h2_hear_streams(h2) || !list_empty(&h2->news))
        return false;
    h2_settle(c);
    return false;
}

static uint64_t time_until(const struct conn *c, uint64_t at)
{
    uint64_t now = loop_now(c->lane->loop);

    return at > now ? at - now : 1;
}

static uint64_t idle_timeout(const struct conn *c)
{
    if (c->h2->leaving == H2_NOTICED)
        return time_until(c, c->h2->noticed_ns + NOTICE_NS);
    return c->served == 0 ? FIRST_NS : c->lane->snapshot->conf->keep_alive;
}

static void idle_timed_out(struct conn *c)
{
    if (c->h2->leaving == H2_GONE) {
        conn_close(c);
        return;
    }
    h2_go(c->h2, H2_NO_ERROR);
    conn_touch(c);
    conn_advance(c);
}

static const struct conn_state h2_idle = {
    .name = "h2 idle", .step = h2_step, .timed_out = idle_timed_out, .timeout = idle_timeout, .rank = EVICT_KEPT
};

/* At times of their own, so that requests that come and go do not put off a look at one that stays. */
static uint64_t tick(const struct conn *c)
{
    const struct h2 *h2 = c->h2;
    uint64_t noticed = h2->leaving == H2_NOTICED ? h2->noticed_ns + NOTICE_NS : UINT64_MAX;

    return time_until(c, noticed < h2->look_ns ? noticed : h2->look_ns);
}

/* The socket's buffer may hold megabytes, and it is no news to us when a slow client takes some of them: the kernel knows. */
static uint64_t taken_meanwhile(struct h2 *h2)
{
    uint64_t before = h2->taken;

    if (h2->conn->writable)
        return 0;
    h2->taken = sock_taken(h2->conn->stream.fd);
    return h2->taken > before ? h2->taken - before : 0;
}

static void credit_streams(struct h2 *h2, uint64_t now, uint64_t bytes)
{
    LIST_EACH(link, &h2->streams) {
        struct h2_stream *st = CONTAINER_OF(link, struct h2_stream, link);

        if (st->deadline != 0 && (st->state == H2_SEND || st->state == H2_REST))
            st->deadline = pace_earn(st->deadline, now, bytes);
    }
}

static struct h2_stream *find_slow(const struct h2 *h2, uint64_t now)
{
    LIST_EACH(link, &h2->streams) {
        struct h2_stream *st = CONTAINER_OF(link, struct h2_stream, link);

        if (st->deadline != 0 && now >= st->deadline)
            return st;
    }
    return NULL;
}

static void ticked(struct conn *c)
{
    struct h2 *h2 = c->h2;
    uint64_t now = loop_now(c->lane->loop), taken = taken_meanwhile(h2);
    struct h2_stream *slow;

    h2->look_ns = now + TICK_NS;
    if (taken > 0)
        credit_streams(h2, now, taken);
    while (!c->closed && (slow = find_slow(h2, now)) != NULL) /* from the beginning: an answer may end other streams */
        h2_stream_too_slow(slow);
    if (c->closed)
        return;
    if (h2->leaving == H2_NOTICED && now - h2->noticed_ns >= NOTICE_NS)
        h2_go(h2, H2_NO_ERROR);
    conn_touch(c);
    conn_advance(c);
}

static const struct conn_state h2_upload = {
    .name = "h2 upload", .step = h2_step, .timed_out = ticked, .timeout = tick, .rank = EVICT_UPLOAD
};
static const struct conn_state h2_busy = { .name = "h2 busy", .step = h2_step, .timed_out = ticked, .timeout = tick };

/* ---- the last bytes of the last answer ---- */

static uint64_t flush_timeout(const struct conn *c)
{
    (void)c;
    return PACE_GRACE_NS;
}

static void flush_timed_out(struct conn *c)
{
    uint64_t taken = taken_meanwhile(c->h2);

    if (taken > 0) {
        conn_earn(c, taken);
        return;
    }
    stats_add(&c->lane->stats.too_slow, 1);
    conn_close(c);
}

static const struct conn_state h2_flush = {
    .name = "h2 flush", .step = h2_step, .timed_out = flush_timed_out, .timeout = flush_timeout
};

/* ---- nothing more is heard ---- */

static bool ending_step(struct conn *c)
{
    if (h2_write(c) > 0)
        return true;
    if (!c->closed && c->writable)
        conn_linger(c);
    return false;
}

static uint64_t ending_timeout(const struct conn *c)
{
    (void)c;
    return ENDING_NS;
}

static const struct conn_state h2_ending = {
    .name = "h2 ending", .step = ending_step, .timed_out = conn_close, .timeout = ending_timeout
};

/* ---- beginning ---- */

enum h2_preface h2_preface(const char *p, size_t n)
{
    size_t some = n < H2_PREFACE_LEN ? n : H2_PREFACE_LEN;

    if (memcmp(p, H2_PREFACE, some) != 0)
        return H2_PREFACE_NO;
    return some == H2_PREFACE_LEN ? H2_PREFACE_YES : H2_PREFACE_PART;
}

static struct h2 *h2_make(struct conn *c)
{
    struct h2 *h2 = mem_try_zalloc(sizeof(*h2));

    if (h2 == NULL)
        return NULL;
    h2->conn = c;
    buf_init(&h2->out, H2_OUT_MAX);
    list_init(&h2->streams);
    list_init(&h2->news);
    h2->session = h2_new(&h2_stream_events, h2, &c->lane->h2_memory);
    if (h2->session != NULL)
        return h2;
    mem_free(h2);
    return NULL;
}

void h2_begin(struct conn *c, const char *p, size_t n)
{
    c->h2 = h2_make(c);
    if (c->h2 == NULL) {
        shed_note(c->lane, "an HTTP/2 session");
        conn_close(c);
        return;
    }
    stats_add(&c->lane->stats.h2_connections, 1);
    conn_set_state(c, &h2_idle);
    if (n > 0)
        take_input(c->h2, p, n);
    if (c->lane->draining)
        h2_leave(c->h2);
}

void h2_release(struct conn *c)
{
    struct h2 *h2 = c->h2;

    c->h2 = NULL;
    h2_stream_free_all(h2);
    h2_free(h2->session);
    buf_fini(&h2->out);
    mem_free(h2);
}
