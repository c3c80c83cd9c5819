/*
 * Budgets of an HTTP/2 connection: the burst, what comes back with time, what is earned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/h2_guard.h"

#define NOW (1000 * NS_PER_SEC)

static unsigned how_many(struct h2_guards *guards, enum h2_guard guard, uint64_t now)
{
    unsigned n = 0;

    while (n < 100000 && h2_guard_spend(guards, guard, now))
        n++;
    return n;
}

static void a_burst_and_a_rate(void **state)
{
    static const struct {
        unsigned burst, rate;
    } rows[] = {
#define X(id, name, burst, rate) [H2_GUARD_##id] = { burst, rate },
        H2_GUARD_LIST(X)
#undef X
    };

    (void)state;
    for (enum h2_guard g = 0; g < H2_GUARDS; g++) {
        struct h2_guards guards = { 0 };

        assert_int_equal(how_many(&guards, g, NOW), rows[g].burst);
        /* what was too much has been counted, too: one less comes back */
        assert_in_range(how_many(&guards, g, NOW + 10 * NS_PER_SEC),
                        rows[g].rate * 10 <= rows[g].burst ? rows[g].rate * 10 - 1 : rows[g].burst, rows[g].burst);
        assert_int_equal(how_many(&guards, g, NOW + 10000 * NS_PER_SEC), rows[g].burst);
    }
}

static void a_steady_trickle_is_free(void **state)
{
    struct h2_guards guards = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        assert_true(h2_guard_spend(&guards, H2_GUARD_PING, NOW + i * NS_PER_SEC / 20));
}

static void earning(void **state)
{
    struct h2_guards guards = { 0 };

    (void)state;
    assert_int_equal(how_many(&guards, H2_GUARD_WINDOW, NOW), 2000);
    h2_guard_earn(&guards, H2_GUARD_WINDOW, 101);
    assert_int_equal(how_many(&guards, H2_GUARD_WINDOW, NOW), 100);
    h2_guard_earn(&guards, H2_GUARD_WINDOW, UINT32_MAX); /* never more than the burst */
    assert_int_equal(how_many(&guards, H2_GUARD_WINDOW, NOW), 2000);
}

static void budgets_are_apart(void **state)
{
    struct h2_guards guards = { 0 };

    (void)state;
    (void)how_many(&guards, H2_GUARD_RESET, NOW);
    assert_true(h2_guard_spend(&guards, H2_GUARD_PING, NOW));
    assert_false(h2_guard_spend(&guards, H2_GUARD_RESET, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_and_a_rate),
        cmocka_unit_test(a_steady_trickle_is_free),
        cmocka_unit_test(earning),
        cmocka_unit_test(budgets_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
