/*
 * An HTTP/2 session: frames in, events out, frames out. The test plays the client with bytes made by hand, and the edge with one array of streams.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "base/bins.h"
#include "base/clock.h"
#include "http/h2.h"

#define NOW (1000 * NS_PER_SEC)
#define STREAMS 256

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

struct stream {
    int32_t id;
    struct h2_head head;
    struct http_head http;
    struct buf bytes;
    const struct h2_answer *answer;
    struct str body; /* of the response: what is left */
    size_t got;      /* bytes of the request's body */
    bool began, have_head, ended, said, closed, waits;
};

static const struct h1_limits limits = { .request_line = 8190, .fields = 100, .field_size = 16384 };
static struct bins memory; /* keeps nothing, so that a sanitizer sees what is used after its end */

static struct {
    struct h2_session *s;
    struct stream streams[STREAMS];
    unsigned n, most;
    unsigned pongs;
    struct buf in, out;
} t;

/* ---- the edge's side ---- */

static void *on_begin(void *arg, int32_t id, struct h2_head **head)
{
    struct stream *st = &t.streams[t.n];

    (void)arg;
    if (t.n == t.most)
        return NULL;
    t.n++;
    buf_fini(&st->bytes); /* of one before it in this place */
    *st = (struct stream){ .id = id, .began = true };
    buf_init(&st->bytes, HTTP_HEAD_MAX + H2_HEAD_SLACK);
    h2_head_begin(&st->head, &limits, &st->http, &st->bytes);
    *head = &st->head;
    return st;
}

static void on_head(void *stream, bool end)
{
    struct stream *st = stream;

    st->have_head = true;
    st->ended = end;
}

static void on_data(void *stream, const char *p, size_t n)
{
    struct stream *st = stream;

    (void)p;
    st->got += n;
}

static void on_end(void *stream)
{
    ((struct stream *)stream)->ended = true;
}

static void on_said(void *stream)
{
    ((struct stream *)stream)->said = true;
}

static void on_closed(void *stream)
{
    ((struct stream *)stream)->closed = true;
}

static ssize_t on_pull(void *stream, size_t max, bool *last)
{
    struct stream *st = stream;

    if (st->waits)
        return -EAGAIN;
    if (st->body.p == NULL)
        return -EIO;
    *last = st->body.n <= max;
    return (ssize_t)(*last ? st->body.n : max);
}

static int on_take(void *stream, char *out, size_t n)
{
    struct stream *st = stream;

    memcpy(out, st->body.p, n);
    st->body = str_cut(st->body, n, st->body.n);
    return 0;
}

static const struct h2_answer *on_answer(void *stream)
{
    assert_non_null(((struct stream *)stream)->answer);
    return ((struct stream *)stream)->answer;
}

static int respond(int32_t id, const struct h2_answer *answer)
{
    for (unsigned i = 0; i < t.n; i++) {
        if (t.streams[i].id == id)
            t.streams[i].answer = answer;
    }
    return h2_respond(t.s, id, answer);
}

static void on_ponged(void *arg)
{
    (void)arg;
    t.pongs++;
}

static const struct h2_events events = { .begin = on_begin,
                                         .head = on_head,
                                         .data = on_data,
                                         .end = on_end,
                                         .said = on_said,
                                         .closed = on_closed,
                                         .pull = on_pull,
                                         .take = on_take,
                                         .answer = on_answer,
                                         .ponged = on_ponged };

/* ---- the client's side ---- */

static void put(const char *p, size_t n)
{
    assert_int_equal(buf_add(&t.in, p, n), 0);
}

static void put_frame(unsigned type, unsigned flags, uint32_t id, struct str payload)
{
    char head[9] = { (char)(payload.n >> 16), (char)(payload.n >> 8), (char)payload.n, (char)type, (char)flags,
                     (char)(id >> 24),        (char)(id >> 16),       (char)(id >> 8), (char)(id) };

    put(head, sizeof(head));
    put(payload.p, payload.n);
}

