/* Content codings: every one has a name, and all but identity a suffix that differs from the others'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/coding.h"

static void test_names(void **state)
{
    assert_int_equal(coding_suffix(CODING_IDENTITY).n, 0);
    for (int i = 0; i < CODINGS; i++) {
        assert_true(coding_name((enum coding)i).n > 0);
        assert_true(i == CODING_IDENTITY || coding_suffix((enum coding)i).p[0] == '.');
        for (int other = 0; other < i; other++) {
            assert_false(str_eq(coding_name((enum coding)i), coding_name((enum coding)other)));
            assert_false(str_eq(coding_suffix((enum coding)i), coding_suffix((enum coding)other)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

    return cmocka_run_group_tests_name("base/coding", tests, NULL, NULL);
}
