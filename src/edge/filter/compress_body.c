/* Pull, encode, hand out. */
#include "edge/filter/compress_body.h"

#include <errno.h>
#include <unistd.h>

#include "edge/edge_process.h"
#include "edge/encoders.h"
#include "edge/exchange.h"

#define UNKNOWN UINT64_MAX

struct compress {
    struct exchange *ex;     /* borrowed */
    struct encoder *encoder; /* owned; NULL: the body is whole */
    char *output;            /* owned */
    size_t at, n;            /* what is in it */
    enum encoder_op op;      /* under way; ENCODER_GO: none */
    uint64_t left;           /* bytes that the handler still owes; UNKNOWN: until its end */
    uint32_t spent;          /* bytes taken in this turn */
    uint64_t turn_ns;        /* which is this one */
    bool fed;                /* bytes went in since the last flush */
    enum coding coding;
    struct encoders_turn turn;
};

/* What a step leads to: on to the next one, or an answer to the protocol. */
enum step { STEP_ON, STEP_OUT, STEP_WAIT, STEP_END, STEP_FAIL };

static void give_encoder(struct compress *c)
{
    if (c->encoder != NULL)
        encoders_give(c->ex->lane->encoders, c->encoder);
    c->encoder = NULL;
}

/* One call of the encoder. As encoder_run; *taken: of the input. */
static int run(struct compress *c, const char *in, size_t n, enum encoder_op op, size_t *taken)
{
    struct encoder_io io = { in, n, c->output + c->n, ENCODERS_OUTPUT - c->n };
    struct lane_stats *stats = &c->ex->lane->stats;
    int r = encoder_run(c->encoder, &io, op);
    size_t made = (size_t)(io.out - (c->output + c->n));

    *taken = n - io.n_in;
    c->n += made;
    stats_add(&stats->packed_in[c->coding], *taken);
    stats_add(&stats->packed_out[c->coding], made);
    return r;
}

/* ---- input ---- */

/* The part of the piece that may go in now. */
static size_t share(const struct compress *c, uint64_t n)
{
    uint64_t most = COMPRESS_TURN - c->spent;

    if (most > n)
        most = n;
    return (size_t)(most > c->left ? c->left : most);
}

static enum step feed(struct compress *c, const char *in, size_t n)
{
    size_t taken;

    if (run(c, in, n, ENCODER_GO, &taken) < 0)
        return STEP_FAIL;
    if (taken > 0)
        c->ex->handler->consume(c->ex, taken);
    c->fed |= taken > 0;
    c->spent += (uint32_t)taken;
    if (c->left != UNKNOWN)
        c->left -= taken;
    return STEP_ON;
}

static enum step feed_data(struct compress *c, const struct piece *piece)
{
    const struct iovec *iov = piece->iov[0].iov_len > 0 ? &piece->iov[0] : &piece->iov[1];

    return feed(c, iov->iov_base, share(c, iov->iov_len));
}

static enum step feed_file(struct compress *c, const struct piece *piece)
{
    char *input = encoders_input(c->ex->lane->encoders);
    ssize_t n;

    if (input == NULL)
        return STEP_FAIL;
    n = pread(piece->fd, input, share(c, piece->size), (off_t)piece->offset);
    return n > 0 ? feed(c, input, (size_t)n) : STEP_FAIL; /* 0: the file became shorter */
}

static enum step begin_op(struct compress *c, enum encoder_op op)
{
    c->op = op;
    return STEP_ON;
}

static enum step pull(struct compress *c)
{
    struct piece piece = { .fd = -1 };

    if (c->left == 0)
        return begin_op(c, ENCODER_FINISH);
    if (c->spent >= COMPRESS_TURN) {
        encoders_wait(c->ex->lane->encoders, &c->turn);
        return STEP_WAIT;
    }
    switch (c->ex->handler->peek(c->ex, &piece)) {
    case PIECE_DATA:
        return feed_data(c, &piece);
    case PIECE_FILE:
        return feed_file(c, &piece);
    case PIECE_WAIT:
        return c->fed && c->left == UNKNOWN ? begin_op(c, ENCODER_FLUSH) : STEP_WAIT;
    case PIECE_END:
        return c->left == UNKNOWN ? begin_op(c, ENCODER_FINISH) : STEP_FAIL;
    case PIECE_FAIL:
        return STEP_FAIL;
    }
    must_not_reach();
}

