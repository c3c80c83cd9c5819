/* When a lane may nap, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "edge/nap.h"

static void no_longer_than_the_workers_have_work(void **state)
{
    struct nap nap = { .gap_ns = 100 * NS_PER_US };

    assert_int_equal(nap_length(&nap, 0), 0);
    assert_int_equal(nap_length(&nap, 2), 200 * NS_PER_US);
    assert_int_equal(nap_length(&nap, 100), 6 * NS_PER_MS);
    nap.gap_ns = NS_PER_US;
    assert_int_equal(nap_length(&nap, 2), 50 * NS_PER_US);
    nap.gap_ns = 3 * NS_PER_MS + 1;
    assert_int_equal(nap_length(&nap, 2), 0);
}

static void not_when_they_find_nothing(void **state)
{
    struct nap nap = { .gap_ns = 100 * NS_PER_US };

    for (unsigned i = 0; i < 4; i++)
        nap_completions(&nap, 0);
    assert_true(nap_length(&nap, 2) > 0);
    nap_completions(&nap, 0);
    assert_int_equal(nap_length(&nap, 2), 0);
    nap.completed_ns = clock_mono_ns();
    nap_completions(&nap, 1);
    assert_true(nap_length(&nap, 2) > 0);
}

/* Sixteen turns in which there were no more events than requests. */
static void only_when_nobody_is_in_a_hurry(void **state)
{
    struct nap nap = { 0 };

    nap_expect(&nap);
    assert_true(nap_is_calm(&nap, 1));
    assert_false(nap_is_calm(&nap, 1));
    for (unsigned i = 0; i < 15; i++) {
        nap_expect(&nap);
        assert_false(nap_is_calm(&nap, i % 2));
    }
    assert_true(nap_is_calm(&nap, 0));
}

static void its_average_follows(void **state)
{
    struct nap nap = { .gap_ns = 800 * NS_PER_US, .completed_ns = clock_mono_ns() - NS_PER_SEC };

    nap_completions(&nap, 10000);
    assert_in_range(nap.gap_ns, 700 * NS_PER_US, 750 * NS_PER_US);
    nap.completed_ns = 0; /* days ago: counts as a second */
    nap_completions(&nap, 1);
    assert_in_range(nap.gap_ns, NS_PER_SEC / 8, NS_PER_SEC / 8 + NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_longer_than_the_workers_have_work),
        cmocka_unit_test(not_when_they_find_nothing),
        cmocka_unit_test(only_when_nobody_is_in_a_hurry),
        cmocka_unit_test(its_average_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
