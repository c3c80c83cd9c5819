/*
 * HTTP dates, held against libc's own calendar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "assert_str.h"
#include "http/date.h"

static void assert_round_trip(int64_t seconds)
{
    char ours[HTTP_DATE_LEN], libc[64];
    struct tm tm;
    time_t t = (time_t)seconds;
    int64_t back;

    http_date_write(seconds, ours);
    gmtime_r(&t, &tm);
    assert_int_equal(strftime(libc, sizeof(libc), "%a, %d %b %Y %H:%M:%S GMT", &tm), HTTP_DATE_LEN);
    assert_str(str_make(ours, sizeof(ours)), str_of(libc));
    assert_int_equal(http_date_parse(str_make(ours, sizeof(ours)), &back), 0);
    assert_true(back == seconds);
}

static void test_every_day_until_2400(void **state)
{
    for (int64_t day = 0; day < 157054; day++)
        assert_round_trip(day * 86400 + day % 86400);
}

static void test_the_ends(void **state)
{
    assert_round_trip(0);
    assert_round_trip(86399);
    assert_round_trip(951782400); /* 29 February 2000 */
    assert_round_trip(INT64_C(253402300799));
}

static void test_forms(void **state)
{
    static const struct {
        struct str text;
        int64_t seconds;
    } rows[] = {
        { STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777 },
        { STR_INIT("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777 },
        { STR_INIT("Sun Nov  6 08:49:37 1994"), 784111777 },
        { STR_INIT("Thu Nov 17 08:49:37 1994"), 785062177 },
        { STR_INIT("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800 }, /* a leap second */
        { STR_INIT("Wed, 31 Dec 1969 23:59:59 GMT"), -1 },
        { STR_INIT("Sat, 01 Jan 0000 00:00:00 GMT"), INT64_C(-62167219200) },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seconds;

        assert_int_equal(http_date_parse(rows[i].text, &seconds), 0);
        assert_true(seconds == rows[i].seconds);
    }
}

/* RFC 9110 5.6.7: two digits of a year mean at most 50 years ahead. */
static void test_short_years(void **state)
{
    time_t now = time(NULL);
    struct tm tm;
    char text[64];
    int64_t seconds;

    gmtime_r(&now, &tm);
    for (int ahead = -49; ahead <= 50; ahead++) {
        int year = tm.tm_year + 1900 + ahead;
        struct tm expected = { .tm_year = year - 1900, .tm_mday = 1 };

        snprintf(text, sizeof(text), "Monday, 01-Jan-%02d 00:00:00 GMT", year % 100);
        assert_int_equal(http_date_parse(str_of(text), &seconds), 0);
        assert_true(seconds == timegm(&expected));
    }
}

static void test_refused(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("0"),
        STR_INIT("784111777"),
        STR_INIT("Sun, 06 Nov 1994 08:49:37"),
        STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT "),
        STR_INIT(" Sun, 06 Nov 1994 08:49:37 GMT"),
        STR_INIT("Sun, 06 Nov 1994 08:49:37 UTC"),
        STR_INIT("Sun, 06 Nov 1994 08:49:37 +0000"),
        STR_INIT("sun, 06 nov 1994 08:49:37 gmt"),
        STR_INIT("Sun, 6 Nov 1994 08:49:37 GMT"),
        STR_INIT("Sun, 06 Nov 94 08:49:37 GMT"),
        STR_INIT("Sun, 06-Nov-1994 08:49:37 GMT"),
        STR_INIT("Sun, 00 Nov 1994 08:49:37 GMT"),
        STR_INIT("Sun, 31 Nov 1994 08:49:37 GMT"),
        STR_INIT("Sun, 29 Feb 1994 08:49:37 GMT"),
        STR_INIT("Sun, 29 Feb 1900 08:49:37 GMT"),
        STR_INIT("Sun, 06 Nov 1994 24:00:00 GMT"),
        STR_INIT("Sun, 06 Nov 1994 08:60:00 GMT"),
        STR_INIT("Sun, 06 Nov 1994 08:00:61 GMT"),
        STR_INIT("Sun, 06 Nov 1994 8:49:37 GMT"),
        STR_INIT("Sun, 06 Nov 1994 08-49-37 GMT"),
        STR_INIT("Sun, -6 Nov 1994 08:49:37 GMT"),
        STR_INIT("Xxx, 06 Nov 1994 08:49:37 GMT"),
        STR_INIT("Sun, 06 Xxx 1994 08:49:37 GMT"),
        STR_INIT("Sun Nov 06 08:49:37 1994 GMT"),
        STR_INIT("Sun Nov   08:49:37 1994"),
        STR_INIT("Sun, 06 Nov 1994 08:49:37 GM\0"),
    };
    int64_t seconds;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (http_date_parse(rows[i], &seconds) != -EINVAL)
            fail_msg("taken: " STR_FMT, STR_ARG(rows[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day_until_2400), cmocka_unit_test(test_the_ends), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_short_years),          cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
