/*
 * Ranges: what is asked for, and which parts are answered. Expected are the parts as "first-last" with blanks between; "": the whole; "416".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/h1.h"
#include "http/range.h"

#define OLD "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define NEW "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED 784111777 /* SAME */
#define ONE "Range: bytes=0-0\r\n"

static const struct h1_limits limits = { 8192, 100, 16384 };
static const struct http_validators strong = { STR_INIT("\"v2\""), MODIFIED, MODIFIED + 3600 };
static const struct http_validators weak = { STR_INIT("W/\"v2\""), MODIFIED, MODIFIED + 3600 };
static const struct http_validators nothing = { STR_INIT(""), -1, MODIFIED + 3600 };

struct row {
    const char *fields;
    uint64_t size;
    const char *expected;
};

static void write_answer(enum http_range_result kind, const struct http_ranges *ranges, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    if (kind == HTTP_RANGE_UNSATISFIABLE)
        snprintf(out, size, "416");
    for (uint32_t i = 0; kind == HTTP_RANGE_SOME && i < ranges->n; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%llu-%llu", i > 0 ? " " : "",
                              (unsigned long long)ranges->at[i].first, (unsigned long long)ranges->at[i].last);
}

static void assert_row(const char *method, const struct http_validators *v, const struct row *row)
{
    static struct http_head head;
    struct http_ranges ranges;
    struct h1_parser parser;
    char text[8192], got[1024];
    int n = snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, row->fields);

    h1_head_begin(&parser, &limits, &head);
    assert_int_equal(h1_head_parse(&parser, text, (size_t)n, &head), H1_DONE);
    write_answer(http_range_evaluate(&head, text, v, row->size, &ranges), &ranges, got, sizeof(got));
    if (strcmp(got, row->expected) != 0)
        fail_msg("'%s' instead of '%s' for %s %s", got, row->expected, method, row->fields);
}

static void assert_rows(const struct row *rows, size_t n, const char *method, const struct http_validators *v)
{
    for (size_t i = 0; i < n; i++)
        assert_row(method, v, &rows[i]);
}

static void test_one(void **state)
{
    static const struct row rows[] = {
        { "", 100, "" },
        { ONE, 100, "0-0" },
        { "Range: Bytes=10-19\r\n", 100, "10-19" },
        { "Range: bytes= 10-19\r\n", 100, "10-19" },
        { "Range: bytes=99-99\r\n", 100, "99-99" },
        { "Range: bytes=99-100\r\n", 100, "99-99" },
        { "Range: bytes=0-\r\n", 100, "0-99" },
        { "Range: bytes=50-\r\n", 100, "50-99" },
        { "Range: bytes=-1\r\n", 100, "99-99" },
        { "Range: bytes=-100\r\n", 100, "0-99" },
        { "Range: bytes=-101\r\n", 100, "0-99" },
        { "Range: bytes=0-18446744073709551615\r\n", 100, "0-99" },
        { "Range: bytes=0-99999999999999999999999\r\n", 100, "0-99" },
        { "Range: bytes=-99999999999999999999999\r\n", 100, "0-99" },
        { "Range: bytes=100-\r\n", 100, "416" },
        { "Range: bytes=100-200\r\n", 100, "416" },
        { "Range: bytes=99999999999999999999999-\r\n", 100, "416" },
        { "Range: bytes=-0\r\n", 100, "416" },
        { "Range: bytes=0-\r\n", 0, "416" },
        { "Range: bytes=-5\r\n", 0, "" },
        { "Range: bytes=5-4\r\n", 100, "" },
        { "Range: bytes=0-1\r\nRange: bytes=5-6\r\n", 100, "" },
        { "Range: bytes=\r\n", 100, "" },
        { "Range: bytes=-\r\n", 100, "" },
        { "Range: bytes=5\r\n", 100, "" },
        { "Range: bytes=+5-6\r\n", 100, "" },
        { "Range: bytes=5 -6\r\n", 100, "" },
        { "Range: bytes=5-6-7\r\n", 100, "" },
        { "Range: bytes=--5\r\n", 100, "" },
        { "Range: bytes=a-b\r\n", 100, "" },
        { "Range: items=0-5\r\n", 100, "" }, /* a unit that we do not know (14.2) */
        { "Range: bytes 0-5\r\n", 100, "" },
    };
    static const struct row one = { ONE, 100, "" };

    assert_rows(rows, ARRAY_LEN(rows), "GET", &strong);
    assert_row("HEAD", &strong, &one); /* 14.2: defined for GET alone */
    assert_row("POST", &strong, &one);
}

