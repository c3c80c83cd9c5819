/* The measured rate: what it learns, what it forgets, and what it says before it knows anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "edge/rate.h"

/* `n` requests a second end for so many seconds while one comes every ms. */
static uint64_t busy(struct rate *r, uint64_t now, unsigned n, unsigned seconds)
{
    for (unsigned ms = 0; ms < seconds * 1000; ms++) {
        rate_busy(r, now + ms * NS_PER_MS);
        r->ended += (uint64_t)(ms + 1) * n / 1000 - (uint64_t)ms * n / 1000;
    }
    return now + seconds * NS_PER_SEC;
}

static void nothing_known(void **state)
{
    struct rate r = { 0 };

    assert_int_equal(rate_wait(&r, 1000), 0);
    assert_int_equal(rate_retry_after(&r, 1000, NS_PER_SEC), 1);
}

static void learns(void **state)
{
    struct rate r = { 0 };
    uint64_t now = busy(&r, NS_PER_SEC, 100, 5);

    assert_in_range((uint64_t)r.per_second, 95, 105);
    assert_in_range(rate_wait(&r, 1000), 9 * NS_PER_SEC, 11 * NS_PER_SEC);
    assert_in_range(rate_retry_after(&r, 1000, now), 10, 11);
    assert_int_equal(rate_retry_after(&r, 1, now), 1);
    assert_int_equal(rate_retry_after(&r, 1000000, now), 300);
}

/* Two workers that take 50 ms each began just before anybody had to wait: the first forecast is no better than the truth. */
static void the_first_forecast(void **state)
{
    struct rate r = { 0 };

    for (unsigned ms = 30; r.per_second <= 0 && ms < 1000; ms += 5) {
        r.ended = ms / 50 * 2;
        rate_busy(&r, NS_PER_SEC + ms * NS_PER_MS);
    }
    assert_in_range((uint64_t)r.per_second, 38, 41);
}

/* Half of the workers have gone: in three seconds it knows. */
static void follows(void **state)
{
    struct rate r = { 0 };
    uint64_t now = busy(&r, NS_PER_SEC, 1000, 5);

    (void)busy(&r, now, 500, 4);
    assert_in_range((uint64_t)r.per_second, 490, 540);
}

static void slow_requests(void **state)
{
    struct rate r = { 0 };

    busy(&r, NS_PER_SEC, 1, 31);
    assert_true(r.per_second > 0.7 && r.per_second < 1.3);
}

/* An idle minute is no slow minute. */
static void idle_time_does_not_count(void **state)
{
    struct rate r = { 0 };
    uint64_t now = busy(&r, NS_PER_SEC, 100, 5);

    rate_idle(&r);
    (void)busy(&r, now + 60 * NS_PER_SEC, 100, 1);
    assert_in_range((uint64_t)r.per_second, 90, 110);
}

/* Nothing ends any more: one should not come back at once. */
static void halted(void **state)
{
    struct rate r = { 0 };
    uint64_t now = busy(&r, NS_PER_SEC, 1000, 5);

    assert_int_equal(rate_retry_after(&r, 10, now), 1);
    assert_in_range(rate_retry_after(&r, 100, now + 20 * NS_PER_SEC), 20, 300);
}

/* Lanes bring times that are not quite in order. */
static void time_going_back(void **state)
{
    struct rate r = { 0 };

    rate_busy(&r, 10 * NS_PER_SEC);
    rate_busy(&r, 9 * NS_PER_SEC);
    assert_int_equal(rate_retry_after(&r, 10, 9 * NS_PER_SEC), 1);
    assert_true(r.per_second == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known), cmocka_unit_test(learns),          cmocka_unit_test(the_first_forecast),
        cmocka_unit_test(follows),       cmocka_unit_test(slow_requests),   cmocka_unit_test(idle_time_does_not_count),
        cmocka_unit_test(halted),        cmocka_unit_test(time_going_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
