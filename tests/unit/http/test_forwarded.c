/*
 * What proxies write about the client: addresses, lists, Forwarded with the examples of RFC 7239.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "assert_str.h"
#include "http/forwarded.h"

static void test_nodes(void **state)
{
    static const struct {
        struct str text, address;
        uint16_t port;
    } rows[] = {
        { STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1"), 0 },
        { STR_INIT("192.0.2.1:443"), STR_INIT("192.0.2.1"), 443 },
        { STR_INIT("192.0.2.1:_x.1"), STR_INIT("192.0.2.1"), 0 },
        { STR_INIT("2001:db8::1"), STR_INIT("2001:db8::1"), 0 },
        { STR_INIT("[2001:db8::1]"), STR_INIT("2001:db8::1"), 0 },
        { STR_INIT("[2001:db8:cafe::17]:4711"), STR_INIT("2001:db8:cafe::17"), 4711 },
        { STR_INIT("::ffff:192.0.2.1"), STR_INIT("::ffff:192.0.2.1"), 0 },
        { STR_INIT("[::1]:65535"), STR_INIT("::1"), 65535 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forwarded_node node;

        if (!forwarded_node_parse(rows[i].text, &node))
            fail_msg(STR_FMT " was refused", STR_ARG(rows[i].text));
        assert_str(node.address, rows[i].address);
        assert_int_equal(node.port, rows[i].port);
    }
}

static void test_no_nodes(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("unknown"),
        STR_INIT("_hidden"),
        STR_INIT("localhost"),
        STR_INIT("192.0.2"),
        STR_INIT("192.0.2.256"),
        STR_INIT("192.0.2.1:"),
        STR_INIT("192.0.2.1:65536"),
        STR_INIT("192.0.2.1:000443"),
        STR_INIT("192.0.2.1:_"),
        STR_INIT("192.0.2.1:+1"),
        STR_INIT("192.0.2.1\0"),
        STR_INIT(" 192.0.2.1"),
        STR_INIT("[192.0.2.1]"),
        STR_INIT("[2001:db8::1"),
        STR_INIT("2001:db8::1]"),
        STR_INIT("[2001:db8::1]443"),
        STR_INIT("[2001:db8::1]:"),
        STR_INIT("[fe80::1%eth0]"),
        STR_INIT("[]"),
        STR_INIT("["),
        STR_INIT(":"),
        STR_INIT("\"192.0.2.1\""),
        STR_INIT("1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forwarded_node node;

        if (forwarded_node_parse(rows[i], &node))
            fail_msg(STR_FMT " was taken", STR_ARG(rows[i]));
    }
}

static void test_viewers(void **state)
{
    struct forwarded_node node;

    (void)state;
    assert_true(forwarded_viewer_parse(STR("198.51.100.10:46532"), &node));
    assert_str(node.address, STR("198.51.100.10"));
    assert_int_equal(node.port, 46532);
    assert_true(forwarded_viewer_parse(STR("2001:db8::1:46532"), &node));
    assert_str(node.address, STR("2001:db8::1"));
    assert_false(forwarded_viewer_parse(STR("198.51.100.10"), &node));
    assert_false(forwarded_viewer_parse(STR("[2001:db8::1]:1"), &node));
    assert_false(forwarded_viewer_parse(STR(":1"), &node));
}

static void test_members(void **state)
{
    struct str rest = STR(" , a ,,b c,\t"), member;

    (void)state;
    assert_true(forwarded_member(&rest, &member));
    assert_str(member, STR("a"));
    assert_true(forwarded_member(&rest, &member));
    assert_str(member, STR("b c"));
    assert_false(forwarded_member(&rest, &member));
}

static void test_examples_of_the_rfc(void **state)
{
    static const struct {
        struct str field;
        int n;
        struct str node, proto, host; /* of the last element */
    } rows[] = {
        { STR_INIT("for=\"_gazonk\""), 1, STR_INIT("_gazonk"), STR_INIT(""), STR_INIT("") },
        { STR_INIT("For=\"[2001:db8:cafe::17]:4711\""), 1, STR_INIT("[2001:db8:cafe::17]:4711"), STR_INIT(""),
          STR_INIT("") },
        { STR_INIT("for=192.0.2.60;proto=http;by=203.0.113.43"), 1, STR_INIT("192.0.2.60"), STR_INIT("http"),
          STR_INIT("") },
        { STR_INIT("for=192.0.2.43, for=198.51.100.17"), 2, STR_INIT("198.51.100.17"), STR_INIT(""), STR_INIT("") },
        { STR_INIT("for=_hidden, for=_SEVKISEK"), 2, STR_INIT("_SEVKISEK"), STR_INIT(""), STR_INIT("") },
        { STR_INIT("for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"), 3, STR_INIT("unknown"), STR_INIT(""),
          STR_INIT("") },
        { STR_INIT("for=192.0.2.1;host=\"a.example:8080\";proto=https;secret=\"a\\\"b,;\""), 1, STR_INIT("192.0.2.1"),
          STR_INIT("https"), STR_INIT("a.example:8080") },
        { STR_INIT("for=192.0.2.1 ; proto=https ,"), 1, STR_INIT("192.0.2.1"), STR_INIT("https"), STR_INIT("") },
        { STR_INIT("for=[2001:db8::1]:80;host=a.example:8080"), 1, STR_INIT("[2001:db8::1]:80"), STR_INIT(""),
          STR_INIT("a.example:8080") },
        { STR_INIT(",, proto=https"), 1, STR_INIT(""), STR_INIT("https"), STR_INIT("") },
        { STR_INIT(";"), 1, STR_INIT(""), STR_INIT(""), STR_INIT("") },
        { STR_INIT("for=\"\""), 1, STR_INIT(""), STR_INIT(""), STR_INIT("") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = rows[i].field;
        struct forwarded_element e, last = { 0 };
        int n = 0, r;

        while ((r = forwarded_next(&rest, &e)) == 1) {
            last = e;
            n++;
        }
        if (r != 0 || n != rows[i].n)
            fail_msg(STR_FMT ": %d elements, then %d", STR_ARG(rows[i].field), n, r);
        assert_str(last.node, rows[i].node);
        assert_str(last.proto, rows[i].proto);
        assert_str(last.host, rows[i].host);
    }
}

/* Among them what a client can write to swallow what the proxy adds behind it. */
static void test_malformed(void **state)
{
    static const struct str rows[] = {
        STR_INIT("for"),
        STR_INIT("for="),
        STR_INIT("=1"),
        STR_INIT("for =1"),
        STR_INIT("for= 1"),
        STR_INIT("for=\""),
        STR_INIT("for=\", for=192.0.2.1"),
        STR_INIT("for=\"x, for=\"[2001:db8::1]\""),
        STR_INIT("for=\"x, for=192.0.2.1;by=\"_p\""),
        STR_INIT("for=\"\\"),
        STR_INIT("for=\"\\\""),
        STR_INIT("for=192.0.2.1;for=192.0.2.2"),
        STR_INIT("for=192.0.2.1;proto=http;Proto=https"),
        STR_INIT("for=192.0.2.1 proto=https"),
        STR_INIT("192.0.2.1"),
        STR_INIT("for=\"a\0b\""),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = rows[i];
        struct forwarded_element e;
        int r;

        do
            r = forwarded_next(&rest, &e);
        while (r == 1);
        if (r != -EINVAL)
            fail_msg(STR_FMT " was taken", STR_ARG(rows[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_no_nodes),
        cmocka_unit_test(test_viewers),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_examples_of_the_rfc),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
