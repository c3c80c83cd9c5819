/*
 * Requests that must be understood, and the limits exactly at and one past each boundary; replayed however cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "assert_str.h"
#include "replay.h"

static const struct h1_limits limits = { 8192, 100, 16384 };

static struct replay accepted(struct str message)
{
    struct replay r = replay_head(message, &limits, (unsigned)message.n);

    if (r.result != H1_DONE)
        fail_msg("result %d, status %u: %s\n" STR_FMT, r.result, r.parser.status, r.parser.reason, STR_ARG(message));
    return r;
}

static void test_a_browser_request(void **state)
{
    struct str m = STR("GET /a%20b/c?q=1&r=%2F HTTP/1.1\r\n"
                       "Host: Shop.example:8000\r\n"
                       "User-Agent:\t Mozilla/5.0 (X11) \t\r\n"
                       "X-Empty:\r\n"
                       "X_Odd~Name|`: \xc3\xa9 a:b\r\n"
                       "cookie: a=1; b=2\r\n"
                       "\r\nGET /next");
    struct replay r = accepted(m);
    const struct http_field *f = r.head.fields;

    assert_int_equal(r.head.method, HTTP_GET);
    assert_int_equal(r.head.minor, 1);
    assert_int_equal(r.head.target_form, HTTP_TARGET_ORIGIN);
    assert_str(http_str(m.p, r.head.method_text), STR("GET"));
    assert_str(http_str(m.p, r.head.target), STR("/a%20b/c?q=1&r=%2F"));
    assert_str(http_str(m.p, r.head.path), STR("/a%20b/c"));
    assert_str(http_str(m.p, r.head.query), STR("q=1&r=%2F"));
    assert_str(http_str(m.p, r.head.authority), STR("Shop.example:8000"));
    assert_int_equal(r.head.length, m.n - strlen("GET /next"));
    assert_int_equal(r.head.n_fields, 5);
    assert_int_equal(f[0].id, HTTP_F_HOST);
    assert_int_equal(f[1].id, HTTP_F_USER_AGENT);
    assert_str(http_str(m.p, f[1].value), STR("Mozilla/5.0 (X11)"));
    assert_int_equal(f[2].id, HTTP_F_OTHER);
    assert_str(http_str(m.p, f[2].value), STR(""));
    assert_str(http_str(m.p, f[3].name), STR("X_Odd~Name|`"));
    assert_str(http_str(m.p, f[3].value), STR("\xc3\xa9 a:b"));
    assert_int_equal(f[4].id, HTTP_F_COOKIE);
    assert_int_equal(r.head.body, HTTP_BODY_NONE);
    assert_true(r.head.keep_alive);
    assert_false(r.head.expect_continue);
}

static void test_bodies(void **state)
{
    struct replay r =
        accepted(STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0012\r\nExpect: 100-Continue\r\n\r\n"));

    assert_int_equal(r.head.body, HTTP_BODY_LENGTH);
    assert_int_equal(r.head.content_length, 12);
    assert_true(r.head.expect_continue);
    r = accepted(STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \t Chunked \r\nExpect: 100-continue\r\n\r\n"));
    assert_int_equal(r.head.body, HTTP_BODY_CHUNKED);
    assert_true(r.head.expect_continue);
    r = accepted(STR("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n"));
    assert_int_equal(r.head.body, HTTP_BODY_LENGTH);
    assert_int_equal(r.head.content_length, 0);
    assert_false(r.head.expect_continue); /* nothing is to come */
    r = accepted(STR("PUT / HTTP/1.0\r\nContent-Length: 9223372036854775807\r\nExpect: 100-continue\r\n\r\n"));
    assert_true(r.head.content_length == INT64_MAX);
    assert_false(r.head.expect_continue); /* RFC 9110 10.1.1: ignored from 1.0 */
}

