/* The cell rate algorithm against a model, from many threads, in a table that is full, and after a change of rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "edge/throttle.h"

#define BEGIN (100 * NS_PER_SEC)

static uint64_t key_of(const struct throttle *t, uint64_t n)
{
    return throttle_key(t, 1, str_make((const char *)&n, sizeof(n)));
}

static unsigned passes(struct throttle *t, uint64_t key, const struct throttle_rate *rate, uint64_t now, unsigned asks)
{
    unsigned n = 0;

    while (asks-- > 0)
        n += throttle_ask(t, key, rate, now).pass;
    return n;
}

static void burst_then_rate(void **state)
{
    struct throttle_rate rate = { NS_PER_SEC / 10, 20 };
    struct throttle *t = throttle_new(0);
    uint64_t key = key_of(t, 1);

    assert_int_equal(passes(t, key, &rate, BEGIN, 100), 20);
    assert_int_equal(passes(t, key, &rate, BEGIN + NS_PER_SEC / 10 - 1, 100), 0);
    assert_int_equal(passes(t, key, &rate, BEGIN + NS_PER_SEC / 10, 100), 1);
    assert_int_equal(passes(t, key, &rate, BEGIN + NS_PER_SEC, 100), 9);
    assert_int_equal(passes(t, key, &rate, BEGIN + 100 * NS_PER_SEC, 100), 20);
    assert_int_equal(passes(t, key_of(t, 2), &rate, BEGIN, 100), 20); /* others do not care */
    throttle_unref(t);
}

/* What is told: how many are left, and when there is one more. Whoever waits for exactly that long passes, and not 1 ns before. */
static void told(void **state)
{
    struct throttle_rate rate = { NS_PER_SEC, 3 };
    struct throttle *t = throttle_new(0);
    uint64_t key = key_of(t, 1), now = BEGIN;
    struct throttle_answer a;

    for (unsigned left = 3; left-- > 0;) {
        a = throttle_ask(t, key, &rate, now);
        assert_true(a.pass);
        assert_int_equal(a.left, left);
        assert_int_equal(a.wait_ns, NS_PER_SEC);
    }
    now += NS_PER_SEC / 4;
    a = throttle_ask(t, key, &rate, now);
    assert_false(a.pass);
    assert_int_equal(a.left, 0);
    assert_int_equal(a.wait_ns, 3 * NS_PER_SEC / 4);
    assert_false(throttle_ask(t, key, &rate, now + a.wait_ns - 1).pass);
    assert_true(throttle_ask(t, key, &rate, now + a.wait_ns).pass);
    throttle_unref(t);
}

/* A bucket that is filled continuously, in whole numbers: level × interval. */
static void as_the_model(void **state)
{
    struct throttle *t = throttle_new(0);
    unsigned seed = 2;

    for (unsigned round = 0; round < 200; round++) {
        struct throttle_rate rate = { 1 + (uint64_t)rand_r(&seed) % NS_PER_SEC, 1 + (uint64_t)rand_r(&seed) % 50 };
        uint64_t most = rate.burst * rate.interval_ns, level = most, now = BEGIN, key = key_of(t, round);

        for (unsigned i = 0; i < 500; i++) {
            uint64_t pause = (uint64_t)rand_r(&seed) % (3 * rate.interval_ns / 2);
            bool pass;

            now += pause;
            level = level + pause < most ? level + pause : most;
            pass = level >= rate.interval_ns;
            level -= pass ? rate.interval_ns : 0;
            assert_int_equal(throttle_ask(t, key, &rate, now).pass, pass);
        }
    }
    throttle_unref(t);
}

struct asker {
    struct throttle *t;
    const struct throttle_rate *rate;
    atomic_uint *passed;
    pthread_t thread;
};

static void *ask_all(void *arg)
{
    struct asker *asker = arg;

    for (uint64_t now = BEGIN; now < BEGIN + 900 * NS_PER_MS; now += NS_PER_MS) {
        for (uint64_t n = 0; n < 16; n++)
            atomic_fetch_add(asker->passed, throttle_ask(asker->t, key_of(asker->t, n), asker->rate, now).pass);
    }
    return NULL;
}

