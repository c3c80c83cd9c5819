/* Which kinds of requests are slow: what counts as one kind, what is learnt, and what is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge/usual.h"

#define MS NS_PER_MS

static void note(struct usual *u, const char *path, uint64_t ms)
{
    usual_note(u, STR("GET"), str_of(path), ms * MS);
}

static uint64_t slow_ms(const struct usual *u, const char *path)
{
    return usual_slow(u, STR("GET"), str_of(path)) / MS;
}

static void quick_kinds_leave_no_trace(void **state)
{
    struct usual u;

    usual_init(&u);
    note(&u, "/", 79);
    assert_int_equal(u.n, 0);
    assert_int_equal(slow_ms(&u, "/"), 0);
}

static void half_of_the_first_time_then_a_quarter_of_the_way(void **state)
{
    struct usual u;

    usual_init(&u);
    note(&u, "/report", 200);
    assert_int_equal(slow_ms(&u, "/report"), 100);
    note(&u, "/report", 200);
    assert_int_equal(slow_ms(&u, "/report"), 125);
    assert_int_equal(slow_ms(&u, "/repor"), 0);
    assert_int_equal(usual_slow(&u, STR("POST"), STR("/report")), 0);
}

static void one_slow_answer_is_soon_forgotten(void **state)
{
    struct usual u;

    usual_init(&u);
    note(&u, "/", 90);
    note(&u, "/", 1);
    assert_int_equal(slow_ms(&u, "/"), 0);
    for (int i = 0; i < 10; i++)
        note(&u, "/", 1);
    assert_int_equal(u.n, 0);
}

static void segments_with_digits_are_one_kind(void **state)
{
    static const char *const same[] = { "/orders/1/pdf", "/orders/4711/pdf", "/orders/a7f-99/pdf", "/orders/0/pdf" };
    static const char *const others[] = {
        "/orders/1/", "/orders//pdf", "/orders/1", "/orders/x/pdf", "/orders/pdf", ""
    };
    struct usual u;

    usual_init(&u);
    note(&u, "/orders/17/pdf", 400);
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        assert_int_equal(slow_ms(&u, same[i]), 200);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(slow_ms(&u, others[i]), 0);
}

/* As many kinds as a client likes, of any length: the table stays as it is, and what is slowest stays in it. */
static void a_client_cannot_fill_it(void **state)
{
    char path[2048] = "/";
    struct usual u;

    usual_init(&u);
    note(&u, "/report", 10000);
    for (int i = 0; i < 5000; i++) {
        int n = 1;

        for (int rest = i; n < 5; rest /= 26)
            path[n++] = (char)('a' + rest % 26);
        path[n] = '\0';
        note(&u, path, 100);
    }
    assert_in_range(u.n, USUAL_KINDS / 2, USUAL_KINDS);
    assert_int_equal(slow_ms(&u, "/report"), 5000);
    memset(path + 1, 'x', sizeof(path) - 2);
    note(&u, path, 100);
    assert_int_equal(slow_ms(&u, path), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_kinds_leave_no_trace),
        cmocka_unit_test(half_of_the_first_time_then_a_quarter_of_the_way),
        cmocka_unit_test(one_slow_answer_is_soon_forgotten),
        cmocka_unit_test(segments_with_digits_are_one_kind),
        cmocka_unit_test(a_client_cannot_fill_it),
    };

    return cmocka_run_group_tests_name("usual", tests, NULL, NULL);
}
