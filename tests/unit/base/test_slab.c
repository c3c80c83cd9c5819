/* The slab: zeroed objects, reuse, limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slab.h"

static void objects_are_zeroed_aligned_and_distinct(void **state)
{
    static const char zero[48];
    char *objects[100];
    struct slab s;

    (void)state;
    slab_init(&s, 40, 8, 0);
    assert_int_equal(s.object_size, 48);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            objects[i] = slab_get(&s);
            assert_int_equal((uintptr_t)objects[i] % 16, 0);
            assert_memory_equal(objects[i], zero, 48);
            memset(objects[i], 0xff, 48);
            for (int j = 0; j < i; j++)
                assert_ptr_not_equal(objects[i], objects[j]);
        }
        assert_int_equal(s.in_use, 100);
        for (int i = 0; i < 100; i++)
            slab_put(&s, objects[i]);
    }
    assert_int_equal(s.in_use, 0);
    slab_fini(&s);
}

static void a_freed_object_is_the_next_one(void **state)
{
    struct slab s;
    void *a, *b;

    (void)state;
    slab_init(&s, 1, 4, 0);
    a = slab_get(&s);
    b = slab_get(&s);
    slab_put(&s, a);
    assert_ptr_equal(slab_get(&s), a);
    slab_put(&s, a);
    slab_put(&s, b);
    slab_fini(&s);
}

static void past_the_maximum_there_is_none(void **state)
{
    struct slab s;
    void *a, *b;

    (void)state;
    slab_init(&s, 64, 4, 2);
    a = slab_get(&s);
    b = slab_get(&s);
    assert_non_null(b);
    assert_null(slab_get(&s));
    slab_put(&s, a);
    a = slab_get(&s);
    assert_non_null(a);
    slab_put(&s, a);
    slab_put(&s, b);
    slab_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_zeroed_aligned_and_distinct),
        cmocka_unit_test(a_freed_object_is_the_next_one),
        cmocka_unit_test(past_the_maximum_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
