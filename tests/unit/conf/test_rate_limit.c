/* Rate limits as text: what each means, how it is written again, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/rate_limit.h"

static void meanings(void **state)
{
    static const struct {
        const char *text, *normal;
        uint64_t count, burst, seconds;
        enum rate_limit_key key;
    } cases[] = {
        { "10/s", "10/s burst 10 by address", 10, 10, 1, RATE_BY_ADDRESS },
        { "10/s burst 20 by address", "10/s burst 20 by address", 10, 20, 1, RATE_BY_ADDRESS },
        { "600/m", "600/m burst 600 by address", 600, 600, 60, RATE_BY_ADDRESS },
        { "  600/m   by  header  X-Api-Key ", "600/m burst 600 by header X-Api-Key", 600, 600, 60, RATE_BY_HEADER },
        { "5/h burst 1 by cookie sessionid", "5/h burst 1 by cookie sessionid", 5, 1, 3600, RATE_BY_COOKIE },
        { "1/d by route", "1/d burst 1 by route", 1, 1, 86400, RATE_BY_ROUTE },
        { "1000000/s burst 1000000", "1000000/s burst 1000000 by address", 1000000, 1000000, 1, RATE_BY_ADDRESS },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rate_limit limit, again;
        char normal[RATE_LIMIT_TEXT_MAX];

        assert_int_equal(rate_limit_parse(str_of(cases[i].text), &limit), 0);
        assert_int_equal(limit.count, cases[i].count);
        assert_int_equal(limit.burst, cases[i].burst);
        assert_int_equal(limit.period_ns, cases[i].seconds * UINT64_C(1000000000));
        assert_int_equal(limit.key, cases[i].key);
        rate_limit_write(&limit, normal);
        assert_string_equal(normal, cases[i].normal);
        assert_int_equal(rate_limit_parse(str_of(normal), &again), 0);
        assert_true(str_eq(limit.name, again.name));
    }
}

static void no_limits(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "10",
        "10/",
        "/s",
        "0/s",
        "-1/s",
        "10/x",
        "10/ s",
        "1000001/s",
        "10/s 20",
        "10/s burst",
        "10/s burst 0",
        "10/s burst x",
        "10/s by",
        "10/s by name",
        "10/s by header",
        "10/s by header X Y",
        "10/s by header X:Y",
        "10/s by header \"x\"",
        "10/s by cookie a=b",
        "10/s by address burst 20",
        "10/s burst 20 burst 20",
        "10/s by address extra",
        "1/d burst 1000000",
        "10/s by header 0123456789012345678901234567890123456789012345678901234567890123",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct rate_limit limit;

        if (rate_limit_parse(str_of(texts[i]), &limit) == 0)
            fail_msg("taken for a limit: %s", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meanings),
        cmocka_unit_test(no_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