/* The body is whole: what the handler may have more than its length is dropped, until it says that it has ended. */
static enum step drain(struct compress *c)
{
    struct piece piece = { .fd = -1 };

    switch (c->ex->handler->peek(c->ex, &piece)) {
    case PIECE_DATA:
    case PIECE_FILE:
        if (c->spent >= COMPRESS_TURN) {
            encoders_wait(c->ex->lane->encoders, &c->turn);
            return STEP_WAIT;
        }
        c->spent += piece.size < COMPRESS_TURN ? (uint32_t)piece.size : COMPRESS_TURN;
        c->ex->handler->consume(c->ex, (size_t)piece.size);
        return STEP_ON;
    case PIECE_WAIT:
        return STEP_WAIT;
    case PIECE_END:
        return STEP_END;
    case PIECE_FAIL:
        return STEP_FAIL;
    }
    must_not_reach();
}

static enum step go_on(struct compress *c)
{
    size_t taken;
    int r = run(c, "", 0, c->op, &taken);

    if (r < 0)
        return STEP_FAIL;
    if (r == 0)
        return STEP_OUT;
    if (c->op == ENCODER_FINISH)
        give_encoder(c);
    c->op = ENCODER_GO;
    c->fed = false;
    return STEP_OUT;
}

static enum step step(struct compress *c)
{
    if (c->encoder == NULL)
        return c->n > 0 ? STEP_OUT : drain(c);
    if (ENCODERS_OUTPUT - c->n < ENCODER_ROOM)
        return STEP_OUT;
    return c->op != ENCODER_GO ? go_on(c) : pull(c);
}

/* ---- the filter ---- */

static enum piece_kind hand_out(const struct compress *c, struct piece *piece)
{
    piece->iov[0] = (struct iovec){ c->output + c->at, c->n - c->at };
    piece->n_iov = 1;
    piece->size = c->n - c->at;
    return PIECE_DATA;
}

static enum piece_kind body_peek(struct exchange *ex, struct piece *piece)
{
    struct compress *c = ex->body_state;
    uint64_t now = loop_now(ex->lane->loop);
    enum step s = STEP_ON;

    if (c->n > 0)
        return hand_out(c, piece);
    if (c->turn_ns != now) {
        c->turn_ns = now;
        c->spent = 0;
    }
    while (s == STEP_ON)
        s = step(c);
    if (s == STEP_FAIL)
        return PIECE_FAIL;
    if (c->n > 0)
        return hand_out(c, piece);
    return s == STEP_END ? PIECE_END : PIECE_WAIT;
}

static void body_consume(struct exchange *ex, size_t n)
{
    struct compress *c = ex->body_state;

    c->at += n;
    must(c->at <= c->n);
    if (c->at == c->n)
        c->at = c->n = 0;
}

static void body_end(struct exchange *ex)
{
    struct compress *c = ex->body_state;

    list_remove(&c->turn.link);
    give_encoder(c);
    encoders_give_output(ex->lane->encoders, c->output);
}

static void next_turn(struct encoders_turn *turn)
{
    struct compress *c = CONTAINER_OF(turn, struct compress, turn);

    c->spent = 0;
    exchange_flush(c->ex);
}

static const struct exchange_body compress_body = { .peek = body_peek, .consume = body_consume, .end = body_end };

bool compress_body_begin(struct exchange *ex, enum coding coding, const struct encoder_plan *plan)
{
    struct encoders *encoders = ex->lane->encoders;
    struct compress *c = arena_zalloc(&ex->arena, sizeof(*c));

    if (c == NULL)
        return false;
    c->ex = ex;
    c->coding = coding;
    c->left = plan->length >= 0 ? (uint64_t)plan->length : UNKNOWN;
    list_init(&c->turn.link);
    c->turn.go_on = next_turn;
    c->output = encoders_take_output(encoders);
    c->encoder = c->output != NULL ? encoders_take(encoders, coding, plan) : NULL;
    if (c->encoder == NULL) {
        encoders_give_output(encoders, c->output);
        return false;
    }
    ex->body_filter = &compress_body;
    ex->body_state = c;
    return true;
}
