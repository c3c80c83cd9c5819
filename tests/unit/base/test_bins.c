/* Bins: pieces of all sizes, what is kept and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bins.h"

#define KEEP (64u << 10)

static void pieces_are_aligned_and_distinct(void **state)
{
    char *pieces[200];
    struct bins b;

    (void)state;
    bins_init(&b, KEEP);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 200; i++) {
            pieces[i] = bins_alloc(&b, i * 11);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            memset(pieces[i], (int)i, i * 11);
        }
        assert_int_equal(b.in_use, 200);
        for (size_t i = 0; i < 200; i++) {
            for (size_t j = 0; j < i * 11; j++)
                assert_int_equal((unsigned char)pieces[i][j], i);
            bins_free(&b, pieces[i]);
        }
        assert_int_equal(b.in_use, 0);
    }
    bins_fini(&b);
}

static void a_freed_piece_is_the_next_one_of_its_size(void **state)
{
    struct bins b;
    void *small, *larger;

    (void)state;
    bins_init(&b, KEEP);
    small = bins_alloc(&b, 1);
    larger = bins_alloc(&b, 49); /* 48 is what fits beside the head */
    bins_free(&b, small);
    bins_free(&b, larger);
    assert_ptr_equal(bins_alloc(&b, 112), larger);
    assert_ptr_equal(bins_alloc(&b, 48), small);
    assert_int_equal(b.n_kept, 0);
    bins_free(&b, small);
    bins_free(&b, larger);
    bins_fini(&b);
}

static void no_more_is_kept_than_was_said(void **state)
{
    struct bins b;
    void *pieces[4];

    (void)state;
    bins_init(&b, 150); /* two of 64 bytes */
    for (int i = 0; i < 4; i++)
        pieces[i] = bins_alloc(&b, 30);
    for (int i = 0; i < 4; i++)
        bins_free(&b, pieces[i]);
    assert_int_equal(b.n_kept, 128);
    bins_free(&b, bins_alloc(&b, 5000)); /* too large to be kept */
    assert_int_equal(b.n_kept, 128);
    bins_fini(&b);
    assert_int_equal(b.n_kept, 0);
}

static void what_is_cleared_is_zero(void **state)
{
    static const char zero[100];
    struct bins b;
    void *p;

    (void)state;
    bins_init(&b, KEEP);
    p = bins_alloc(&b, 100);
    memset(p, 0xff, 100);
    bins_free(&b, p);
    assert_ptr_equal(bins_calloc(&b, 10, 10), p);
    assert_memory_equal(p, zero, 100);
    bins_free(&b, p);
    assert_null(bins_calloc(&b, SIZE_MAX / 2, 3));
    assert_null(bins_alloc(&b, SIZE_MAX));
    assert_int_equal(b.in_use, 0);
    bins_fini(&b);
}

static void a_piece_grows_with_what_it_holds(void **state)
{
    struct bins b;
    char *p;

    (void)state;
    bins_init(&b, KEEP);
    p = bins_realloc(&b, NULL, 5);
    memcpy(p, "brass", 5);
    assert_ptr_equal(bins_realloc(&b, p, 48), p);
    p = bins_realloc(&b, p, 3000);
    assert_memory_equal(p, "brass", 5);
    memset(p + 5, 'x', 2995);
    p = bins_realloc(&b, p, 9000);
    assert_memory_equal(p, "brassx", 6);
    assert_int_equal(p[2999], 'x');
    assert_int_equal(b.in_use, 1);
    assert_null(bins_realloc(&b, p, SIZE_MAX));
    bins_free(&b, p);
    bins_free(&b, NULL);
    bins_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_distinct),  cmocka_unit_test(a_freed_piece_is_the_next_one_of_its_size),
        cmocka_unit_test(no_more_is_kept_than_was_said),    cmocka_unit_test(what_is_cleared_is_zero),
        cmocka_unit_test(a_piece_grows_with_what_it_holds),
    };

    return cmocka_run_group_tests_name("bins", tests, NULL, NULL);
}
