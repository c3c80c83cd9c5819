/*
 * Responses onto the wire (RFC 9112 6 and 7): one writev for head, framing and data where it can be.
 *
 * `out` holds what we wrote ourselves (head, chunk sizes), `direct` counts bytes of the handler's current piece that were announced and are
 * still to be written straight from where they lie. The order on the wire is always: out, then direct.
 */
#include "edge/h1_write.h"

#include <errno.h>

#include "edge/edge_process.h"
#include "edge/h1.h"
#include "http/response.h"

#define HEAD_ROOM 512           /* status line, our own fields, chunk sizes */
#define SENDFILE_MAX (1u << 20) /* per call, so that one fast client does not hold the lane */

/* out.max is twice the largest head a worker can send, so nothing that is added here can fail. */
static void out_add(struct h1 *h1, struct str s)
{
    must(buf_add_str(&h1->out, s) == 0);
}

static void out_field(struct h1 *h1, struct str name, struct str value)
{
    must(http_response_field(&h1->out, name, value) == 0);
}

static void decide_framing(struct h1 *h1)
{
    struct exchange *ex = &h1->exchange;
    struct response *r = &ex->response;

    if (ex->head.method == HTTP_HEAD || !http_status_has_content(r->status))
        r->no_body = true;
    if (r->no_body || r->length >= 0)
        return;
    if (ex->head.minor >= 1)
        h1->chunked = true;
    else
        ex->close = true; /* HTTP/1.0: the end of the connection is the end of the body */
}

static void add_framing_fields(struct h1 *h1, struct conn *c)
{
    struct exchange *ex = &h1->exchange;
    struct response *r = &ex->response;

    if (exchange_tells_length(ex)) {
        must(http_response_number(&h1->out, STR("Content-Length"), (uint64_t)r->length) == 0);
    } else if (h1->chunked) {
        out_field(h1, STR("Transfer-Encoding"), STR("chunked"));
    }
    if (c->lane->draining || admit_is_tight(&c->lane->edge->admit, loop_now(c->lane->loop)))
        ex->close = true;
    if (ex->close)
        out_field(h1, STR("Connection"), STR("close"));
    else if (ex->head.minor == 0)
        out_field(h1, STR("Connection"), STR("keep-alive"));
}

/* An upper bound of what goes into `out` from here to the end of the response: head, and the framing around one piece. */
static size_t room_for_head(const struct response *r)
{
    size_t n = HEAD_ROOM + r->reason.n;

    for (uint32_t i = 0; i < r->n_fields; i++)
        n += r->fields[i].name.n + r->fields[i].value.n + 4;
    return n;
}

int h1_write_head(struct conn *c)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;
    struct response *r = &ex->response;

    if (buf_try_reserve(&h1->out, room_for_head(r)) != 0)
        return -ENOMEM;
    decide_framing(h1);
    r->started = true;
    must(http_response_begin(&h1->out, r->status, r->reason) == 0);
    if (!r->date)
        out_field(h1, STR("Date"), lane_date(c->lane));
    for (uint32_t i = 0; i < r->n_fields; i++)
        out_field(h1, r->fields[i].name, r->fields[i].value);
    add_framing_fields(h1, c);
    must(http_response_end(&h1->out) == 0);
    return 0;
}

static void out_written(struct h1 *h1, size_t n)
{
    h1->out_pos += n;
    h1->moved += n;
    if (h1->out_pos == h1->out.len) {
        buf_clear(&h1->out);
        h1->out_pos = 0;
    }
}

static enum h1_write_result write_failed(struct conn *c, ssize_t error)
{
    if (error != -EAGAIN)
        return H1_WRITE_DEAD;
    c->writable = false;
    exchange_blocked(&c->h1->exchange);
    return H1_WRITE_BLOCKED;
}

static int write_out(struct conn *c, bool more)
{
    struct h1 *h1 = c->h1;

    while (h1->out_pos < h1->out.len) {
        struct iovec iov = { h1->out.data + h1->out_pos, h1->out.len - h1->out_pos };
        ssize_t n = more ? stream_writev_more(&c->stream, &iov, 1) : stream_writev(&c->stream, &iov, 1);

        if (n < 0) {
            if (n == -EAGAIN)
                c->writable = false;
            return (int)n;
        }
        out_written(h1, (size_t)n);
    }
    return 0;
}

int h1_write_out(struct conn *c)
{
    return write_out(c, false);
}

static void direct_written(struct h1 *h1, size_t n)
{
    struct exchange *ex = &h1->exchange;

    h1->direct -= n;
    h1->moved += n;
    ex->sent += n;
    exchange_consume(ex, n);
    if (h1->direct == 0 && h1->chunked)
        out_add(h1, STR(HTTP_CHUNK_TAIL));
}

