/* SipHash-1-3 against CPython's (PYTHONHASHSEED=0: a key of zeros), and the map against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

#define N 600

static void known_hashes(void **state)
{
    static const struct {
        const char *text;
        uint64_t want;
    } cases[] = {
        { "a", UINT64_C(0x407448d2b89b1813) },
        { "ab", UINT64_C(0x555508cbc6add439) },
        { "abcdefg", UINT64_C(0x6db12aae9070f506) },
        { "abcdefgh", UINT64_C(0x3f7b849c0b8e35ea) },
        { "abcdefghijklmnop", UINT64_C(0x94f60d3d29e6a312) },
        { "hello, world", UINT64_C(0xd792fbf81ec197f9) },
    };
    const struct hash_seed zero = { 0, 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(hash_str(&zero, str_of(cases[i].text)) == cases[i].want);
}

static void seeds_differ(void **state)
{
    struct hash_seed a, b;

    (void)state;
    hash_seed_random(&a);
    hash_seed_random(&b);
    assert_true(a.k0 != b.k0 && a.k1 != b.k1);
    assert_true(hash_str(&a, STR("x")) != hash_str(&b, STR("x")));
}

struct tally {
    size_t n;
    uint64_t sum;
};

static void count(void *arg, struct str key, void *value)
{
    struct tally *tally = arg;

    (void)key;
    tally->n++;
    tally->sum += *(int *)value;
}

static void the_map_remembers(void **state)
{
    static int values[N];
    bool inside[N] = { false };
    struct tally tally = { 0, 0 };
    unsigned seed = 3;
    size_t n = 0;
    uint64_t sum = 0;
    struct map m;

    (void)state;
    map_init(&m);
    for (int i = 0; i < N; i++)
        values[i] = i;
    for (int step = 0; step < 30000; step++) {
        int i = rand_r(&seed) % N;
        char key[32];
        struct str k = str_make(key, (size_t)snprintf(key, sizeof(key), "key-%d", i));

        assert_ptr_equal(map_get(&m, k), inside[i] ? &values[i] : NULL);
        if (rand_r(&seed) % 5 < 2)
            assert_ptr_equal(map_remove(&m, k), inside[i] ? &values[i] : NULL);
        else
            assert_ptr_equal(map_put(&m, k, &values[i]), inside[i] ? &values[i] : NULL);
        inside[i] = map_get(&m, k) != NULL;
    }
    for (int i = 0; i < N; i++) {
        n += inside[i];
        sum += inside[i] ? (uint64_t)i : 0;
    }
    map_each(&m, count, &tally);
    assert_int_equal(m.n, n);
    assert_int_equal(tally.n, n);
    assert_int_equal(tally.sum, sum);
    map_fini(&m);
}

static void any_bytes_are_a_key(void **state)
{
    int a, b, c;
    struct map m;

    (void)state;
    map_init(&m);
    assert_null(map_get(&m, STR("x")));
    assert_null(map_remove(&m, STR("x")));
    map_put(&m, str_make(NULL, 0), &a);
    map_put(&m, str_make("\0", 1), &b);
    map_put(&m, str_make("\0\0", 2), &c);
    assert_ptr_equal(map_get(&m, STR("")), &a);
    assert_ptr_equal(map_get(&m, str_make("\0", 1)), &b);
    assert_ptr_equal(map_get(&m, str_make("\0\0", 2)), &c);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(the_map_remembers),
        cmocka_unit_test(any_bytes_are_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
