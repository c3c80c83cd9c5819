/* Time: the printed form against the C library, clocks that go forward. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static void assert_iso(uint64_t ns, const char *want)
{
    char out[CLOCK_ISO_LEN + 1];

    clock_iso(ns, out);
    assert_string_equal(out, want);
}

static void known_moments(void **state)
{
    (void)state;
    assert_iso(0, "1970-01-01T00:00:00.000Z");
    assert_iso(UINT64_C(951782400) * NS_PER_SEC, "2000-02-29T00:00:00.000Z");
    assert_iso(UINT64_C(1769903999) * NS_PER_SEC + 123999999, "2026-01-31T23:59:59.123Z");
    assert_iso(UINT64_C(4107542400) * NS_PER_SEC - 1, "2100-02-28T23:59:59.999Z");
    assert_iso(UINT64_C(4107542400) * NS_PER_SEC, "2100-03-01T00:00:00.000Z");
    assert_iso(UINT64_MAX, "2554-07-21T23:34:33.709Z");
}

static void every_day_as_the_c_library_has_it(void **state)
{
    char want[64];

    (void)state;
    for (time_t day = 0; day < 200000; day++) {
        time_t t = day * 86400 + (day * 7919) % 86400;
        struct tm tm;

        gmtime_r(&t, &tm);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        assert_iso((uint64_t)t * NS_PER_SEC, want);
    }
}

static void clocks_go(void **state)
{
    uint64_t a = clock_mono_ns(), wall = clock_wall_ns();
    int64_t off = (int64_t)(wall / NS_PER_SEC) - (int64_t)time(NULL);

    (void)state;
    assert_true(clock_mono_ns() >= a);
    assert_true(off >= -1 && off <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments),
        cmocka_unit_test(every_day_as_the_c_library_has_it),
        cmocka_unit_test(clocks_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
