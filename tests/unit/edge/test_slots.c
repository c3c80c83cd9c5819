/* How many requests are handed over ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/slots.h"

/* How many are open at this pace, used one after the other. */
static uint32_t depth(struct generation *g, uint64_t gap_ns)
{
    struct dispatch d = { 0 };

    dispatch_pace(&d, gap_ns);
    atomic_store(&g->used, 0);
    for (g->n_free = g->geometry.slots; slots_open(&d, g); g->n_free--)
        atomic_fetch_add(&g->used, 1);
    return atomic_load(&g->used);
}

static void two_a_seat_and_more_of_short_ones(void **state)
{
    struct generation g = { .geometry = { .workers = 2, .threads = 3, .lanes = 1, .slots = 48 } };

    assert_int_equal(depth(&g, NS_PER_SEC), 12);
    assert_int_equal(depth(&g, 5 * NS_PER_MS + 1), 12);
    assert_int_equal(depth(&g, 500 * NS_PER_US), 22);
    assert_int_equal(depth(&g, 250 * NS_PER_US), 32);
    assert_int_equal(depth(&g, 1), 48);
    assert_int_equal(depth(&g, 0), 48);
}

static void never_fewer_than_four(void **state)
{
    struct generation g = { .geometry = { .workers = 1, .threads = 1, .lanes = 1, .slots = 16 } };

    assert_int_equal(depth(&g, NS_PER_SEC), 4);
    assert_int_equal(depth(&g, NS_PER_US), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_a_seat_and_more_of_short_ones),
        cmocka_unit_test(never_fewer_than_four),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
