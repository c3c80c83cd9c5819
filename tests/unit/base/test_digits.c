/* Numbers as text are what printf makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "base/digits.h"

static void same_as_printf(uint64_t value)
{
    char expected[64], out[64];
    int n = snprintf(expected, sizeof(expected), "%" PRIu64, value);

    memset(out, '#', sizeof(out));
    assert_int_equal(digits_u64(out, value), n);
    assert_memory_equal(out, expected, n);
    assert_int_equal(out[n], '#');
    snprintf(expected, sizeof(expected), "%016" PRIx64, value);
    memset(out, '#', sizeof(out));
    assert_int_equal(digits_hex(out, value), DIGITS_HEX);
    assert_memory_equal(out, expected, DIGITS_HEX);
    assert_int_equal(out[DIGITS_HEX], '#');
}

static void numbers(void **state)
{
    (void)state;
    same_as_printf(0);
    same_as_printf(UINT64_MAX);
    for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10) {
        same_as_printf(power);
        same_as_printf(power - 1);
        same_as_printf(power * 7 + 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
