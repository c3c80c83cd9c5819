/*
 * HTTP/2 in an edge: what takes a minute outside, by clocks set back. The rest is in tests/e2e/test_http2.py and tests/unit/http/test_h2.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "edge/h2.h"
#include "rig.h"

/* POST / of "a", no END_STREAM: a body is to come. */
#define POST_FRAME(id)                                                                                                 \
    "\0\0\x06\x01\x04\0\0\0" id "\x83\x86\x84\x41\x01"                                                                 \
    "a"
/* GET and HEAD of /static/ and a name of one letter at "a". */
#define REQUEST_FRAME(id, method, length, path)                                                                        \
    "\0\0" length "\x01\x05\0\0\0" id method "\x86\x44" path "\x41\x01"                                                \
    "a"
#define GET_FRAME(id) REQUEST_FRAME(id, "\x82", "\x10", "\x09/static/b")
#define FILE_FRAME(id) REQUEST_FRAME(id, "\x82", "\x10", "\x09/static/a")
#define HEAD_FRAME(id) REQUEST_FRAME(id, "\x42\x04HEAD", "\x15", "\x09/static/a")
#define WINDOW_FRAME "\0\0\x04\x08\0\0\0\0\0\0\0\xff\xff"
#define HELLO H2_PREFACE "\0\0\0\x04\0\0\0\0\0"

static struct conn *only_conn(struct rig *rig)
{
    assert_false(list_empty(&rig->lane->open));
    return CONTAINER_OF(rig->lane->open.next, struct conn, link);
}

static void talk(struct rig *rig, int client, struct str bytes)
{
    mem_free(rig_talk(rig, client, bytes.p, bytes.n));
}

/* A connection whose client has said so much. */
static struct conn *connect_h2(struct rig *rig, int *client, struct str bytes)
{
    *client = rig_connect(rig);
    talk(rig, *client, bytes);
    return only_conn(rig);
}

static void set_back(struct h2 *h2)
{
    LIST_EACH(link, &h2->streams)
        CONTAINER_OF(link, struct h2_stream, link)->deadline = 1;
}

/* All at once: the answers end the streams while they are looked through. */
static void slow_bodies(void **state)
{
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_h2(&rig, &client, STR(HELLO POST_FRAME("\x01") POST_FRAME("\x03") POST_FRAME("\x05")));
    assert_non_null(c->h2);
    assert_int_equal(c->h2->n_streams, 3);
    assert_int_equal(c->h2->n_arriving, 3);
    assert_string_equal(c->state->name, "h2 upload");
    set_back(c->h2);
    c->state->timed_out(c);
    mem_free(rig_read(&rig, client));
    assert_int_equal(c->h2->n_streams, 0);
    assert_int_equal(stats_get(&rig.lane->stats.too_slow), 3);
    assert_int_equal(stats_get(&rig.lane->stats.answers[STATS_APP][STATS_4XX]), 3);
    assert_string_equal(c->state->name, "h2 idle");
    rig_fini(&rig);
}

/* A header block that does not end: nobody waits for it longer than for another head. */
static void a_slow_head(void **state)
{
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_h2(&rig, &client, STR(HELLO "\0\0\x20\x01\x04\0\0\0\x01\x83"));
    assert_int_equal(c->h2->n_streams, 1);
    assert_string_equal(c->state->name, "h2 upload"); /* may be evicted */
    c->state->timed_out(c);
    assert_false(rig_closed(&rig, client));
    LIST_EACH(link, &c->h2->streams) {
        struct h2_stream *st = CONTAINER_OF(link, struct h2_stream, link);

        assert_true(st->deadline > loop_now(rig.lane->loop));
    }
    set_back(c->h2);
    c->state->timed_out(c);
    mem_free(rig_read(&rig, client));
    assert_true(rig_closed(&rig, client));
    rig_fini(&rig);
}

/* The look at a slow body is not put off by other requests. */
static void a_slow_body_beside_others(void **state)
{
    struct rig rig;
    struct conn *c;
    uint64_t look;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_h2(&rig, &client, STR(HELLO POST_FRAME("\x01")));
    look = c->timer.deadline;
    assert_int_equal(look, c->h2->look_ns);
    talk(&rig, client, STR(GET_FRAME("\x03")));
    assert_string_equal(c->state->name, "h2 upload");
    assert_int_equal(c->timer.deadline, look);
    rig_fini(&rig);
}

/* Served within one step: from then on it is one that is kept alive, and its time begins anew. */
static void served_at_once(void **state)
{
    struct rig rig;
    struct conn *c;
    uint64_t first;
    int client;

    (void)state;
    rig_init(&rig, "keep_alive", "1000s");
    c = connect_h2(&rig, &client, STR(HELLO));
    first = c->timer.deadline;
    assert_int_equal(c->rank, EVICT_BEGINNING);
    talk(&rig, client, STR(GET_FRAME("\x01")));
    assert_int_equal(c->served, 1);
    assert_string_equal(c->state->name, "h2 idle");
    assert_int_equal(c->rank, EVICT_KEPT);
    assert_true(c->timer.deadline > first + 900 * NS_PER_SEC);
    rig_fini(&rig);
}

static void send_only(struct rig *rig, int client, struct str bytes)
{
    assert_int_equal(send(client, bytes.p, bytes.n, MSG_NOSIGNAL), (ssize_t)bytes.n);
    for (int i = 0; i < 8; i++) {
        loop_wake(rig->lane->loop);
        loop_once(rig->lane->loop);
    }
}

/* A connection whose client asks for one page and takes nothing of it. */
static struct conn *connect_deaf(struct rig *rig, int *client, struct str requests)
{
    char *text = mem_zalloc(50001);
    const int little = 1;
    struct conn *c;

