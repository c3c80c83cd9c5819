/* How long a worker that asks to be replaced again and again has to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "super/recycle.h"

static void test_pauses(void **state)
{
    for (uint32_t early = 0; early <= RECYCLE_EARLY_FREE; early++)
        assert_true(recycle_pause(early) == 0);
    assert_true(recycle_pause(RECYCLE_EARLY_FREE + 1) == 1 * NS_PER_SEC);
    assert_true(recycle_pause(RECYCLE_EARLY_FREE + 2) == 2 * NS_PER_SEC);
    assert_true(recycle_pause(RECYCLE_EARLY_FREE + 6) == 32 * NS_PER_SEC);
    assert_true(recycle_pause(RECYCLE_EARLY_FREE + 7) == 60 * NS_PER_SEC);
    assert_true(recycle_pause(UINT32_MAX) == 60 * NS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