static int feed_at(uint64_t now)
{
    int error = h2_input(t.s, t.in.data, t.in.len, now);

    buf_clear(&t.in);
    return error;
}

static int feed(void)
{
    return feed_at(NOW);
}

/* Indexed: :method GET, :scheme http, :path /; and a literal :authority "a". */
#define GET_BLOCK                                                                                                      \
    "\x82\x86\x84\x41\x01"                                                                                             \
    "a"
#define POST_BLOCK                                                                                                     \
    "\x83\x86\x84\x41\x01"                                                                                             \
    "a"

static void put_get(uint32_t id)
{
    put_frame(HEADERS, END_STREAM | END_HEADERS, id, STR(GET_BLOCK));
}

/* The next frame of the server's behind *at of this type; -1: there is none. Its payload and flags where asked for. */
static int32_t look_for(size_t *at, unsigned type, struct str *payload)
{
    while (*at + 9 <= t.out.len) {
        const unsigned char *p = (const unsigned char *)t.out.data + *at;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];

        assert_true(*at + 9 + n <= t.out.len);
        *at += 9 + n;
        if (p[3] != type)
            continue;
        if (payload != NULL)
            *payload = str_make((const char *)p + 9, n);
        return (int32_t)((uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8]);
    }
    return -1;
}

static unsigned u32(struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;

    assert_true(s.n >= at + 4);
    return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static int say(void)
{
    buf_clear(&t.out);
    return h2_output(t.s, &t.out, NOW);
}

/* The error code of the first RST_STREAM of what was said, or of GOAWAY; 1000: none. */
static unsigned reset_code(void)
{
    struct str payload;
    size_t at = 0;

    return look_for(&at, RST_STREAM, &payload) > 0 ? u32(payload, 0) : 1000;
}

static unsigned goaway_code(void)
{
    struct str payload;
    size_t at = 0;

    return look_for(&at, GOAWAY, &payload) == 0 ? u32(payload, 4) : 1000;
}

static int setup(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    t.most = STREAMS;
    buf_init(&t.in, 16u << 20);
    buf_init(&t.out, 1u << 20);
    t.s = h2_new(&events, &t, &memory);
    assert_non_null(t.s);
    put(H2_PREFACE, H2_PREFACE_LEN);
    put_frame(SETTINGS, 0, 0, STR(""));
    assert_int_equal(feed(), 0);
    assert_int_equal(say(), 0);
    put_frame(SETTINGS, ACK, 0, STR(""));
    assert_int_equal(feed(), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    h2_free(t.s);
    for (unsigned i = 0; i < STREAMS; i++)
        buf_fini(&t.streams[i].bytes);
    buf_fini(&t.in);
    buf_fini(&t.out);
    bins_fini(&memory);
    return 0;
}

/* ---- ordinary life ---- */

static void a_request_and_its_answer(void **state)
{
    struct header fields[] = { { STR("Content-Type"), STR("text/plain") } };
    struct h2_answer answer = { 200, fields, 1, true };
    struct stream *st = &t.streams[0];
    struct str payload;
    size_t at = 0;

    (void)state;
    put_get(1);
    assert_int_equal(feed(), 0);
    assert_true(st->have_head && st->ended);
    assert_int_equal(st->head.status, 0);
    st->body = STR("hello");
    assert_int_equal(respond(1, &answer), 0);
    assert_int_equal(say(), 0);
    assert_int_equal(look_for(&at, HEADERS, NULL), 1);
    assert_int_equal(look_for(&at, DATA, &payload), 1);
    assert_memory_equal(payload.p, "hello", 5);
    assert_true(st->said && st->closed);
    assert_false(h2_is_over(t.s));
}

/* All HEADERS and CONTINUATION of what was said, decoded: the fields, separated by commas. */
static void read_heads(nghttp2_hd_inflater *inflater, char *text, size_t room)
{
    size_t len = 0;

    for (size_t at = 0; at + 9 <= t.out.len;) {
        const unsigned char *p = (const unsigned char *)t.out.data + at;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2], done = 0;
        bool head = p[3] == HEADERS || p[3] == CONTINUATION, last = (p[4] & END_HEADERS) != 0;
        int flags = 0;

        at += 9 + n;
        while (head && (done < n || (last && (flags & NGHTTP2_HD_INFLATE_FINAL) == 0))) {
            nghttp2_nv nv;
            ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, p + 9 + done, n - done, last);

            assert_true(used >= 0);
            done += (size_t)used;
            if (flags & NGHTTP2_HD_INFLATE_EMIT)
                len += (size_t)snprintf(text + len, room - len, "%.*s=%.10s,", (int)nv.namelen, nv.name, nv.value);
        }
        if (head && last)
            assert_int_equal(nghttp2_hd_inflate_end_headers(inflater), 0);
    }
    text[len] = '\0';
}

