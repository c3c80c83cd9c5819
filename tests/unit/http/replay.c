/* See replay.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay.h"

#define RANDOM_CUTS 8

/* How far the message has arrived after `n` bytes: cut 0 is whole, cut 1 byte by byte, others random. */
static size_t next_arrival(int cut, size_t n, size_t total, unsigned *seed)
{
    if (cut == 0)
        return total;
    if (cut == 1)
        return n + 1;
    n += (size_t)rand_r(seed) % 40 + 1;
    return n < total ? n : total;
}

static struct replay run_head(struct str message, const struct h1_limits *limits, int cut, unsigned seed)
{
    struct replay r = { .result = H1_MORE };
    size_t n = 0;

    memset(&r.head, 0, sizeof(r.head)); /* so that two heads compare as bytes */
    h1_head_begin(&r.parser, limits, &r.head);
    while (r.result == H1_MORE && n < message.n) {
        char *arrived;

        n = next_arrival(cut, n, message.n, &seed);
        arrived = malloc(n);
        memcpy(arrived, message.p, n);
        r.result = h1_head_parse(&r.parser, arrived, n, &r.head);
        free(arrived);
    }
    return r;
}

static void assert_same_head(const struct replay *a, const struct replay *b, struct str message, int cut, unsigned seed)
{
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): run_head zeroed the padding */
    bool same = memcmp(&a->head, &b->head, sizeof(a->head)) == 0;

    if (same && a->result == b->result && a->parser.status == b->parser.status &&
        a->parser.reason == b->parser.reason && a->parser.line_start == b->parser.line_start)
        return;
    print_error("cut %d (seed %u) gives result %d status %u, whole gives %d %u, for:\n" STR_FMT "\n", cut, seed,
                b->result, b->parser.status, a->result, a->parser.status, STR_ARG(message));
    fail();
}

struct replay replay_head(struct str message, const struct h1_limits *limits, unsigned seed)
{
    struct replay whole = run_head(message, limits, 0, seed);

    for (int cut = 1; cut < RANDOM_CUTS; cut++) {
        struct replay other = run_head(message, limits, cut, seed + (unsigned)cut);

        assert_same_head(&whole, &other, message, cut, seed);
    }
    return whole;
}

/* ---- bodies ---- */

/* Feeds [out->used, n) in a copy of exact size, until nothing more is taken. */
static void feed(struct h1_body *body, struct str message, size_t n, struct replay_body *out)
{
    while (out->result == H1_MORE && out->used < n) {
        size_t used, len = n - out->used;
        char *arrived = malloc(len);
        struct str data;

        memcpy(arrived, message.p + out->used, len);
        out->result = h1_body_feed(body, arrived, len, &used, &data);
        assert_true(used <= len && data.p >= arrived && data.p + data.n <= arrived + used);
        assert_true(out->n + data.n <= sizeof(out->data));
        memcpy(out->data + out->n, data.p, data.n);
        out->n += data.n;
        out->used += used;
        free(arrived);
    }
    out->status = body->status;
    assert_int_equal(out->n, body->total);
}

static void run_body(struct str message, const struct http_head *head, int cut, unsigned seed, struct replay_body *out)
{
    struct h1_body body;
    size_t n = 0, none;
    struct str data;

    memset(out, 0, sizeof(*out));
    h1_body_begin(&body, head);
    out->result = h1_body_feed(&body, message.p, 0, &none, &data);
    while (out->result == H1_MORE && n < message.n) {
        n = next_arrival(cut, n, message.n, &seed);
        feed(&body, message, n, out);
    }
}

void replay_body(struct str message, const struct http_head *head, unsigned seed, struct replay_body *out)
{
    struct replay_body *other = malloc(sizeof(*other));

    run_body(message, head, 0, seed, out);
    for (int cut = 1; cut < RANDOM_CUTS; cut++) {
        run_body(message, head, cut, seed + (unsigned)cut, other);
        if (memcmp(out, other, sizeof(*other)) != 0) {
            print_error(
                "cut %d (seed %u) gives result %d status %u after %zu, whole gives %d %u after %zu, for:\n" STR_FMT
                "\n",
                cut, seed, other->result, other->status, other->used, out->result, out->status, out->used,
                STR_ARG(message));
            fail();
        }
    }
    free(other);
}
