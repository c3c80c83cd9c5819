/* Attention bits and the lane's sleep. */
#include "pool/response.h"
#include "pool/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rig.h"
#include "unit.h"

static struct rig rig;
static int fds[2];
static uint32_t counts[POOL_SLOTS_MAX];

static int setup(void **state)
{
    rig_open(&rig, &(struct pool_geometry){ .workers = 32, .threads = 2, .lanes = 2, .slots = 130 });
    for (int i = 0; i < 2; i++)
        fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pool_set_lane_fds(rig.pool, fds, 2);
    memset(counts, 0, sizeof(counts));
    return 0;
}

static int teardown(void **state)
{
    close(fds[0]);
    close(fds[1]);
    rig_close(&rig);
    return 0;
}

static uint64_t written(int lane)
{
    uint64_t n = 0;

    return read(fds[lane], &n, sizeof(n)) == (ssize_t)sizeof(n) ? n : 0;
}

static struct pool_ticket running(uint32_t slot, uint32_t lane)
{
    pool_ready(rig.pool, rig_ticket(&rig, slot), lane);
    return rig_take(&rig, 0);
}

static void test_each_slot_to_its_lane(void **state)
{
    pool_attention(rig.pool, running(0, 0));
    pool_attention(rig.pool, running(63, 1));
    pool_attention(rig.pool, running(64, 1));
    pool_attention(rig.pool, running(129, 1));
    assert_int_equal(pool_lane_take(rig.pool, 1, rig_count_attention, counts), 3);
    assert_int_equal(counts[63] + counts[64] + counts[129], 3);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);
    assert_int_equal(counts[0], 1);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 0);
    assert_int_equal(written(0) + written(1), 0); /* both were awake */
}

static void test_bits_are_idempotent(void **state)
{
    struct pool_ticket ticket = running(5, 0);

    for (int i = 0; i < 10; i++)
        pool_attention(rig.pool, ticket);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);
}

static void test_sleeping_lane_is_woken_once(void **state)
{
    struct pool_ticket ticket = running(5, 1);

    assert_true(pool_lane_sleep(rig.pool, 1));
    pool_attention(rig.pool, ticket);
    pool_attention(rig.pool, ticket);
    assert_int_equal(written(1), 1);
    assert_int_equal(written(0), 0);
    assert_false(pool_lane_sleep(rig.pool, 1)); /* there is news */
    pool_attention(rig.pool, ticket);
    assert_int_equal(written(1), 0); /* refused sleep is no sleep */
    pool_lane_take(rig.pool, 1, rig_count_attention, counts);
    assert_true(pool_lane_sleep(rig.pool, 1));
    pool_lane_woken(rig.pool, 1);
    pool_attention(rig.pool, ticket);
    assert_int_equal(written(1), 0);
}

static void test_done_is_attention(void **state)
{
    pool_done(rig.pool, 0, running(7, 0));
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);
    assert_int_equal(counts[7], 1);
}

/* A slot that only comes free wakes nobody; one with unannounced frames does, and any while the edge is hungry. */
static void test_done_wakes_for_news_alone(void **state)
{
    struct pool_ticket ticket = running(7, 0);

    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    pool_attention(rig.pool, ticket);
    pool_lane_take(rig.pool, 0, rig_count_attention, counts);
    assert_true(pool_lane_sleep(rig.pool, 0));
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(written(0), 0);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);

    ticket = running(8, 0);
    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    assert_true(pool_lane_sleep(rig.pool, 0));
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(written(0), 1);
    pool_lane_take(rig.pool, 0, rig_count_attention, counts);

    ticket = running(9, 0);
    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    pool_attention(rig.pool, ticket);
    pool_lane_take(rig.pool, 0, rig_count_attention, counts);
    pool_set_hungry(rig.pool, true);
    assert_true(pool_lane_sleep(rig.pool, 0));
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(written(0), 1);
}

/* What has been announced is no news the second time. */
static void test_announced_once(void **state)
{
    struct pool_ticket ticket = running(7, 0);

    assert_int_equal(pool_put_data(rig.pool, ticket, STR("a")), 1);
    pool_announce(rig.pool, ticket);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);
    assert_true(pool_lane_sleep(rig.pool, 0));
    pool_announce(rig.pool, ticket);
    assert_int_equal(written(0), 0);
    assert_int_equal(pool_put_data(rig.pool, ticket, STR("b")), 1);
    pool_announce(rig.pool, ticket);
    assert_int_equal(written(0), 1);
}