    memset(text, 'x', 50000);
    rig_file(rig, "static/a", text);
    mem_free(text);
    *client = rig_connect(rig);
    c = only_conn(rig);
    assert_int_equal(setsockopt(c->stream.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
    talk(rig, *client, STR(HELLO));
    send_only(rig, *client, requests);
    return c;
}

/* The last bytes of the last answer: nothing is left but them, and the client takes them or goes. */
static void bytes_that_nobody_takes(void **state)
{
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_deaf(&rig, &client, STR(FILE_FRAME("\x01")));
    assert_int_equal(c->h2->n_streams, 0);
    assert_string_equal(c->state->name, "h2 flush");
    assert_int_equal(c->rank, EVICT_NEVER);
    mem_free(rig_read(&rig, client)); /* now it does */
    assert_string_equal(c->state->name, "h2 idle");
    send_only(&rig, client, STR(WINDOW_FRAME FILE_FRAME("\x03")));
    assert_string_equal(c->state->name, "h2 flush");
    c->state->timed_out(c);
    mem_free(rig_read(&rig, client));
    assert_true(rig_closed(&rig, client));
    rig_fini(&rig);
}

/* Answers without a body wait behind them: they are timed, too. */
static void heads_that_nobody_takes(void **state)
{
    struct rig rig;
    struct h2_stream *st;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_deaf(&rig, &client, STR(FILE_FRAME("\x01")));
    send_only(&rig, client, STR(HEAD_FRAME("\x03")));
    assert_int_equal(c->h2->n_streams, 1);
    st = CONTAINER_OF(c->h2->streams.next, struct h2_stream, link);
    assert_int_equal(st->state, H2_REST);
    assert_true(st->deadline > loop_now(rig.lane->loop));
    set_back(c->h2);
    c->state->timed_out(c);
    mem_free(rig_read(&rig, client));
    assert_true(rig_closed(&rig, client));
    rig_fini(&rig);
}

/* A few bytes may become large heads, and those of a hundred streams would be many megabytes: past one, streams are refused. */
static void large_heads(void **state)
{
    char bytes[8 << 10] = "", *p = bytes;
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    client = rig_connect(&rig);
    memcpy(p, HELLO, sizeof(HELLO) - 1);
    p += sizeof(HELLO) - 1;
    for (unsigned id = 1; id < 200; id += 2) { /* the first has a field of 4,000 bytes, which goes into the table */
        size_t head = id == 1 ? 6 + 4006 : 6 + 15;
        unsigned char frame[9] = {
            0, (unsigned char)(head >> 8), (unsigned char)head, 1, 4, 0, 0, 0, (unsigned char)id
        };

        memcpy(p, frame, sizeof(frame));
        p += sizeof(frame);
        memcpy(p,
               "\x83\x86\x84\x01\x01"
               "a",
               6);
        p += 6;
        if (id > 1) {
            memset(p, 0xbe, 15);
            p += 15;
            continue;
        }
        memcpy(p,
               "\x40\x01"
               "b\x7f\xa1\x1e",
               6); /* a length of 127 + 33 + 30 * 128 */
        memset(p + 6, 'x', 4000);
        p += 4006;
    }
    talk(&rig, client, str_make(bytes, (size_t)(p - bytes)));
    c = only_conn(&rig);
    assert_in_range(c->h2->heads, 1 << 20, (1 << 20) + (64 << 10));
    assert_in_range(c->h2->n_streams, 16, 20);
    h2_stream_free_all(c->h2);
    assert_int_equal(c->h2->heads, 0);
    rig_fini(&rig);
}

/* The last GOAWAY names the last request: one that comes before that frame is written must not be served, as the client sends it again. */
static void behind_the_last_goaway(void **state)
{
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_h2(&rig, &client, STR(HELLO POST_FRAME("\x01")));
    h2_leave(c->h2);
    talk(&rig, client,
         STR("\0\0\x08\x06\x01\0\0\0\0"
             "12345678" GET_FRAME("\x03")));
    assert_int_equal(c->h2->leaving, H2_GONE);
    assert_int_equal(stats_get(&rig.lane->stats.requests), 0);
    assert_int_equal(stats_get(&rig.lane->stats.answers[STATS_FILE][STATS_4XX]), 0);
    assert_int_equal(c->h2->n_streams, 1);
    rig_fini(&rig);
}

/* A body that moves is not slow. */
static void a_body_that_moves(void **state)
{
    struct rig rig;
    struct h2_stream *st;
    struct conn *c;
    uint64_t before;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_h2(&rig, &client, STR(HELLO POST_FRAME("\x01")));
    st = CONTAINER_OF(c->h2->streams.next, struct h2_stream, link);
    before = st->deadline -= 30 * NS_PER_SEC;
    talk(&rig, client,
         STR("\0\0\x03\0\0\0\0\0\x01"
             "abc"));
    assert_int_equal(st->deadline, before + 3 * NS_PER_SEC / 500);
    c->state->timed_out(c);
    assert_int_equal(c->h2->n_streams, 1);
    rig_fini(&rig);
}

static void idle_for_too_long(void **state)
{
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    c = connect_h2(&rig, &client, STR(HELLO));
    c->state->timed_out(c);
    mem_free(rig_read(&rig, client));
    assert_string_equal(c->state->name, "linger");
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_bodies),
        cmocka_unit_test(a_slow_head),
        cmocka_unit_test(a_slow_body_beside_others),
        cmocka_unit_test(served_at_once),
        cmocka_unit_test(bytes_that_nobody_takes),
        cmocka_unit_test(heads_that_nobody_takes),
        cmocka_unit_test(behind_the_last_goaway),
        cmocka_unit_test(large_heads),
        cmocka_unit_test(a_body_that_moves),
        cmocka_unit_test(idle_for_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
