/*
 * Accept-Encoding: what the field says, what we have, what is chosen (RFC 9110 12.5.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/encoding.h"
#include "http/h1.h"

#define FIELD "Accept-Encoding: "

static const struct h1_limits limits = { 8192, 100, 16384 };

static enum coding choose(const char *fields, unsigned have)
{
    struct http_encodings encodings;
    struct h1_parser parser;
    struct http_head head;
    char text[1024];
    int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);

    h1_head_begin(&parser, &limits, &head);
    assert_int_equal(h1_head_parse(&parser, text, (size_t)n, &head), H1_DONE);
    http_encodings_read(&head, text, &encodings);
    return http_encodings_choose(&encodings, have);
}

static void test_with_all_codings(void **state)
{
    static const struct {
        const char *fields;
        enum coding expected;
    } rows[] = {
        { "", CODING_IDENTITY },
        { FIELD "\r\n", CODING_IDENTITY },
        { FIELD "gzip\r\n", CODING_GZIP },
        { FIELD "GZip\r\n", CODING_GZIP },
        { FIELD "x-gzip\r\n", CODING_GZIP },
        { FIELD "gzip, deflate, br, zstd\r\n", CODING_BR }, /* at equal weights the preference is ours */
        { FIELD "gzip, deflate, zstd\r\n", CODING_ZSTD },
        { FIELD "deflate, compress\r\n", CODING_IDENTITY },
        { FIELD "gzip;q=1.0, br;q=0.8\r\n", CODING_GZIP },
        { FIELD "gzip;q=0.8,zstd;q=0.801,br;q=0.799\r\n", CODING_ZSTD },
        { FIELD "gzip ; q=0.5 ,\tbr;Q=0.4\r\n", CODING_GZIP },
        { FIELD "br;q=0.001\r\n", CODING_BR },
        { FIELD "br;q=0\r\n", CODING_IDENTITY },
        { FIELD "br;q=0.000, gzip\r\n", CODING_GZIP },
        { FIELD "*\r\n", CODING_BR },
        { FIELD "*;q=0.1\r\n", CODING_BR },
        { FIELD "br;q=0, *\r\n", CODING_ZSTD },
        { FIELD "gzip;q=0.5, *;q=0.2\r\n", CODING_GZIP },
        { FIELD "*;q=0\r\n", CODING_IDENTITY },
        { FIELD "gzip, *;q=0\r\n", CODING_GZIP },
        { FIELD "identity\r\n", CODING_IDENTITY },
        { FIELD "identity, gzip\r\n", CODING_GZIP }, /* equal weights */
        { FIELD "identity, gzip;q=0.5\r\n", CODING_IDENTITY },
        { FIELD "identity;q=0.4, gzip;q=0.5\r\n", CODING_GZIP },
        { FIELD "identity;q=0\r\n", CODING_IDENTITY }, /* never refused */
        { FIELD "identity;q=0, br;q=0.1\r\n", CODING_BR },
        /* malformed members are not there */
        { FIELD "br;q=2, gzip\r\n", CODING_GZIP },
        { FIELD "br;q=1.001, gzip;q=0.1\r\n", CODING_GZIP },
        { FIELD "br;q=0.1234, gzip\r\n", CODING_GZIP },
        { FIELD "br;q=.5, gzip\r\n", CODING_GZIP },
        { FIELD "br;q=, gzip\r\n", CODING_GZIP },
        { FIELD "br;level=9, gzip\r\n", CODING_GZIP },
        { FIELD "br;, gzip\r\n", CODING_GZIP },
        { FIELD "br;q=0.5;x=y, gzip\r\n", CODING_GZIP },
        { FIELD "b r, brotli\r\n", CODING_IDENTITY },
        { FIELD ",, ,gzip,,\r\n", CODING_GZIP },
        { FIELD "br;q=1., gzip\r\n", CODING_BR },
        /* the first counts; several fields are one list */
        { FIELD "br;q=0, br\r\n", CODING_IDENTITY },
        { FIELD "gzip;q=0.9\r\n" FIELD "br\r\n", CODING_BR },
        { FIELD "gzip\r\n" FIELD "gzip;q=0\r\n", CODING_GZIP },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum coding got = choose(rows[i].fields, CODING_ALL);

        if (got != rows[i].expected)
            fail_msg("%s: " STR_FMT, rows[i].fields, STR_ARG(coding_name(got)));
    }
}

static void test_with_what_there_is(void **state)
{
    assert_int_equal(choose(FIELD "gzip, br, zstd\r\n", CODING_BIT(CODING_GZIP)), CODING_GZIP);
    assert_int_equal(choose(FIELD "gzip, br, zstd\r\n", 0), CODING_IDENTITY);
    assert_int_equal(choose(FIELD "br\r\n", CODING_BIT(CODING_GZIP)), CODING_IDENTITY);
    assert_int_equal(choose(FIELD "br;q=0.9, gzip;q=0.1\r\n", CODING_BIT(CODING_GZIP)), CODING_GZIP);
}

static void test_weights(void **state)
{
    assert_int_equal(http_weight(STR("1")), 1000);
    assert_int_equal(http_weight(STR("0.")), 0);
    assert_int_equal(http_weight(STR("0.07")), 70);
    assert_int_equal(http_weight(STR("0.999")), 999);
    assert_int_equal(http_weight(STR("")), -1);
    assert_int_equal(http_weight(STR("01")), -1);
    assert_int_equal(http_weight(STR("0.1.")), -1);
    assert_int_equal(http_weight(STR("-1")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_all_codings),
        cmocka_unit_test(test_with_what_there_is),
        cmocka_unit_test(test_weights),
    };

    return cmocka_run_group_tests_name("http/encoding", tests, NULL, NULL);
}
