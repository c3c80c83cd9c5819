/*
 * HTTP/2 in an edge: what takes a minute outside, by clocks set back. The rest is in tests/e2e/test_http2.py and tests/unit/http/test_h2.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "edge/h2.h"
#include "rig.h"

/* POST / of "a", no END_STREAM: a body is to come. */
#define POST_FRAME(id)                                                                                                 \
    "\0\0\x06\x01\x04\0\0\0" id "\x83\x86\x84\x41\x01"                                                                 \
    "a"
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
    client = rig_connect(&rig);
    talk(&rig, client, STR(HELLO POST_FRAME("\x01") POST_FRAME("\x03") POST_FRAME("\x05")));
    c = only_conn(&rig);
    assert_non_null(c->h2);
    assert_int_equal(c->h2->n_streams, 3);
    assert_int_equal(c->h2->n_bodies, 3);
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
    client = rig_connect(&rig);
    talk(&rig, client, STR(HELLO POST_FRAME("\x01")));
    c = only_conn(&rig);
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
    client = rig_connect(&rig);
    talk(&rig, client, STR(HELLO));
    c = only_conn(&rig);
    c->state->timed_out(c);
    mem_free(rig_read(&rig, client));
    assert_string_equal(c->state->name, "linger");
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_bodies),
        cmocka_unit_test(a_body_that_moves),
        cmocka_unit_test(idle_for_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
