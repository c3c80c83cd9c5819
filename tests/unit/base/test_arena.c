/* The arena: alignment, limit, what reset keeps, the order of cleanups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"

static char order[16];

static void note(void *arg)
{
    strncat(order, arg, sizeof(order) - strlen(order) - 1);
}

static void pieces_are_aligned_and_apart(void **state)
{
    char *last = NULL;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < 3000; i++) {
        char *p = arena_alloc(&a, i % 40);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_ptr_not_equal(p, last);
        memset(p, (int)i, i % 40);
        last = p;
    }
    arena_fini(&a);
}

static void the_maximum_holds(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1024);
    assert_null(arena_alloc(&a, 1025));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_non_null(arena_alloc(&a, 1000)); /* 1008 */
    assert_null(arena_alloc(&a, 17));
    assert_non_null(arena_alloc(&a, 16));
    assert_null(arena_zalloc(&a, 1));
    assert_null(arena_dup(&a, STR("x")).p);
    assert_null(arena_printf(&a, "x").p);
    assert_int_equal(arena_defer(&a, note, NULL), -ENOMEM);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 1024));
    arena_fini(&a);
}

static void reset_keeps_one_block_of_the_common_size(void **state)
{
    struct arena_block *first;
    struct arena a;
    char *p;

    (void)state;
    arena_init(&a, 1 << 22);
    memset(arena_alloc(&a, 1 << 20), 1, 1 << 20); /* a large piece first */
    first = a.first;
    p = arena_alloc(&a, 100);
    memset(p, 2, 100);
    arena_reset(&a);
    assert_ptr_equal(a.first, first);
    assert_ptr_equal(a.current, first);
    p = arena_zalloc(&a, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(p[i], 0);
    assert_ptr_equal(a.current, first);
    arena_fini(&a);
    assert_null(a.first);
}

static void a_steady_user_stays_in_the_first_block(void **state)
{
    struct arena_block *first = NULL;
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    for (int request = 0; request < 100; request++) {
        for (int i = 0; i < 50; i++)
            memset(arena_alloc(&a, 100), request, 100);
        if (first == NULL)
            first = a.first;
        assert_ptr_equal(a.first, first);
        assert_ptr_equal(a.current, first);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static void text(void **state)
{
    struct arena a;
    struct str s;

    (void)state;
    arena_init(&a, 1 << 20);
    s = arena_dup(&a, str_make("abcdef", 3));
    assert_int_equal(s.n, 3);
    assert_string_equal(s.p, "abc");
    s = arena_dup(&a, str_make(NULL, 0));
    assert_string_equal(s.p, "");
    s = arena_printf(&a, "%s-%0100d", "x", 7);
    assert_int_equal(s.n, 102);
    assert_int_equal(strlen(s.p), 102);
    arena_fini(&a);
}

static void cleanups_run_newest_first_and_once(void **state)
{
    struct arena a;

    (void)state;
    order[0] = '\0';
    arena_init(&a, 1 << 20);
    assert_int_equal(arena_defer(&a, note, "a"), 0);
    assert_int_equal(arena_defer(&a, note, "b"), 0);
    arena_reset(&a);
    assert_string_equal(order, "ba");
    assert_int_equal(arena_defer(&a, note, "c"), 0);
    arena_fini(&a);
    assert_string_equal(order, "bac");
    arena_fini(&a);
    assert_string_equal(order, "bac");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(the_maximum_holds),
        cmocka_unit_test(reset_keeps_one_block_of_the_common_size),
        cmocka_unit_test(a_steady_user_stays_in_the_first_block),
        cmocka_unit_test(text),
        cmocka_unit_test(cleanups_run_newest_first_and_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