/* out and data in one writev. */
static ssize_t write_data(struct conn *c, const struct piece *piece)
{
    struct h1 *h1 = c->h1;
    struct iovec iov[3];
    size_t out_left = h1->out.len - h1->out_pos;
    uint64_t left = h1->direct;
    int n_iov = 0;
    ssize_t n;

    if (out_left > 0)
        iov[n_iov++] = (struct iovec){ h1->out.data + h1->out_pos, out_left };
    for (int i = 0; i < piece->n_iov && left > 0; i++) {
        size_t part = piece->iov[i].iov_len < left ? piece->iov[i].iov_len : (size_t)left;

        iov[n_iov++] = (struct iovec){ piece->iov[i].iov_base, part };
        left -= part;
    }
    n = stream_writev(&c->stream, iov, n_iov);
    if (n <= 0)
        return n;
    if ((size_t)n < out_left) {
        out_written(h1, (size_t)n);
        return n;
    }
    out_written(h1, out_left);
    if ((size_t)n > out_left)
        direct_written(h1, (size_t)n - out_left);
    return n;
}

static size_t smallest(uint64_t a, uint64_t b, size_t c)
{
    uint64_t least = a < b ? a : b;

    return least < c ? (size_t)least : c;
}

static ssize_t write_file(struct conn *c, const struct piece *piece)
{
    struct h1 *h1 = c->h1;
    size_t want = smallest(h1->direct, piece->size, SENDFILE_MAX);
    ssize_t n;
    int error;

    error = write_out(c, true);
    if (error != 0)
        return error;
    n = stream_sendfile(&c->stream, piece->fd, (off_t)piece->offset, want);
    if (n == 0)
        return -EIO; /* the file became shorter than what was announced */
    if (n > 0)
        direct_written(h1, (size_t)n);
    return n;
}

/* A new piece from the handler: how many of its bytes go out, and their chunk size line. */
static void announce(struct h1 *h1, const struct piece *piece)
{
    struct exchange *ex = &h1->exchange;
    struct response *r = &ex->response;
    uint64_t n = piece->size;

    if (r->no_body) {
        exchange_consume(ex, (size_t)n);
        return;
    }
    if (r->length >= 0 && n > (uint64_t)r->length - ex->sent) {
        n = (uint64_t)r->length - ex->sent;
        if (n == 0) { /* more than its Content-Length: the rest is dropped, the framing stays right */
            exchange_consume(ex, (size_t)piece->size);
            return;
        }
    }
    h1->direct = n;
    if (h1->chunked) {
        char line[HTTP_CHUNK_HEAD_MAX];

        out_add(h1, str_make(line, http_chunk_head(line, (size_t)n)));
    }
}

/* The handler's END. False: it ended short of its Content-Length. */
static bool announce_end(struct h1 *h1)
{
    struct exchange *ex = &h1->exchange;
    struct response *r = &ex->response;

    if (!r->no_body && r->length >= 0 && ex->sent < (uint64_t)r->length)
        return false;
    if (h1->chunked)
        out_add(h1, STR(HTTP_CHUNK_LAST));
    h1->tail = true;
    return true;
}

/*
 * All that is left of the response is announced, and the connection ends with it. Only where the client has asked for that: what another one sends before it has
 * read ours resets the connection, and the bytes that wait would be lost. And only where the end is sure to come at once: an application's last byte may be
 * here long before its END.
 */
static bool is_ending(const struct h1 *h1)
{
    const struct exchange *ex = &h1->exchange;

    if (!h1->last)
        return false;
    return h1->tail || (ex->handler->client_left == NULL && h1->direct > 0 &&
                        ex->sent + h1->direct == (uint64_t)ex->response.length);
}

/* Writes what is announced. */
static enum h1_write_result write_announced(struct conn *c, enum piece_kind kind, const struct piece *piece)
{
    struct h1 *h1 = c->h1;
    ssize_t n;

    if (is_ending(h1))
        stream_ending(&c->stream);
    if (h1->direct == 0)
        n = h1_write_out(c);
    else if (kind == PIECE_FILE)
        n = write_file(c, piece);
    else
        n = write_data(c, piece);
    if (n < 0)
        return write_failed(c, n);
    return conn_spend(c, 0, (size_t)n) ? H1_WRITE_PAUSED : H1_WRITE_DONE;
}

enum h1_write_result h1_write(struct conn *c)
{
    struct h1 *h1 = c->h1;
    struct exchange *ex = &h1->exchange;
    enum h1_write_result result;

    for (;;) {
        struct piece piece = { .fd = -1 };
        enum piece_kind kind = PIECE_END;

        if (!c->writable) {
            exchange_blocked(ex);
            return H1_WRITE_BLOCKED;
        }
        if (!h1->tail) {
            kind = exchange_peek(ex, &piece);
            if (kind == PIECE_FAIL || (kind == PIECE_END && h1->direct == 0 && !announce_end(h1))) {
                (void)!h1_write_out(c);
                return H1_WRITE_DEAD;
            }
            if ((kind == PIECE_DATA || kind == PIECE_FILE) && h1->direct == 0) {
                announce(h1, &piece);
                if (h1->direct == 0 && conn_spend(c, 0, (size_t)piece.size))
                    return H1_WRITE_PAUSED;
                if (h1->direct == 0)
                    continue; /* dropped: look for what follows */
            }
        }
        result = write_announced(c, kind, &piece);
        if (result != H1_WRITE_DONE && !(result == H1_WRITE_PAUSED && h1->tail && h1->out.len == 0))
            return result;
        if (kind == PIECE_WAIT && h1->out.len == 0)
            return H1_WRITE_WAITING;
        if (h1->tail && h1->out.len == 0)
            return H1_WRITE_DONE;
    }
}