/* Whoever encodes them, the client's table stays right. */
static void heads_of_all_kinds_share_a_table(void **state)
{
    static char value[30000];
    struct header shorts[] = { { STR("X-A"), STR("1") }, { STR("X-B"), STR("2") } };
    struct header longs[] = { { STR("X-A"), STR("1") }, { STR("x-long"), STR("") } };
    struct header link = { STR("link"), STR("</a>") };
    struct h2_answer answer = { 404, shorts, 2, false }, at_length = { 404, longs, 2, false };
    struct h2_answer hints = { 103, &link, 1, false };
    nghttp2_hd_inflater *inflater;
    char text[1000];

    (void)state;
    memset(value, 'v', sizeof(value));
    longs[1].value = str_make(value, sizeof(value));
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    for (int32_t id = 1; id < 40; id += 2) {
        put_get((uint32_t)id);
        if (id == 21)
            put_frame(SETTINGS, 0, 0, STR("\0\1\0\0\0\x30"));
        assert_int_equal(feed(), 0);
        if (id == 21)
            assert_int_equal(nghttp2_hd_inflate_change_table_size(inflater, 0x30), 0);
        assert_int_equal(h2_interim(t.s, id, &hints), 0);
        assert_int_equal(respond(id, id % 3 == 0 ? &at_length : &answer), 0);
        assert_int_equal(say(), 0);
        read_heads(inflater, text, sizeof(text));
        assert_string_equal(text, id % 3 == 0 ? ":status=103,link=</a>,:status=404,x-a=1,x-long=vvvvvvvvvv,"
                                              : ":status=103,link=</a>,:status=404,x-a=1,x-b=2,");
    }
    nghttp2_hd_inflate_del(inflater);
}

/* Two tables would differ from here on. */
static void a_head_that_is_not_sent_is_not_encoded(void **state)
{
    struct header field = { STR("x-a"), STR("1") };
    struct h2_answer answer = { 200, &field, 1, false };
    nghttp2_hd_inflater *inflater;
    char text[1000];

    (void)state;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    for (uint32_t id = 1; id < 9; id += 2)
        put_get(id);
    assert_int_equal(feed(), 0);
    assert_int_equal(respond(1, &answer), 0);
    put_frame(RST_STREAM, 0, 1, STR("\0\0\0\x08"));
    assert_int_equal(feed(), 0);
    assert_int_equal(respond(3, &answer), 0);
    h2_forget(t.s, 3);
    for (int32_t id = 5; id < 9; id += 2)
        assert_int_equal(respond(id, &answer), 0);
    assert_int_equal(say(), 0);
    read_heads(inflater, text, sizeof(text));
    assert_string_equal(text, ":status=200,x-a=1,:status=200,x-a=1,");
    nghttp2_hd_inflate_del(inflater);
}