static void test_several(void **state)
{
    static const struct row rows[] = {
        { "Range: bytes=0-9,500-509\r\n", 1000, "0-9 500-509" },
        { "Range: bytes=0-9 , 500-509\t,-10\r\n", 1000, "0-9 500-509 990-999" },
        { "Range: bytes=,0-9,,500-509,\r\n", 1000, "0-9 500-509" }, /* 5.6.1: empty members */
        { "Range: bytes=500-509,0-9\r\n", 1000, "500-509 0-9" },    /* in the order asked for (15.3.7.2) */
        { "Range: bytes=0-9,2000-\r\n", 1000, "0-9" },              /* what does not exist is left out */
        { "Range: bytes=2000-,3000-\r\n", 1000, "416" },
        { "Range: bytes=0-9,9-5\r\n", 1000, "" }, /* one that is malformed spoils the set */
        { "Range: bytes=0-9,x\r\n", 1000, "" },
        { "Range: bytes=,\r\n", 1000, "" },
        { "Range: bytes=0-9,5-19\r\n", 1000, "0-19" }, /* overlapping */
        { "Range: bytes=5-19,0-9\r\n", 1000, "0-19" },
        { "Range: bytes=0-9,10-19\r\n", 1000, "0-19" }, /* adjacent */
        { "Range: bytes=0-9,90-99\r\n", 1000, "0-99" }, /* 80 bytes between: cheaper than a part */
        { "Range: bytes=0-9,91-99\r\n", 1000, "0-9 91-99" },
        { "Range: bytes=0-,0-,0-,0-\r\n", 1000, "0-999" },
        { "Range: bytes=0-9,500-509,200-209,5-505\r\n", 1000, "0-509" }, /* the last joins all */
        { "Range: bytes=900-909,0-9,300-309,200-250,5-120\r\n", 1000,
          "900-909 0-309" }, /* and again after it has grown */
        { "Range: bytes=0-0,-1\r\n", 1, "0-0" },
        { "Range: bytes=0-18446744073709551615,18446744073709551615-\r\n", UINT64_MAX, "0-18446744073709551614" },
    };

    assert_rows(rows, ARRAY_LEN(rows), "GET", &strong);
}

/* n ranges of a byte, `step` bytes apart. */
static void ask_many(unsigned n, unsigned step, enum http_range_result expected, uint32_t parts)
{
    static struct http_head head;
    struct http_ranges ranges;
    struct h1_parser parser;
    struct buf b;

    buf_init(&b, 8192);
    must(buf_add_str(&b, STR("GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=")) == 0);
    for (unsigned i = 0; i < n; i++)
        must(buf_printf(&b, "%s%u-%u", i > 0 ? "," : "", i * step, i * step) == 0);
    must(buf_add_str(&b, STR("\r\n\r\n")) == 0);
    h1_head_begin(&parser, &limits, &head);
    assert_int_equal(h1_head_parse(&parser, b.data, b.len, &head), H1_DONE);
    assert_int_equal(http_range_evaluate(&head, b.data, &strong, 1000000, &ranges), expected);
    if (expected == HTTP_RANGE_SOME)
        assert_int_equal(ranges.n, parts);
    buf_fini(&b);
}

static void test_many(void **state)
{
    ask_many(HTTP_RANGES_MAX, 1000, HTTP_RANGE_SOME, HTTP_RANGES_MAX);
    ask_many(HTTP_RANGES_MAX + 1, 1000, HTTP_RANGE_NONE, 0);
    ask_many(HTTP_RANGE_SPECS_MAX, 2, HTTP_RANGE_SOME, 1);
    ask_many(HTTP_RANGE_SPECS_MAX + 1, 2, HTTP_RANGE_NONE, 0);
    ask_many(1000, 0, HTTP_RANGE_NONE, 0); /* CVE-2011-3192 */
}

static void test_if_range(void **state)
{
    static const struct row rows[] = {
        { ONE "If-Range: \"v2\"\r\n", 100, "0-0" },
        { ONE "If-Range: \"v1\"\r\n", 100, "" },
        { ONE "If-Range: W/\"v2\"\r\n", 100, "" },
        { ONE "If-Range: \"v1\", \"v2\"\r\n", 100, "" },
        { ONE "If-Range: " SAME "\r\n", 100, "0-0" },
        { ONE "If-Range: " OLD "\r\n", 100, "" },
        { ONE "If-Range: " NEW "\r\n", 100, "" }, /* an exact match, no comparison */
        { ONE "If-Range: *\r\n", 100, "" },
        { ONE "If-Range:\r\n", 100, "" },
        { ONE "If-Range: \"v2\"\r\nIf-Range: \"v2\"\r\n", 100, "" },
        { "Range: bytes=500-\r\nIf-Range: \"v1\"\r\n", 100, "" }, /* no 416 for an old validator */
        { "Range: bytes=0-0,90-\r\nIf-Range: \"v2\"\r\n", 100, "0-0 90-99" },
        { "If-Range: \"v2\"\r\n", 100, "" },
    };
    static const struct row weak_row = { ONE "If-Range: W/\"v2\"\r\n", 100, "" };
    static const struct row date_row = { ONE "If-Range: " SAME "\r\n", 100, "" };
    struct http_validators just_now = { STR_INIT("\"v2\""), MODIFIED, MODIFIED };

    assert_rows(rows, ARRAY_LEN(rows), "GET", &strong);
    assert_row("GET", &weak, &weak_row);
    assert_row("GET", &just_now, &date_row); /* 8.8.2.2: its second is not over */
    assert_row("GET", &nothing, &date_row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_if_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
