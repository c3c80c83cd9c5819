/* The PROXY protocol on connections: from trusted peers, from strangers, cut anywhere, and what it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "fixture.h"

#define GET_PLAIN "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
#define V1(source) "PROXY TCP4 " source " 192.0.2.1 4711 80\r\n"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct str var(const struct fixture *f, enum pool_var v)
{
    return f->request.vars[v];
}

static void finish(struct fixture *f, struct pool_ticket t)
{
    answer_hello(f, t);
    expect(f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(f);
}

static void say(struct fixture *f, struct str bytes)
{
    mem_free(rig_talk(&f->rig, f->client, bytes.p, bytes.n));
}

static const struct {
    struct str head;
    const char *address, *port, *scheme;
} heads[] = {
    { STR_INIT(V1("198.51.100.7")), "198.51.100.7", "4711", "http" },
    { STR_INIT("PROXY TCP6 2001:db8::7 ::1 4711 80\r\n"), "2001:db8::7", "4711", "http" },
    { STR_INIT(V1("10.1.1.1")), "203.0.113.9", "", "http" }, /* a trusted proxy again: what it says in fields counts */
    { STR_INIT("PROXY UNKNOWN\r\n"), "203.0.113.9", "", "http" },
    { STR_INIT(SIGNATURE "\x20\0\0\0"), "203.0.113.9", "", "http" },
    { STR_INIT(SIGNATURE "\x21\x11\0\x0c\xc6\x33\x64\x07\xc0\0\2\1\x12\x67\0\x50"), "198.51.100.7", "4711", "http" },
    { STR_INIT(SIGNATURE "\x21\x11\0\x14\xc6\x33\x64\x07\xc0\0\2\1\x12\x67\0\x50\x20\0\5\1\0\0\0\0"), "198.51.100.7",
      "4711", "https" },
    { STR_INIT(""), "203.0.113.9", "", "http" },
};

static void the_client_is_whom_the_proxy_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct fixture f;
        struct pool_ticket t;

        open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
        say(&f, heads[i].head);
        t = send_and_take(&f, GET_PLAIN);
        if (!str_eq(var(&f, POOL_REMOTE_ADDR), str_of(heads[i].address)))
            fail_msg("head %zu gave " STR_FMT, i, STR_ARG(var(&f, POOL_REMOTE_ADDR)));
        assert_true(str_eq(var(&f, POOL_REMOTE_PORT), str_of(heads[i].port)));
        assert_true(str_eq(var(&f, POOL_SCHEME), str_of(heads[i].scheme)));
        finish(&f, t);
    }
}

static void byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct fixture f;
        struct pool_ticket t;

        open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
        for (size_t n = 0; n < heads[i].head.n; n++)
            say(&f, str_make(heads[i].head.p + n, 1));
        for (size_t n = 0; n < sizeof(GET_PLAIN) - 1; n++)
            say(&f, str_make(&GET_PLAIN[n], 1));
        t = rig_app_take(&f.app, 0, &f.request);
        assert_true(str_eq(var(&f, POOL_REMOTE_ADDR), str_of(heads[i].address)));
        finish(&f, t);
    }
}

/* The second request of a connection has the same client; a second header is no request. */
static void one_header_a_connection(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
    for (int i = 0; i < 2; i++) {
        t = send_and_take(&f, i == 0 ? V1("198.51.100.7") GET_PLAIN : GET_PLAIN);
        assert_true(str_eq(var(&f, POOL_REMOTE_ADDR), STR("198.51.100.7")));
        answer_hello(&f, t);
        expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    }
    {
        char *answer = rig_talk(&f.rig, f.client, V1("198.51.100.8") GET_PLAIN, strlen(V1("198.51.100.8") GET_PLAIN));

        assert_true(strncmp(answer, "HTTP/1.1 400 ", 13) == 0);
        mem_free(answer);
    }
    close_fixture(&f);
}

static void malformed_ones_end_the_connection(void **state)
{
    static const struct str bad[] = { STR_INIT("PROXY TCP4 198.51.100.7\r\n" GET_PLAIN),
                                      STR_INIT("PROXY / HTTP/1.1\r\n"), STR_INIT(SIGNATURE "\x31\x11\0\0") };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fixture f;
        char *answer;

        open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
        answer = rig_talk(&f.rig, f.client, bad[i].p, bad[i].n);
        assert_string_equal(answer, "");
        assert_true(rig_closed(&f.rig, f.client));
        mem_free(answer);
        close_fixture(&f);
    }
}

static void who_leaves_within_a_header_is_gone(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
    say(&f, STR("PROXY TC"));
    assert_false(list_empty(&f.rig.lane->open));
    (void)shutdown(f.client, SHUT_WR);
    mem_free(rig_read(&f.rig, f.client));
    assert_true(list_empty(&f.rig.lane->open));
    close_fixture(&f);
}

static void from_strangers_it_is_no_request(void **state)
{
    static const struct str heads_of_strangers[] = { STR_INIT(V1("198.51.100.7") GET_PLAIN),
                                                     STR_INIT(SIGNATURE "\x20\0\0\0" GET_PLAIN) };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads_of_strangers); i++) {
        struct fixture f;
        char *answer;

        open_fixture(&f, NULL, NULL);
        answer = rig_talk(&f.rig, f.client, heads_of_strangers[i].p, heads_of_strangers[i].n);
        assert_true(strncmp(answer, "HTTP/1.1 400 ", 13) == 0);
        assert_true(rig_closed(&f.rig, f.client));
        mem_free(answer);
        close_fixture(&f);
    }
}

/* The limit of connections is the client's, not the proxy's, and is given back at the end. */
static void clients_behind_it_have_their_limit(void **state)
{
    struct fixture f;
    int more[3];

    (void)state;
    open_fixture(&f, "trusted_proxies", "10.0.0.0/8");
    admit_limit(&f.rig.edge.admit, 100, 2);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            more[i] = rig_connect(&f.rig);
            mem_free(rig_talk(&f.rig, more[i], V1("198.51.100.7"), strlen(V1("198.51.100.7"))));
        }
        assert_false(rig_closed(&f.rig, more[1]));
        assert_true(rig_closed(&f.rig, more[2]));
        assert_int_equal(atomic_load(&f.rig.lane->stats.crowded), round + 1);
        for (int i = 0; i < 3; i++)
            close(more[i]);
        mem_free(rig_read(&f.rig, f.client));
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_whom_the_proxy_names),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(one_header_a_connection),
        cmocka_unit_test(malformed_ones_end_the_connection),
        cmocka_unit_test(who_leaves_within_a_header_is_gone),
        cmocka_unit_test(from_strangers_it_is_no_request),
        cmocka_unit_test(clients_behind_it_have_their_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