/* All are forgotten at a connection's end: the new size of the table went with the first head, and the second would not say it. */
static void nothing_goes_for_the_forgotten(void **state)
{
    struct header field = { STR("x-a"), STR("1") };
    struct h2_answer answer = { 200, &field, 1, false }, hints = { 103, &field, 1, false };
    nghttp2_hd_inflater *inflater;
    char text[1000];

    (void)state;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    put_get(1);
    put_get(3);
    put_frame(SETTINGS, 0, 0, STR("\0\1\0\0\0\x30"));
    assert_int_equal(feed(), 0);
    assert_int_equal(nghttp2_hd_inflate_change_table_size(inflater, 0x30), 0);
    assert_int_equal(respond(1, &answer), 0);
    assert_int_equal(h2_interim(t.s, 3, &hints), 0);
    h2_forget(t.s, 1);
    h2_forget(t.s, 3);
    assert_int_equal(say(), 0);
    read_heads(inflater, text, sizeof(text));
    assert_string_equal(text, "");
    nghttp2_hd_inflate_del(inflater);
}

static void the_same_byte_by_byte(void **state)
{
    char bytes[256];
    size_t n;

    (void)state;
    put_frame(HEADERS, END_HEADERS, 1, STR(POST_BLOCK));
    put_frame(DATA, 0, 1, STR("abc"));
    put_frame(DATA, END_STREAM, 1, STR("de"));
    n = t.in.len;
    memcpy(bytes, t.in.data, n);
    buf_clear(&t.in);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(h2_input(t.s, bytes + i, 1, NOW), 0);
    assert_int_equal(t.streams[0].got, 5);
    assert_true(t.streams[0].ended);
}

static void waiting_and_resuming(void **state)
{
    struct h2_answer answer = { 200, NULL, 0, true };
    struct stream *st = &t.streams[0];
    size_t at = 0;

    (void)state;
    put_get(1);
    assert_int_equal(feed(), 0);
    st->waits = true;
    assert_int_equal(respond(1, &answer), 0);
    assert_int_equal(say(), 0);
    assert_int_equal(look_for(&at, DATA, NULL), -1);
    st->waits = false;
    st->body = STR("x");
    assert_int_equal(say(), 0);
    assert_int_equal(t.out.len, 0);
    h2_resume(t.s, 1);
    assert_int_equal(say(), 0);
    assert_true(t.out.len > 0 && st->said);
}

/* A megabyte: as much as the client's window takes, in frames of 16 KiB, and never more than the buffer has room for. */
static void output_is_bounded(void **state)
{
    static char megabyte[1 << 20];
    struct h2_answer answer = { 200, NULL, 0, true };
    size_t total = 0;

    (void)state;
    put_get(1);
    put_frame(WINDOW_UPDATE, 0, 0, STR("\x00\x10\x00\x00"));
    put_frame(WINDOW_UPDATE, 0, 1, STR("\x00\x10\x00\x00"));
    assert_int_equal(feed(), 0);
    t.streams[0].body = str_make(megabyte, sizeof(megabyte));
    assert_int_equal(respond(1, &answer), 0);
    do {
        assert_int_equal(say(), 0);
        assert_true(t.out.len <= H2_OUT_MAX);
        total += t.out.len;
    } while (t.out.len > 0);
    assert_true(total > sizeof(megabyte) && t.streams[0].said);
}

static void windows_of_the_client(void **state)
{
    static char megabyte[1 << 20];
    struct h2_answer answer = { 200, NULL, 0, true };

    (void)state;
    put_get(1);
    assert_int_equal(feed(), 0);
    t.streams[0].body = str_make(megabyte, sizeof(megabyte));
    assert_int_equal(respond(1, &answer), 0);
    assert_int_equal(say(), 0);
    assert_int_equal(say(), 0);
    assert_int_equal(t.streams[0].body.n, sizeof(megabyte) - 65535);
}

