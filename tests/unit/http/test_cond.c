/*
 * Preconditions: what the fields ask, what is known, what is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/cond.h"
#include "http/h1.h"

#define OLD "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define NEW "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED 784111777 /* SAME */

static const struct h1_limits limits = { 8192, 100, 16384 };
static const struct http_validators strong = { STR_INIT("\"v2\""), MODIFIED, MODIFIED + 3600 };
static const struct http_validators weak = { STR_INIT("W/\"v2\""), MODIFIED, MODIFIED + 3600 };
static const struct http_validators nothing = { STR_INIT(""), -1, MODIFIED + 3600 };

/* A head with these fields. */
struct asked {
    struct http_head head;
    char text[1024];
};

static void ask(struct asked *asked, const char *method, const char *fields)
{
    struct h1_parser parser;
    int n = snprintf(asked->text, sizeof(asked->text), "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, fields);

    h1_head_begin(&parser, &limits, &asked->head);
    assert_int_equal(h1_head_parse(&parser, asked->text, (size_t)n, &asked->head), H1_DONE);
}

static void test_conditions(void **state)
{
    static const struct {
        const char *method, *fields;
        const struct http_validators *v;
        enum http_cond expected;
    } rows[] = {
        { "GET", "", &strong, HTTP_COND_SEND },
        /* If-None-Match: weak comparison (13.1.2) */
        { "GET", "If-None-Match: \"v2\"\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "HEAD", "If-None-Match: \"v2\"\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "PUT", "If-None-Match: \"v2\"\r\n", &strong, HTTP_COND_FAILED },
        { "GET", "If-None-Match: W/\"v2\"\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-None-Match: \"v2\"\r\n", &weak, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-None-Match: \"v1\"\r\n", &strong, HTTP_COND_SEND },
        { "GET", "If-None-Match: \"v1\", \"a,b\" ,,W/\"v2\"\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-None-Match: \"v1\"\r\nIf-None-Match: \"v2\"\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-None-Match: *\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "PUT", "If-None-Match: *\r\n", &nothing, HTTP_COND_FAILED },
        { "GET", "If-None-Match: \"\"\r\n", &nothing, HTTP_COND_SEND },
        { "GET", "If-None-Match: v2\r\n", &strong, HTTP_COND_SEND },           /* malformed: as if it did not match */
        { "GET", "If-None-Match: \"v1\"\"v2\"\r\n", &strong, HTTP_COND_SEND }, /* malformed */
        { "GET", "If-None-Match: \"v2\r\n", &strong, HTTP_COND_SEND },         /* malformed */
        { "GET", "If-None-Match: w/\"v2\"\r\n", &strong, HTTP_COND_SEND },     /* W is case-sensitive */
        { "GET", "If-None-Match: \"V2\"\r\n", &strong, HTTP_COND_SEND },
        { "GET", "If-None-Match: \"v1\"\r\nIf-Modified-Since: " NEW "\r\n", &strong, HTTP_COND_SEND }, /* 13.1.3 */
        /* If-Modified-Since */
        { "GET", "If-Modified-Since: " SAME "\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-Modified-Since: " NEW "\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-Modified-Since: " OLD "\r\n", &strong, HTTP_COND_SEND },
        { "POST", "If-Modified-Since: " SAME "\r\n", &strong, HTTP_COND_SEND },
        { "GET", "If-Modified-Since: " SAME "\r\n", &nothing, HTTP_COND_SEND },
        { "GET", "If-Modified-Since: yesterday\r\n", &strong, HTTP_COND_SEND },
        { "GET", "If-Modified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n", &strong, HTTP_COND_SEND },
        /* If-Match: strong comparison (13.1.1) */
        { "PUT", "If-Match: \"v2\"\r\n", &strong, HTTP_COND_SEND },
        { "PUT", "If-Match: \"v1\", \"v2\"\r\n", &strong, HTTP_COND_SEND },
        { "PUT", "If-Match: *\r\n", &strong, HTTP_COND_SEND },
        { "PUT", "If-Match: \"v1\"\r\n", &strong, HTTP_COND_FAILED },
        { "GET", "If-Match: \"v1\"\r\n", &strong, HTTP_COND_FAILED },
        { "PUT", "If-Match: W/\"v2\"\r\n", &weak, HTTP_COND_FAILED },
        { "PUT", "If-Match: \"v2\"\r\n", &weak, HTTP_COND_FAILED },
        { "PUT", "If-Match: v2\r\n", &strong, HTTP_COND_FAILED }, /* malformed */
        { "PUT", "If-Match:\r\n", &strong, HTTP_COND_FAILED },
        { "GET", "If-Match: \"v2\"\r\nIf-None-Match: \"v2\"\r\n", &strong, HTTP_COND_NOT_MODIFIED },
        { "GET", "If-Match: \"v1\"\r\nIf-None-Match: \"v2\"\r\n", &strong, HTTP_COND_FAILED },
        /* If-Unmodified-Since */
        { "PUT", "If-Unmodified-Since: " SAME "\r\n", &strong, HTTP_COND_SEND },
        { "PUT", "If-Unmodified-Since: " OLD "\r\n", &strong, HTTP_COND_FAILED },
        { "GET", "If-Unmodified-Since: " OLD "\r\n", &strong, HTTP_COND_FAILED },
        { "PUT", "If-Unmodified-Since: " OLD "\r\n", &nothing, HTTP_COND_SEND },
        { "PUT", "If-Unmodified-Since: never\r\n", &strong, HTTP_COND_SEND },
        { "PUT", "If-Match: \"v2\"\r\nIf-Unmodified-Since: " OLD "\r\n", &strong, HTTP_COND_SEND }, /* 13.1.4 */
    };
    struct asked asked;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum http_cond got;

        ask(&asked, rows[i].method, rows[i].fields);
        got = http_cond_evaluate(&asked.head, asked.text, rows[i].v);
        if (got != rows[i].expected)
            fail_msg("row %zu: %d instead of %d for %s %s", i, got, rows[i].expected, rows[i].method, rows[i].fields);
    }
}

static void test_etags(void **state)
{
    assert_true(http_etag_matches(STR("\"a\""), STR("\"a\""), false));
    assert_true(http_etag_matches(STR("W/\"a\""), STR("\"a\""), true));
    assert_true(http_etag_matches(STR("W/\"a\""), STR("W/\"a\""), true));
    assert_false(http_etag_matches(STR("W/\"a\""), STR("W/\"a\""), false));
    assert_false(http_etag_matches(STR("\"a\""), STR("W/\"a\""), false));
    assert_false(http_etag_matches(STR("\"a\""), STR("\"b\""), true));
    assert_false(http_etag_matches(STR(""), STR(""), true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_etags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
