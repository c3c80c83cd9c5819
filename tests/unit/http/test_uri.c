/*
 * Percent-decoding, paths for files, authorities, ALLOWED_HOSTS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "assert_str.h"
#include "http/uri.h"

static void test_decode(void **state)
{
    static const struct {
        struct str in, out;
    } rows[] = {
        { STR_INIT(""), STR_INIT("") },
        { STR_INIT("/plain"), STR_INIT("/plain") },
        { STR_INIT("/a%20b%2Fc%2f"), STR_INIT("/a b/c/") },
        { STR_INIT("%"), STR_INIT("%") },
        { STR_INIT("%4"), STR_INIT("%4") },
        { STR_INIT("%4g%zz"), STR_INIT("%4g%zz") },
        { STR_INIT("%%41"), STR_INIT("%A") },
        { STR_INIT("%2541"), STR_INIT("%41") }, /* once, not twice */
        { STR_INIT("%00%ff+"), STR_INIT("\0\xff+") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];

        memcpy(text, rows[i].in.p, rows[i].in.n); /* in place */
        assert_str(str_make(text, uri_decode(str_make(text, rows[i].in.n), text)), rows[i].out);
    }
}

static void test_file_paths_are_taken(void **state)
{
    static const struct {
        struct str in, out;
    } rows[] = {
        { STR_INIT(""), STR_INIT("") },
        { STR_INIT("/"), STR_INIT("/") },
        { STR_INIT("css/site.css"), STR_INIT("css/site.css") },
        { STR_INIT("/css//site.css"), STR_INIT("/css/site.css") },
        { STR_INIT("///a///b///"), STR_INIT("/a/b/") },
        { STR_INIT("/a%20b/%C3%A9.png"), STR_INIT("/a b/\xc3\xa9.png") },
        { STR_INIT("/a..b/c.."), STR_INIT("/a..b/c..") },
        { STR_INIT("/.well-known/acme-challenge/x"), STR_INIT("/.well-known/acme-challenge/x") },
        { STR_INIT(".well-known"), STR_INIT(".well-known") },
        { STR_INIT("/a%25b%3f%23"), STR_INIT("/a%b?#") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[64];
        size_t n = 99;

        assert_int_equal(uri_file_path(rows[i].in, out, &n), 0);
        assert_str(str_make(out, n), rows[i].out);
    }
}

static void test_file_paths_are_refused(void **state)
{
    static const struct str rows[] = {
        STR_INIT(".."),
        STR_INIT("/.."),
        STR_INIT("/../etc/passwd"),
        STR_INIT("/a/../b"),
        STR_INIT("/a/.."),
        STR_INIT("/a/./b"),
        STR_INIT("/."),
        STR_INIT("/%2e%2e/etc"),
        STR_INIT("/%2E./etc"),
        STR_INIT("/.%2e"),
        STR_INIT("/..%2fetc"),
        STR_INIT("/a%2fb"),
        STR_INIT("/a%2Fb"),
        STR_INIT("/a\\..\\b"),
        STR_INIT("/a%5c..%5cb"),
        STR_INIT("/a%00.png"),
        STR_INIT("/a\0.png"),
        STR_INIT("/a%0d%0ab"),
        STR_INIT("/a\nb"),
        STR_INIT("/a%7f"),
        STR_INIT("/a%1f"),
        STR_INIT("/%"),
        STR_INIT("/%2"),
        STR_INIT("/%zz"),
        STR_INIT("/.git/config"),
        STR_INIT("/%2egit/config"),
        STR_INIT("/a/.htaccess"),
        STR_INIT(".env"),
        STR_INIT("/a/.well-known/x"),
        STR_INIT("/.well-known-not"),
        STR_INIT("/.well-known/.."),
        STR_INIT("/..."),
        STR_INIT("//.."),
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[64];
        size_t n;

        if (uri_file_path(rows[i], out, &n) != -EINVAL)
            fail_msg("taken: " STR_FMT, STR_ARG(rows[i]));
    }
}

static void test_authorities_are_taken(void **state)
{
    static const struct {
        struct str in, host;
        uint32_t port;
    } rows[] = {
        { STR_INIT("a"), STR_INIT("a"), 0 },
        { STR_INIT("Shop.example:8000"), STR_INIT("Shop.example"), 8000 },
        { STR_INIT("a_b-c.example.:65535"), STR_INIT("a_b-c.example."), 65535 },
        { STR_INIT("a:"), STR_INIT("a"), 0 },
        { STR_INIT("127.0.0.1:1"), STR_INIT("127.0.0.1"), 1 },
        { STR_INIT("[::1]"), STR_INIT("[::1]"), 0 },
        { STR_INIT("[2001:DB8::1.2.3.4]:443"), STR_INIT("[2001:DB8::1.2.3.4]"), 443 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct uri_authority a;

        assert_int_equal(uri_authority_parse(rows[i].in, &a), 0);
        assert_str(a.host, rows[i].host);
        assert_int_equal(a.port, rows[i].port);
    }
}

static void test_authorities_are_refused(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT(":80"),
        STR_INIT(".a"),
        STR_INIT("a:0"),
        STR_INIT("a:65536"),
        STR_INIT("a:000080"),
        STR_INIT("a:8o"),
        STR_INIT("a:1:2"),
        STR_INIT("a b"),
        STR_INIT("u@a"),
        STR_INIT("a/"),
        STR_INIT("a?"),
        STR_INIT("a#"),
        STR_INIT("a%41"),
        STR_INIT("a,b"),
        STR_INIT("a\0"),
        STR_INIT("\xc3\xa9"),
        STR_INIT("["),
        STR_INIT("[]"),
        STR_INIT("[::1"),
        STR_INIT("::1"),
        STR_INIT("[::1]x"),
        STR_INIT("[::1%1]"),
        STR_INIT("[1.2.3.4]"),
        STR_INIT("[v1.a]"),
        STR_INIT("[::1]]"),
        STR_INIT("[::1\0]"),
        STR_INIT("[:::1]"),
        STR_INIT("[::g]"),
        STR_INIT("a]"),
        STR_INIT("[1111:2222:3333:4444:5555:6666:7777:8888:9999]"),
    };
    char longest[257];
    struct uri_authority a;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (uri_authority_parse(rows[i], &a) != -EINVAL)
            fail_msg("taken: " STR_FMT, STR_ARG(rows[i]));
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(uri_authority_parse(str_make(longest, 255), &a), 0);
    assert_int_equal(uri_authority_parse(str_make(longest, 256), &a), -EINVAL);
}

static void test_allowed_hosts(void **state)
{
    static const struct {
        const char *host, *pattern;
        bool matches;
    } rows[] = {
        { "a.example", "a.example", true },
        { "A.Example:8000", "a.example", true },
        { "a.example", "A.EXAMPLE", true },
        { "a.example.", "a.example", true },
        { "a.example.:80", "a.example", true },
        { "a.example..", "a.example", false },
        { "b.a.example", "a.example", false },
        { "a.example.evil", "a.example", false },
        { "xa.example", ".a.example", false },
        { "b.a.example", ".a.example", true },
        { "c.b.A.example", ".a.example", true },
        { "a.example", ".a.example", true },
        { "evil", "*", true },
        { "[::1]:8000", "[::1]", true },
        { "[::1]", "[::1]", true },
        { "[::2]", "[::1]", false },
        { "127.0.0.1:80", "127.0.0.1", true },
        { "localhost", "127.0.0.1", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (uri_host_matches(str_of(rows[i].host), str_of(rows[i].pattern)) != rows[i].matches)
            fail_msg("%s against %s", rows[i].host, rows[i].pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_file_paths_are_taken),
        cmocka_unit_test(test_file_paths_are_refused),
        cmocka_unit_test(test_authorities_are_taken),
        cmocka_unit_test(test_authorities_are_refused),
        cmocka_unit_test(test_allowed_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