/* Windows for bodies open when we say that we took the bytes. */
static void windows_of_ours(void **state)
{
    static char frame[16384];
    size_t at = 0;

    (void)state;
    put_frame(HEADERS, END_HEADERS, 1, STR(POST_BLOCK));
    for (size_t n = 0; n < H2_WINDOW; n += sizeof(frame))
        put_frame(DATA, 0, 1, str_make(frame, sizeof(frame)));
    assert_int_equal(feed(), 0);
    assert_int_equal(t.streams[0].got, H2_WINDOW);
    assert_int_equal(say(), 0);
    assert_int_equal(look_for(&at, WINDOW_UPDATE, NULL), -1);
    h2_took(t.s, 1, H2_WINDOW);
    assert_int_equal(say(), 0);
    at = 0;
    assert_int_equal(look_for(&at, WINDOW_UPDATE, NULL), 1);
}

static void what_fails_is_reset(void **state)
{
    struct h2_answer answer = { 200, NULL, 0, true };

    (void)state;
    put_get(1);
    assert_int_equal(feed(), 0);
    assert_int_equal(respond(1, &answer), 0); /* pull says -EIO */
    assert_int_equal(say(), 0);
    assert_int_equal(reset_code(), H2_INTERNAL_ERROR);
    assert_true(t.streams[0].closed && !t.streams[0].said);
}

static void a_graceful_end(void **state)
{
    struct h2_answer answer = { 204, NULL, 0, false };

    (void)state;
    h2_notice(t.s);
    h2_ping(t.s);
    put_get(1);
    assert_int_equal(feed(), 0);
    assert_int_equal(say(), 0);
    assert_int_equal(goaway_code(), H2_NO_ERROR);
    put_frame(PING, ACK, 0, STR("\0\0\0\0\0\0\0\0"));
    assert_int_equal(feed(), 0);
    assert_int_equal(t.pongs, 1);
    h2_goaway(t.s, H2_NO_ERROR);
    assert_int_equal(say(), 0);
    assert_false(h2_is_over(t.s));
    assert_int_equal(respond(1, &answer), 0);
    assert_int_equal(say(), 0);
    assert_true(h2_is_over(t.s));
}

/* ---- clients that are not ordinary ---- */

static void no_room(void **state)
{
    (void)state;
    t.most = 1;
    put_get(1);
    put_frame(HEADERS, END_HEADERS, 3, STR(POST_BLOCK));
    put_frame(DATA, END_STREAM, 3, STR("dropped"));
    assert_int_equal(feed(), 0);
    assert_int_equal(say(), 0);
    assert_int_equal(reset_code(), H2_REFUSED_STREAM);
    assert_false(t.streams[0].closed);
}

static void no_http2(void **state)
{
    struct h2_session *s = h2_new(&events, &t, &memory);

    (void)state;
    assert_non_null(s);
    assert_int_equal(h2_input(s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, NOW), -EPROTO);
    h2_free(s);
}

static void expect_abuse(enum h2_guard guard)
{
    int error = feed();

    if (error != -EDQUOT)
        fail_msg("%s: %d", h2_guard_name(guard), error);
    assert_int_equal(h2_abuse(t.s), guard);
    (void)!say();
    assert_int_equal(goaway_code(), H2_ENHANCE_YOUR_CALM);
}

static void rapid_reset(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 600; i++) {
        t.n = 0; /* the places are free again at once: the budget alone is asked here */
        put_get(2 * i + 1);
        put_frame(RST_STREAM, 0, 2 * i + 1, STR("\0\0\0\x08"));
    }
    expect_abuse(H2_GUARD_RESET);
}