/* Four threads, each at its own pace through the same 0.9 seconds: whatever the order, no key gets more than its burst and its rate. */
static void threads(void **state)
{
    struct throttle_rate rate = { NS_PER_SEC / 100, 50 };
    struct throttle *t = throttle_new(0);
    struct asker askers[4];
    atomic_uint passed = 0;

    for (unsigned i = 0; i < ARRAY_LEN(askers); i++) {
        askers[i] = (struct asker){ .t = t, .rate = &rate, .passed = &passed };
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_all, &askers[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(askers); i++)
        pthread_join(askers[i].thread, NULL);
    assert_int_equal(passed, 16 * (50 + 89));
    throttle_unref(t);
}

/* Invented keys by the hundred thousand: whoever is at its limit stays there, as those who ask once owe less. */
static void offenders_are_remembered(void **state)
{
    struct throttle_rate rate = { NS_PER_SEC, 100 };
    struct throttle *t = throttle_new(4096);
    unsigned escaped = 0, forgot = 0;

    for (uint64_t n = 0; n < 32; n++)
        assert_int_equal(passes(t, key_of(t, n), &rate, BEGIN, 200), 100);
    for (uint64_t n = 0; n < 100000; n++)
        forgot += throttle_ask(t, key_of(t, 1000 + n), &rate, BEGIN + 1).forgot;
    for (uint64_t n = 0; n < 32; n++)
        escaped += throttle_ask(t, key_of(t, n), &rate, BEGIN + 2).pass;
    assert_int_equal(escaped, 0);
    assert_int_equal(forgot, 100000 - 4096 + 32);
    throttle_unref(t);
}

/* What says nothing any more is replaced without loss. */
static void old_ones_make_room(void **state)
{
    struct throttle_rate rate = { NS_PER_MS, 1 };
    struct throttle *t = throttle_new(0);

    for (uint64_t n = 0; n < 10000; n++) {
        struct throttle_answer a = throttle_ask(t, key_of(t, n), &rate, BEGIN + n * NS_PER_MS);

        assert_true(a.pass);
        assert_false(a.forgot);
    }
    throttle_unref(t);
}

/* From five an hour to ten a second: what was owed is at most a burst of the new rate. From fast to slow: it goes on. */
static void change_of_rate(void **state)
{
    struct throttle_rate slow = { 720 * NS_PER_SEC, 5 }, fast = { NS_PER_SEC / 10, 10 };
    struct throttle *t = throttle_new(0);
    uint64_t key = key_of(t, 1);

    assert_int_equal(passes(t, key, &slow, BEGIN, 10), 5);
    assert_int_equal(passes(t, key, &fast, BEGIN, 10), 0);
    assert_int_equal(passes(t, key, &fast, BEGIN + NS_PER_SEC, 20), 10);
    assert_int_equal(passes(t, key, &slow, BEGIN + NS_PER_SEC, 20), 4);
    throttle_unref(t);
}

/* A lane whose clock is a little behind is stricter, never looser. */
static void clocks_differ(void **state)
{
    struct throttle_rate rate = { NS_PER_SEC / 10, 10 };
    struct throttle *t = throttle_new(0);
    uint64_t key = key_of(t, 1);
    unsigned n = 0;

    for (unsigned i = 0; i < 1000; i++)
        n += throttle_ask(t, key, &rate, BEGIN + i * NS_PER_MS - (i % 2) * 5 * NS_PER_MS).pass;
    assert_in_range(n, 18, 19);
    throttle_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_then_rate),
        cmocka_unit_test(told),
        cmocka_unit_test(as_the_model),
        cmocka_unit_test(threads),
        cmocka_unit_test(offenders_are_remembered),
        cmocka_unit_test(old_ones_make_room),
        cmocka_unit_test(change_of_rate),
        cmocka_unit_test(clocks_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
