/* Borrowed byte strings: comparing, cutting, numbers, UTF-8, edit distance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/mem.h"
#include "base/str.h"

static const struct str none = { NULL, 0 };

static void assert_str(struct str s, const char *want)
{
    assert_true(str_eq(s, str_of(want)));
}

static void comparing(void **state)
{
    (void)state;
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq(none, STR("")));
    assert_true(str_eq(str_of(NULL), none));
    assert_true(str_eq_nocase(STR("Content-Length"), STR("cONTENT-lENGTH")));
    assert_false(str_eq_nocase(STR("a-b"), STR("a_b")));
    assert_false(str_eq_nocase(STR("@"), STR("`"))); /* 0x40 and 0x60 differ in the case bit alone */
    assert_false(str_eq_nocase(STR("ab"), STR("abc")));
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("a\xff"), STR("a\x01")) > 0);
    assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
    assert_int_equal(str_cmp(none, none), 0);
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("/static/x"), STR("/static/")));
    assert_false(str_starts(STR("/stat"), STR("/static/")));
    assert_true(str_starts(STR("x"), none));
    assert_true(str_ends(STR("x.gz"), STR(".gz")));
    assert_false(str_ends(STR("gz"), STR(".gz")));
    assert_true(str_ends(none, none));
}

static void searching(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a:b:c"), ':'), 1);
    assert_int_equal(str_rfind(STR("a:b:c"), ':'), 3);
    assert_int_equal(str_find(STR("abc"), ':'), -1);
    assert_int_equal(str_rfind(STR("abc"), ':'), -1);
    assert_int_equal(str_find(none, ':'), -1);
    assert_int_equal(str_rfind(none, ':'), -1);
    assert_int_equal(str_find(str_make("a\0b", 3), '\0'), 1);
}

static void cutting_clamps(void **state)
{
    (void)state;
    assert_str(str_cut(STR("abcdef"), 1, 3), "bc");
    assert_str(str_cut(STR("abcdef"), 4, 100), "ef");
    assert_str(str_cut(STR("abcdef"), 6, 6), "");
    assert_str(str_cut(STR("abcdef"), 5, 2), "");
    assert_str(str_cut(STR("abcdef"), 50, 60), "");
}

static void trimming_takes_ows_only(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t a b\t ")), "a b");
    assert_str(str_trim(STR("\ra\n")), "\ra\n");
    assert_str(str_trim(STR(" \t")), "");
    assert_str(str_trim(none), "");
}

static void splitting_visits_every_part(void **state)
{
    const char *want[] = { "a", "", "bc", "" };
    struct str rest = STR("a,,bc,");
    size_t n = 0;

    (void)state;
    while (rest.p != NULL) {
        assert_true(n < ARRAY_LEN(want));
        assert_str(str_split(&rest, ','), want[n++]);
    }
    assert_int_equal(n, ARRAY_LEN(want));
}

static void numbers(void **state)
{
    uint64_t n = 7;

    (void)state;
    assert_int_equal(str_to_u64(STR("0"), 10, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &n), -ERANGE);
    assert_int_equal(str_to_u64(STR("99999999999999999999999"), UINT64_MAX, &n), -ERANGE);
    assert_int_equal(str_to_u64(STR("0000000000000000000000010"), 10, &n), 0);
    assert_int_equal(n, 10);
    assert_int_equal(str_to_u64(STR("11"), 10, &n), -ERANGE);
    assert_int_equal(n, 10); /* untouched by a failure */
    for (size_t i = 0; i < 7; i++) {
        const char *bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "99999999999999999999999x" };

        assert_int_equal(str_to_u64(str_of(bad[i]), UINT64_MAX, &n), -EINVAL);
    }
}

static void duplicates_are_terminated(void **state)
{
    char *copy = str_dup(str_make("abcdef", 3));

    (void)state;
    assert_string_equal(copy, "abc");
    mem_free(copy);
}

static void utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t want;
    } cases[] = {
        { "", 0 },
        { "a", 1 },
        { "\x7f", 1 },
        { "\xc3\xa9", 2 },
        { "\xe2\x82\xac", 3 },
        { "\xf0\x9f\x98\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "\xed\x9f\xbf", 3 },
        { "\xe0\xa0\x80", 3 },
        { "\x80", 0 },
        { "\xc0\x80", 0 },
        { "\xc1\xbf", 0 },
        { "\xe0\x9f\xbf", 0 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xed\xa0\x80", 0 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
        { "\xff", 0 },
        { "\xe2\x82", 0 },
        { "\xc3", 0 },
        { "\xc3(", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(str_utf8(str_of(cases[i].bytes)), cases[i].want);
}

static void distances(void **state)
{
    char longer[65];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    assert_int_equal(str_distance(STR("workers"), STR("workers")), 0);
    assert_int_equal(str_distance(STR("worker"), STR("workers")), 1);
    assert_int_equal(str_distance(STR("wrokers"), STR("workers")), 1);
    assert_int_equal(str_distance(STR("bind"), STR("bond")), 1);
    assert_int_equal(str_distance(STR(""), STR("bind")), 4);
    assert_int_equal(str_distance(STR("bind"), STR("")), 4);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(str_distance(str_make(longer, 63), STR("x")), 62);
    assert_true(str_distance(str_make(longer, 64), str_make(longer, 64)) > 63);
}

/* Every pair of bytes, in a text of each length around the eight that are compared at once. */
static void case_is_folded_as_byte_by_byte(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            int small_a = a >= 'A' && a <= 'Z' ? (int)a + 32 : (int)a,
                small_b = b >= 'A' && b <= 'Z' ? (int)b + 32 : (int)b;

            for (size_t n = 1; n < 20; n += 3) {
                char x[20], y[20];
                size_t at = (a + b) % n;

                memset(x, 'Q', sizeof(x));
                memset(y, 'q', sizeof(y));
                x[at] = (char)a;
                y[at] = (char)b;
                assert_int_equal(str_eq_nocase(str_make(x, n), str_make(y, n)), small_a == small_b);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_is_folded_as_byte_by_byte),
        cmocka_unit_test(comparing),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(searching),
        cmocka_unit_test(cutting_clamps),
        cmocka_unit_test(trimming_takes_ows_only),
        cmocka_unit_test(splitting_visits_every_part),
        cmocka_unit_test(numbers),
        cmocka_unit_test(duplicates_are_terminated),
        cmocka_unit_test(utf8),
        cmocka_unit_test(distances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