/* CVE-2025-8671: it is we who reset, here for a field in upper case (8.2). */
static void made_you_reset(void **state)
{
    int error = 0;

    (void)state;
    for (uint32_t i = 0; i < 200 && error == 0; i++) {
        t.n = 0;
        put_frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, STR(GET_BLOCK "\0\x01X\x01y"));
        error = feed();
        if (error == 0)
            error = say();
    }
    assert_int_equal(error, -EDQUOT);
    assert_int_equal(h2_abuse(t.s), H2_GUARD_ERROR);
}

static void floods(void **state)
{
    static const struct {
        enum h2_guard guard;
        unsigned type, flags;
        uint32_t id;
        struct str payload;
    } rows[] = {
        { H2_GUARD_PING, PING, 0, 0, STR_INIT("01234567") },
        { H2_GUARD_SETTINGS, SETTINGS, 0, 0, STR_INIT("") },
        { H2_GUARD_EMPTY, DATA, 0, 1, STR_INIT("") },
        { H2_GUARD_PRIORITY, PRIORITY, 0, 1, STR_INIT("\0\0\0\0\x10") },
        { H2_GUARD_WINDOW, WINDOW_UPDATE, 0, 0, STR_INIT("\0\0\0\x01") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_frame(HEADERS, END_HEADERS, 1, STR(POST_BLOCK));
        for (unsigned n = 0; n < 3000; n++)
            put_frame(rows[i].type, rows[i].flags, rows[i].id, rows[i].payload);
        expect_abuse(rows[i].guard);
        (void)teardown(state);
        (void)setup(state);
    }
}

/* 4 KB into the table once, then a byte each time it is to be decoded: the block of 16 KB would be 60 MB. */
static void a_bomb(void **state)
{
    static char block[16384];
    size_t at = sizeof(GET_BLOCK) - 1;

    (void)state;
    memcpy(block, GET_BLOCK, at);
    memcpy(block + at, "\x40\x01x\x7f\xa1\x1e", 6); /* literal with indexing, name "x", a value of 4000 bytes */
    memset(block + at + 6, 'v', 4000);
    memset(block + at + 6 + 4000, '\xbe', sizeof(block) - at - 6 - 4000); /* indexed: the newest of the table */
    put_frame(HEADERS, END_STREAM | END_HEADERS, 1, str_make(block, sizeof(block)));
    expect_abuse(H2_GUARD_HEADERS);
    assert_true(t.streams[0].bytes.len <= HTTP_HEAD_MAX);
}

static void continuations(void **state)
{
    (void)state;
    put_frame(HEADERS, END_STREAM, 1, STR(GET_BLOCK));
    for (unsigned i = 0; i < 1000; i++)
        put_frame(CONTINUATION, 0, 1, STR(""));
    expect_abuse(H2_GUARD_HEADERS);
}

/* A client that sends and does not read: what waits for it does not grow. */
static void stuffed(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 150; i++)
        put_frame(PING, 0, 0, STR("01234567"));
    assert_int_equal(feed(), 0);
    assert_false(h2_is_stuffed(t.s));
    for (uint32_t i = 0; i < 160; i++)
        put_frame(PING, 0, 0, STR("01234567"));
    assert_int_equal(feed_at(NOW + 10 * NS_PER_SEC), 0);
    assert_true(h2_is_stuffed(t.s));
    assert_int_equal(say(), 0);
    assert_false(h2_is_stuffed(t.s));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_request_and_its_answer),
        TEST(heads_of_all_kinds_share_a_table),
        TEST(a_head_that_is_not_sent_is_not_encoded),
        TEST(nothing_goes_for_the_forgotten),
        TEST(the_same_byte_by_byte),
        TEST(waiting_and_resuming),
        TEST(output_is_bounded),
        TEST(windows_of_the_client),
        TEST(windows_of_ours),
        TEST(what_fails_is_reset),
        TEST(a_graceful_end),
        TEST(no_room),
        TEST(no_http2),
        TEST(rapid_reset),
        TEST(made_you_reset),
        TEST(floods),
        TEST(a_bomb),
        TEST(continuations),
        TEST(stuffed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
