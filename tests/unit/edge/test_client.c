/* Who the client is: what proxies say counts when they are trusted, and only then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/client.h"
#include "fixture.h"

/* The rig's clients come by a unix socket, which is a trusted proxy as soon as there is any. */
static void with_fields(struct fixture *f, bool trusted, const char *fields)
{
    char request[4096];

    open_fixture(f, trusted ? "trusted_proxies" : NULL, trusted ? "10.0.0.0/8,192.0.2.1,2001:db8::/32" : NULL);
    (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: shop.test\r\n%s\r\n", fields);
    send_request(f, request);
}

static void finish(struct fixture *f, struct pool_ticket t)
{
    answer_hello(f, t);
    expect(f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(f);
}

static struct str var(const struct fixture *f, enum pool_var v)
{
    return f->request.vars[v];
}

static bool has_field(const struct fixture *f, const char *name)
{
    for (uint32_t i = 0; i < f->request.n_fields; i++) {
        if (str_eq_nocase(f->request.fields[i].name, str_of(name)))
            return true;
    }
    return false;
}

static void the_address_is_the_last_that_no_proxy_of_ours_has(void **state)
{
    static const struct {
        const char *fields, *address;
    } cases[] = {
        { "X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7" },
        { "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n", "198.51.100.7" }, /* the left one anybody can write */
        { "X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.1.2.3, 192.0.2.1\r\n", "198.51.100.7" },
        { "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 10.9.9.9\r\n",
          "198.51.100.7" },
        { "X-Forwarded-For: 10.0.0.5, 10.0.0.6\r\n", "10.0.0.5" }, /* all ours: a client of our own network */
        { "X-Forwarded-For: 2001:db9::1 , 2001:db8::1\r\n", "2001:db9::1" },
        { "X-Forwarded-For: ::ffff:10.0.0.1, 198.51.100.7, ::ffff:10.0.0.2\r\n", "198.51.100.7" },
        { "X-Forwarded-For: , ,198.51.100.7,, \r\n", "198.51.100.7" },
        { "X-Forwarded-For: 198.51.100.7, unknown\r\n", "" }, /* what is no address is not skipped over: nobody knows */
        { "X-Forwarded-For: 198.51.100.7, 1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6\r\n", "" },
        { "X-Forwarded-For: \r\n", "" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;

        with_fields(&f, true, cases[i].fields);
        t = rig_app_take(&f.app, 0, &f.request);
        if (!str_eq(var(&f, POOL_REMOTE_ADDR), str_of(cases[i].address)))
            fail_msg("%s gave " STR_FMT, cases[i].fields, STR_ARG(var(&f, POOL_REMOTE_ADDR)));
        finish(&f, t);
    }
}

static void the_scheme_is_the_proxys(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    with_fields(&f, true, "X-Forwarded-Proto: HTTPS\r\n");
    t = rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(var(&f, POOL_SCHEME), STR("https")));
    assert_true(str_eq(var(&f, POOL_SERVER_PORT), STR("443")));
    finish(&f, t);
    with_fields(&f, false, "X-Forwarded-Proto: https\r\n");
    t = rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(var(&f, POOL_SCHEME), STR("http")));
    assert_true(str_eq(var(&f, POOL_SERVER_PORT), STR("80")));
    finish(&f, t);
}

static void ids_of_strangers_and_odd_ones_are_replaced(void **state)
{
    static const struct {
        bool trusted;
        const char *id;
        bool kept;
    } cases[] = { { true, "abc-123", true },  { false, "abc-123", false }, { true, "a b", false },
                  { true, "a\"b", false },    { true, "a\\b", false },     { true, "\xc3\xa4", false },
                  { true, "<script>", true }, { true, "", false } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;
        char fields[256];

        (void)snprintf(fields, sizeof(fields), "X-Request-ID: %s\r\n", cases[i].id);
        with_fields(&f, cases[i].trusted, fields);
        t = rig_app_take(&f.app, 0, &f.request);
        assert_int_equal(str_eq(var(&f, POOL_REQUEST_ID), str_of(cases[i].id)), cases[i].kept);
        assert_true(cases[i].kept || var(&f, POOL_REQUEST_ID).n == EXCHANGE_ID_LEN);
        assert_false(has_field(&f, "X-Request-ID"));
        finish(&f, t);
    }
}

static void what_passes_on(void **state)
{
    static const struct {
        const char *field, *name;
        bool from_strangers, from_proxies;
    } cases[] = {
        { "Cookie: a=b\r\n", "Cookie", true, true },
        { "X-Forwarded-For: 1.1.1.1\r\n", "X-Forwarded-For", false, true },
        { "x-forwarded-anything: 1\r\n", "X-Forwarded-Anything", false, true },
        { "Forwarded: for=1.1.1.1\r\n", "Forwarded", false, true },
        { "X-Real-IP: 1.1.1.1\r\n", "X-Real-IP", false, true },
        { "X_Forwarded_For: 1.1.1.1\r\n", "X_Forwarded_For", false, false },
        { "Proxy: x\r\n", "Proxy", false, false },
        { "Keep-Alive: 5\r\n", "Keep-Alive", false, false },
        { "TE: trailers\r\n", "TE", false, false },
        { "Upgrade: h2c\r\nConnection: upgrade\r\n", "Upgrade", false, false },
        { "Connection: close, X-Hop\r\nX-Hop: 1\r\n", "X-Hop", false, false },
        { "Proxy-Authorization: x\r\n", "Proxy-Authorization", false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int trusted = 0; trusted < 2; trusted++) {
            struct fixture f;
            struct pool_ticket t;

            with_fields(&f, trusted, cases[i].field);
            t = rig_app_take(&f.app, 0, &f.request);
            assert_int_equal(has_field(&f, cases[i].name), trusted ? cases[i].from_proxies : cases[i].from_strangers);
            finish(&f, t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_is_the_last_that_no_proxy_of_ours_has),
        cmocka_unit_test(the_scheme_is_the_proxys),
        cmocka_unit_test(ids_of_strangers_and_odd_ones_are_replaced),
        cmocka_unit_test(what_passes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