/* A free slot is not urgent while the workers have something to take; a seat that finds nothing says so. */
static void test_hungry_only_when_the_ring_is_empty(void **state)
{
    struct pool_ticket ticket = running(7, 0), next;

    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    pool_attention(rig.pool, ticket);
    pool_lane_take(rig.pool, 0, rig_count_attention, counts);
    pool_ready(rig.pool, rig_ticket(&rig, 8), 0);
    pool_set_hungry(rig.pool, true);
    assert_true(pool_lane_sleep(rig.pool, 0));
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(written(0), 0);
    pool_lane_take(rig.pool, 0, rig_count_attention, counts);
    next = rig_take(&rig, 0);
    assert_int_equal(next.slot, 8);
    assert_true(pool_lane_sleep(rig.pool, 0));
    assert_int_equal(pool_take(rig.pool, 1, 1, &next), POOL_TIMEOUT);
    assert_int_equal(written(0), 1);
    pool_set_hungry(rig.pool, false);
    assert_true(pool_lane_sleep(rig.pool, 0));
    assert_int_equal(pool_take(rig.pool, 1, 1, &next), POOL_TIMEOUT);
    assert_int_equal(written(0), 0);
}

/* What is left in the ring was taken back, and nobody looks there: the worker ends. */
static void test_a_closed_seat_leaves_no_hungry_lane_asleep(void **state)
{
    struct pool_ticket ticket = running(7, 0), next;
    uint32_t serial;

    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    pool_attention(rig.pool, ticket);
    next = rig_ticket(&rig, 8);
    pool_ready(rig.pool, next, 0);
    assert_true(pool_take_back(rig.pool, next, &serial));
    pool_set_hungry(rig.pool, true);
    pool_lane_take(rig.pool, 0, rig_count_attention, counts);
    assert_true(pool_lane_sleep(rig.pool, 0));
    pool_close(rig.pool, 0, 1);
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(pool_take(rig.pool, 0, 1, &next), POOL_CLOSED);
    assert_int_equal(written(0), 1);
}

/* A nap goes on when a worker has news, and ends when one cannot go on. */
static void test_nap(void **state)
{
    struct pool_ticket ticket = running(7, 0), next;

    pool_lane_nap(rig.pool, 0);
    assert_int_equal(pool_put_data(rig.pool, ticket, STR("a")), 1);
    pool_announce(rig.pool, ticket);
    assert_int_equal(written(0), 0);
    pool_attention(rig.pool, ticket);
    assert_int_equal(written(0), 1);

    pool_lane_nap(rig.pool, 0);
    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(written(0), 0);
    assert_int_equal(pool_take(rig.pool, 1, 1, &next), POOL_TIMEOUT);
    assert_int_equal(written(0), 1);
    assert_int_equal(written(1), 0);
    pool_lane_nap(rig.pool, 0);
    pool_lane_woken(rig.pool, 0);
    assert_int_equal(pool_take(rig.pool, 1, 1, &next), POOL_TIMEOUT);
    assert_int_equal(written(0), 0);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);
}

static void test_recover_wakes_every_lane(void **state)
{
    pool_recover(rig.pool, 0, 2);
    assert_int_equal(written(0), 1);
    assert_int_equal(written(1), 1);
}

/* Seat 0 died with one request running and one done, both unsaid; seat 1 lives. */
static void test_recover_tells_of_the_dead(void **state)
{
    struct pool_ticket done = running(3, 1);

    running(4, 1);
    pool_ready(rig.pool, rig_ticket(&rig, 5), 1);
    rig_take(&rig, 1);
    atomic_store(&rig.pool->slots[3].word, word_make(POOL_DONE, 0, done.serial));
    assert_int_equal(pool_lane_take(rig.pool, 1, rig_count_attention, counts), 0);
    pool_recover(rig.pool, 0, 1);
    assert_int_equal(pool_lane_take(rig.pool, 1, rig_count_attention, counts), 2);
    assert_int_equal(counts[3] + counts[4], 2);
}

static void test_spoilt_lane_and_bits(void **state)
{
    struct pool_ticket ticket = running(5, 0);

    atomic_store(&rig.pool->slots[5].lane, 2);
    pool_attention(rig.pool, ticket); /* goes nowhere */
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 0);
    for (size_t i = 0; i < POOL_ATTENTION_WORDS; i++)
        atomic_store(&rig.pool->lanes[0].bits[i], UINT64_MAX);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 130);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_slot_to_its_lane),
        TEST(test_bits_are_idempotent),
        TEST(test_sleeping_lane_is_woken_once),
        TEST(test_done_is_attention),
        TEST(test_done_wakes_for_news_alone),
        TEST(test_recover_wakes_every_lane),
        TEST(test_recover_tells_of_the_dead),
        TEST(test_spoilt_lane_and_bits),
        TEST(test_a_closed_seat_leaves_no_hungry_lane_asleep),
        TEST(test_nap),
        TEST(test_announced_once),
        TEST(test_hungry_only_when_the_ring_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