static void test_persistence(void **state)
{
    static const struct {
        struct str message;
        bool keep_alive;
    } rows[] = {
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), true },
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), false },
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE,\r\n\r\n"), false },
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n"), false },
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"), false },
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"), true },
        { STR_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection:\r\n\r\n"), true },
        { STR_INIT("GET / HTTP/1.0\r\n\r\n"), false },
        { STR_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true },
        { STR_INIT("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(accepted(rows[i].message).head.keep_alive, rows[i].keep_alive);
}

static void test_targets(void **state)
{
    static const struct {
        struct str message;
        enum http_target form;
        struct str path, query, authority;
    } rows[] = {
        { STR_INIT("GET http://a.example/p?q HTTP/1.1\r\nHost: A.example\r\n\r\n"), HTTP_TARGET_ABSOLUTE,
          STR_INIT("/p"), STR_INIT("q"), STR_INIT("a.example") },
        { STR_INIT("GET HTTPS://a.example:443/ HTTP/1.1\r\nHost: a.example\r\n\r\n"), HTTP_TARGET_ABSOLUTE,
          STR_INIT("/"), STR_INIT(""), STR_INIT("a.example:443") },
        { STR_INIT("GET http://a.example HTTP/1.1\r\nHost: a.example:80\r\n\r\n"), HTTP_TARGET_ABSOLUTE, STR_INIT("/"),
          STR_INIT(""), STR_INIT("a.example") },
        { STR_INIT("GET http://[::1]:8000?a?b HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n"), HTTP_TARGET_ABSOLUTE,
          STR_INIT("/"), STR_INIT("a?b"), STR_INIT("[::1]:8000") },
        { STR_INIT("GET http://a.example/ HTTP/1.0\r\n\r\n"), HTTP_TARGET_ABSOLUTE, STR_INIT("/"), STR_INIT(""),
          STR_INIT("a.example") },
        { STR_INIT("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_TARGET_ASTERISK, STR_INIT("*"), STR_INIT(""),
          STR_INIT("a") },
        { STR_INIT("GET //b/../c? HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_TARGET_ORIGIN, STR_INIT("//b/../c"), STR_INIT(""),
          STR_INIT("a") },
        { STR_INIT("GET /|{}^\"\\\xc3\xa9%zz HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_TARGET_ORIGIN,
          STR_INIT("/|{}^\"\\\xc3\xa9%zz"), STR_INIT(""), STR_INIT("a") },
        { STR_INIT("GET / HTTP/1.0\r\n\r\n"), HTTP_TARGET_ORIGIN, STR_INIT("/"), STR_INIT(""), STR_INIT("") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct replay r = accepted(rows[i].message);

        assert_int_equal(r.head.target_form, rows[i].form);
        assert_str(http_str(rows[i].message.p, r.head.path), rows[i].path);
        assert_str(http_str(rows[i].message.p, r.head.query), rows[i].query);
        assert_str(http_str(rows[i].message.p, r.head.authority), rows[i].authority);
    }
}

static void test_methods(void **state)
{
    static const struct {
        struct str message;
        enum http_method method;
    } rows[] = {
        { STR_INIT("HEAD / HTTP/1.0\r\n\r\n"), HTTP_HEAD },
        { STR_INIT("PATCH / HTTP/1.0\r\n\r\n"), HTTP_PATCH },
        { STR_INIT("DELETE / HTTP/1.0\r\n\r\n"), HTTP_DELETE },
        { STR_INIT("get / HTTP/1.0\r\n\r\n"), HTTP_OTHER },
        { STR_INIT("GETS / HTTP/1.0\r\n\r\n"), HTTP_OTHER },
        { STR_INIT("PROPFIND / HTTP/1.0\r\n\r\n"), HTTP_OTHER },
        { STR_INIT("M-SEARCH / HTTP/1.0\r\n\r\n"), HTTP_OTHER },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(accepted(rows[i].message).head.method, rows[i].method);
}

static void test_two_empty_lines_are_skipped(void **state)
{
    struct str m = STR("\r\n\r\nGET /x HTTP/1.0\r\n\r\n");
    struct replay r = accepted(m);

    assert_str(http_str(m.p, r.head.path), STR("/x"));
    assert_int_equal(r.head.length, m.n);
}

/* Pipelined requests: each head is parsed from where the former ended. */
static void test_pipelining(void **state)
{
    struct str m = STR("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n");
    struct replay r = accepted(m);
    struct str rest = str_cut(m, r.head.length, m.n);

    assert_str(http_str(m.p, r.head.path), STR("/1"));
    r = accepted(rest);
    assert_str(http_str(rest.p, r.head.path), STR("/2"));
    assert_int_equal(r.head.length, rest.n);
}

/* ---- limits ---- */

/* "prefix" + n times c + "suffix", in static memory. */
static struct str stretched(const char *prefix, size_t n, char c, const char *suffix)
{
    static char text[256 << 10];
    size_t p = strlen(prefix), s = strlen(suffix);

    assert_true(p + n + s <= sizeof(text));
    memcpy(text, prefix, p);
    memset(text + p, c, n);
    memcpy(text + p + n, suffix, s);
    return str_make(text, p + n + s);
}

static void assert_status(struct str message, const struct h1_limits *l, unsigned status)
{
    struct replay r = replay_head(message, l, 1);

    assert_int_equal(r.parser.status, status);
    assert_int_equal(r.result, status == 0 ? H1_DONE : H1_ERROR);
}

static void test_request_line_limit(void **state)
{
    static const struct h1_limits l = { 50, 10, 100 };
    size_t fixed = strlen("GET / HTTP/1.0");

    assert_status(stretched("GET /", 50 - fixed, 'a', " HTTP/1.0\r\n\r\n"), &l, 0);
    assert_status(stretched("GET /", 51 - fixed, 'a', " HTTP/1.0\r\n\r\n"), &l, 414);
    assert_status(stretched("GET /", 1000, 'a', ""), &l, 414);                              /* no line end in sight */
    assert_status(stretched("\r\n\r\nGET /", 50 - fixed, 'a', " HTTP/1.0\r\n\r\n"), &l, 0); /* a limit per line */
}

static void test_field_size_limit(void **state)
{
    static const struct h1_limits l = { 50, 10, 40 };

    assert_status(stretched("GET / HTTP/1.0\r\nA: ", 37, 'b', "\r\n\r\n"), &l, 0);
    assert_status(stretched("GET / HTTP/1.0\r\nA: ", 38, 'b', "\r\n\r\n"), &l, 431);
    assert_status(stretched("GET / HTTP/1.0\r\nA:", 39, ' ', "\r\n\r\n"), &l, 431); /* blanks count */
    assert_status(stretched("GET / HTTP/1.0\r\n", 1000, 'b', ""), &l, 431);
}

/* A request with n fields "a:\r\n". */
static struct str with_fields(size_t n)
{
    static char text[HTTP_FIELDS_MAX * 8];
    size_t len = 0;

    len += (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.0\r\n");
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "a:\r\n");
    len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
    return str_make(text, len);
}

static void test_field_count_limit(void **state)
{
    static const struct h1_limits l = { 50, 3, 40 }, most = { 50, HTTP_FIELDS_MAX, 40 }, none = { 50, 0, 40 };

    assert_status(with_fields(3), &l, 0);
    assert_status(with_fields(4), &l, 431);
    assert_status(with_fields(HTTP_FIELDS_MAX), &most, 0);
    assert_status(with_fields(HTTP_FIELDS_MAX + 1), &most, 431);
    assert_status(with_fields(0), &none, 0);
    assert_status(with_fields(1), &none, 431);
}

static void test_head_limit(void **state)
{
    static const struct h1_limits l = { UINT32_MAX, 100, UINT32_MAX };
    size_t fixed = strlen("GET / HTTP/1.0\r\nA:\r\n\r\n");

    assert_status(stretched("GET / HTTP/1.0\r\nA:", HTTP_HEAD_MAX - fixed, 'b', "\r\n\r\n"), &l, 0);
    assert_status(stretched("GET / HTTP/1.0\r\nA:", HTTP_HEAD_MAX - fixed + 1, 'b', "\r\n\r\n"), &l, 431);
    fixed = strlen("GET / HTTP/1.0\r\n\r\n");
    assert_status(stretched("GET /", HTTP_HEAD_MAX - fixed, 'b', " HTTP/1.0\r\n\r\n"), &l, 0);
    assert_status(stretched("GET /", HTTP_HEAD_MAX - fixed + 1, 'b', " HTTP/1.0\r\n\r\n"), &l, 431);
    assert_status(stretched("GET /", HTTP_HEAD_MAX, 'b', " HTTP/1.0\r\n\r\n"), &l, 414);
}

/* A slow client's head is not searched again and again: what was scanned stays scanned. */
static void test_no_byte_is_looked_at_twice(void **state)
{
    struct h1_parser parser;
    struct http_head *head = malloc(sizeof(*head));
    struct str m = stretched("GET / HTTP/1.0\r\nA: ", 5000, 'b', "");

    h1_head_begin(&parser, &limits, head);
    for (size_t n = 1; n <= m.n; n++) {
        assert_int_equal(h1_head_parse(&parser, m.p, n, head), H1_MORE);
        assert_int_equal(parser.scanned, n);
    }
    free(head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_browser_request), cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_persistence),       cmocka_unit_test(test_targets),
        cmocka_unit_test(test_methods),           cmocka_unit_test(test_two_empty_lines_are_skipped),
        cmocka_unit_test(test_pipelining),        cmocka_unit_test(test_request_line_limit),
        cmocka_unit_test(test_field_size_limit),  cmocka_unit_test(test_field_count_limit),
        cmocka_unit_test(test_head_limit),        cmocka_unit_test(test_no_byte_is_looked_at_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
