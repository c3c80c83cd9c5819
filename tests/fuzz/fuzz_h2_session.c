/*
 * A client's bytes through a whole HTTP/2 session. The first byte says how they are cut and what becomes of the requests: answered, reset, read slowly.
 * The preface stands before them, so that every input is past it. What must hold: no stream is heard of before it began or after it closed, no more
 * of them than there are places, all that is said fits the room it has, and nothing goes on after an error.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/bins.h"
#include "base/buf.h"
#include "base/must.h"
#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS 256 /* remembered at a time; the session says how many are open */
#define BODY 5000   /* bytes of each response */

struct stream {
    int32_t id; /* 0: free */
    struct h2_head head;
    struct http_head http;
    struct buf bytes;
    size_t left; /* of the response */
    bool ended, asked;
};

struct fuzz {
    struct h2_session *session;
    struct stream streams[STREAMS];
    uint32_t open;
    uint8_t mood;
};

enum { ANSWERS = 1, RESETS = 2, READS = 4, DEFERS = 8 }; /* bits of the mood */

static struct fuzz fuzz;
static struct bins memory; /* keeps nothing, so that the sanitizer sees what is used after its end */
static const struct h1_limits limits = { .request_line = 8190, .fields = 100, .field_size = 16384 };

static void *begin(void *arg, int32_t id, struct h2_head **head)
{
    (void)arg;
    must(id % 2 == 1);
    for (size_t i = 0; i < STREAMS; i++) {
        struct stream *st = &fuzz.streams[i];

        if (st->id != 0)
            continue;
        must(++fuzz.open <= H2_STREAMS_MAX);
        *st = (struct stream){ .id = id, .left = BODY };
        buf_init(&st->bytes, HTTP_HEAD_MAX + H2_HEAD_SLACK);
        h2_head_begin(&st->head, &limits, &st->http, &st->bytes);
        *head = &st->head;
        return st;
    }
    return NULL;
}

static const struct h2_answer *answer(void *stream)
{
    static const struct header fields[] = { { STR_INIT("Content-Type"), STR_INIT("text/plain") } };
    static const struct h2_answer with = { .status = 200, .fields = fields, .n = 1, .body = true };
    static const struct h2_answer without = { .status = 200, .fields = fields, .n = 1 };
    const struct stream *st = stream;

    must(st->id != 0);
    return st->id % 5 != 0 ? &with : &without;
}

static void head(void *stream, bool end)
{
    struct stream *st = stream;

    must(st->id != 0);
    must(st->head.status != 0 || (st->http.n_fields > 0 && st->bytes.len <= HTTP_HEAD_MAX + H2_HEAD_SLACK));
    st->ended = end;
    if (fuzz.mood & RESETS && st->id % 3 == 0)
        h2_reset(fuzz.session, st->id, H2_CANCEL);
    else if (fuzz.mood & ANSWERS || st->head.status != 0)
        must(h2_respond(fuzz.session, st->id, answer(st)) == 0);
}

static void body(void *stream, const char *p, size_t n)
{
    struct stream *st = stream;

    (void)p;
    must(st->id != 0 && !st->ended);
    if (fuzz.mood & READS)
        h2_took(fuzz.session, st->id, n);
}

static void end(void *stream)
{
    struct stream *st = stream;

    must(st->id != 0 && !st->ended);
    st->ended = true;
}

static void said(void *stream)
{
    must(((struct stream *)stream)->id != 0);
}

static void closed(void *stream)
{
    struct stream *st = stream;

    must(st->id != 0);
    buf_fini(&st->bytes);
    st->id = 0;
    fuzz.open--;
}

static ssize_t pull(void *stream, size_t max, bool *last)
{
    struct stream *st = stream;
    size_t n = st->left < max ? st->left : max;

    must(st->id != 0);
    if (fuzz.mood & DEFERS && !st->asked) {
        st->asked = true;
        return -EAGAIN;
    }
    st->asked = false;
    *last = n == st->left;
    return (ssize_t)n;
}

static int take(void *stream, char *out, size_t n)
{
    struct stream *st = stream;

    must(st->id != 0 && n <= st->left && n <= H2_FRAME_MAX);
    memset(out, 'a', n);
    st->left -= n;
    return 0;
}

static void ponged(void *arg)
{
    (void)arg;
}

static const struct h2_events events = { .begin = begin,
                                         .head = head,
                                         .data = body,
                                         .end = end,
                                         .said = said,
                                         .closed = closed,
                                         .pull = pull,
                                         .take = take,
                                         .answer = answer,
                                         .ponged = ponged };

/* Whole frames, none too long, of kinds that a server sends. */
static void check_frames(const struct buf *out)
{
    const unsigned char *p = (const unsigned char *)out->data;
    size_t at = 0;

    while (at < out->len) {
        size_t n = ((size_t)p[at] << 16 | (size_t)p[at + 1] << 8 | p[at + 2]) + 9;

        must(n <= H2_FRAME_MAX + 9 && at + n <= out->len);
        must(p[at + 3] <= 9 && p[at + 3] != 2 && p[at + 3] != 5);
        at += n;
    }
}

static int drain(void)
{
    struct buf out;
    int error;

    buf_init(&out, H2_OUT_MAX);
    do {
        buf_clear(&out);
        error = h2_output(fuzz.session, &out, 1);
        check_frames(&out);
    } while (error == 0 && out.len > 0);
    buf_fini(&out);
    return error;
}

static int feed(const char *p, size_t n)
{
    int error = h2_input(fuzz.session, p, n, 1);

    for (size_t i = 0; error == 0 && i < STREAMS; i++) {
        if (fuzz.streams[i].id != 0 && fuzz.streams[i].asked)
            h2_resume(fuzz.session, fuzz.streams[i].id);
    }
    must(error != -ENOMEM);
    return drain() != 0 || error != 0 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece, at = 1;

    if (size < 2)
        return 0;
    fuzz = (struct fuzz){ .session = h2_new(&events, NULL, &memory), .mood = data[0] & 0xf };
    must(fuzz.session != NULL);
    piece = data[0] >> 4 == 0 ? size : (size_t)(data[0] >> 4) * (data[0] >> 4);
    if (feed(H2_PREFACE, H2_PREFACE_LEN) == 0) {
        while (at < size) {
            size_t n = size - at < piece ? size - at : piece;

            if (feed((const char *)data + at, n) != 0 || h2_is_over(fuzz.session))
                break;
            at += n;
        }
    }
    h2_free(fuzz.session);
    bins_fini(&memory);
    for (size_t i = 0; i < STREAMS; i++) {
        if (fuzz.streams[i].id != 0)
            buf_fini(&fuzz.streams[i].bytes);
    }
    return 0;
}
