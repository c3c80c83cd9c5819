/* A slot's life, the ready ring, take-backs, deaths and drains, one step at a time in one process. */
#include "pool/slot.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "rig.h"
#include "unit.h"

static struct rig rig;

static int setup(void **state)
{
    rig_open(&rig, &(struct pool_geometry){ .workers = 2, .threads = 2, .lanes = 2, .slots = 8 });
    return 0;
}

static int teardown(void **state)
{
    rig_close(&rig);
    return 0;
}

static void nothing_to_take(uint32_t seat)
{
    struct pool_ticket ticket;

    assert_int_equal(pool_try_take(rig.pool, seat, &ticket), POOL_TIMEOUT);
}

static void test_whole_life(void **state)
{
    struct pool_ticket given = rig_hand_over(&rig, 3), got;
    struct pool_look look;
    uint32_t serial;

    assert_int_equal(rig_phase(&rig, given), POOL_READY);
    assert_int_equal(pool_waiting(rig.pool), 1);
    got = rig_take(&rig, 2);
    assert_int_equal(got.slot, 3);
    assert_int_equal(got.serial, given.serial);
    assert_int_equal(pool_look(rig.pool, given, &look), 0);
    assert_int_equal(look.phase, POOL_RUNNING);
    assert_int_equal(look.seat, 2);
    assert_int_equal(pool_waiting(rig.pool), 0);
    assert_int_equal(pool_release(rig.pool, given, &serial), -EPROTO);
    pool_done(rig.pool, 2, got);
    assert_int_equal(rig_phase(&rig, given), POOL_DONE);
    assert_int_equal(pool_release(rig.pool, given, &serial), 0);
    assert_int_equal(serial, given.serial + 1);
    assert_int_equal(pool_look(rig.pool, given, &look), -EPROTO);
    nothing_to_take(0);
}

static void test_first_come_first_served(void **state)
{
    const uint32_t order[] = { 5, 0, 7, 2, 1 };

    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        rig_hand_over(&rig, order[i]);
    assert_int_equal(pool_waiting(rig.pool), ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(rig_take(&rig, (uint32_t)i % 4).slot, order[i]);
}

static void test_take_back(void **state)
{
    struct pool_ticket a = rig_hand_over(&rig, 0), b = rig_hand_over(&rig, 1);
    uint32_t serial;

    assert_true(pool_take_back(rig.pool, a, &serial));
    assert_int_equal(serial, a.serial + 1);
    assert_int_equal(pool_waiting(rig.pool), 1);
    assert_int_equal(rig_take(&rig, 0).slot, 1); /* the stale entry is skipped */
    assert_false(pool_take_back(rig.pool, b, &serial));
    nothing_to_take(1);
}

/* Slot 0 is handed over, taken back and handed over again: its first entry must not give the second request twice. */
static void test_stale_entry_of_a_reused_slot(void **state)
{
    struct pool_ticket first = rig_hand_over(&rig, 0);

    assert_true(pool_take_back(rig.pool, first, &rig.serials[0]));
    rig_hand_over(&rig, 0);
    assert_int_equal(rig_take(&rig, 0).serial, first.serial + 1);
    nothing_to_take(1);
}

/* Thousands of take-backs with nobody popping: the ring fills with stale entries and is rebuilt, in order, losing none. */
static void test_full_ring_keeps_what_waits(void **state)
{
    const uint32_t kept[] = { 6, 2, 4 };

    rig_hand_over(&rig, kept[0]);
    for (uint32_t i = 0; i < 1000; i++) {
        if (i == 100 || i == 500)
            rig_hand_over(&rig, kept[i == 100 ? 1 : 2]);
        struct pool_ticket ticket = rig_hand_over(&rig, 0);
        assert_true(pool_take_back(rig.pool, ticket, &rig.serials[0]));
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        assert_int_equal(rig_take(&rig, 0).slot, kept[i]);
    nothing_to_take(0);
}

/* Recovery when nothing was lost must not give a request twice, however often; and the doubles must not fill the ring. */
static void test_recover_doubles_nothing(void **state)
{
    for (uint32_t slot = 0; slot < 8; slot++)
        rig_hand_over(&rig, slot);
    for (uint32_t i = 0; i < 200; i++)
        pool_recover(rig.pool, 0, 2);
    for (uint32_t slot = 0; slot < 8; slot++)
        assert_int_equal(rig_take(&rig, 3).slot, slot);
    nothing_to_take(3);
}

/* Popped by a worker that died before it claimed. */
static void test_recover_lost_entry(void **state)
{
    struct pool_ticket a = rig_hand_over(&rig, 4);

    rig_hand_over(&rig, 5);
    atomic_fetch_add(&rig.pool->ready->head, 1);
    pool_recover(rig.pool, 0, 1);
    assert_int_equal(rig_take(&rig, 0).slot, 5);
    assert_int_equal(rig_take(&rig, 0).slot, a.slot);
    nothing_to_take(0);
}

/* A worker that sets the head back makes old entries valid again: each slot still comes back once. */
static void test_recover_rewound_head(void **state)
{
    uint64_t head = atomic_load(&rig.pool->ready->head);

    rig_hand_over(&rig, 0);
    rig_hand_over(&rig, 1);
    pool_recover(rig.pool, 0, 0);
    atomic_store(&rig.pool->ready->head, head);
    pool_recover(rig.pool, 0, 0);
    assert_int_equal(atomic_load(&rig.pool->ready->tail) - atomic_load(&rig.pool->ready->head), 2);
}

static void test_recover_spoilt_head(void **state)
{
    const uint64_t heads[] = { 0, 1000, UINT64_MAX, UINT64_MAX / 2 };

    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct pool_ticket ticket;
        rig_hand_over(&rig, 1);
        rig_hand_over(&rig, 2);
        atomic_store(&rig.pool->ready->head, heads[i]);
        pool_recover(rig.pool, 0, 0);
        for (int n = 0; n < 2; n++) {
            ticket = rig_take(&rig, 0);
            pool_done(rig.pool, 0, ticket);
            assert_int_equal(pool_release(rig.pool, ticket, &rig.serials[ticket.slot]), 0);
        }
        nothing_to_take(0);
    }
}

static void test_reap(void **state)
{
    struct pool_ticket ticket = rig_hand_over(&rig, 0);

    rig_take(&rig, 1);
    pool_reap(rig.pool, ticket, &rig.serials[0]);
    assert_int_equal(rig.serials[0], ticket.serial + 1);
    pool_done(rig.pool, 1, ticket); /* the dead come too late */
    ticket = rig_hand_over(&rig, 0);
    assert_int_equal(rig_phase(&rig, ticket), POOL_READY);
}

static void test_look_refuses(void **state)
{
    struct pool_ticket ticket = rig_hand_over(&rig, 0);
    struct pool_look look;
    const uint64_t words[] = {
        word_make(POOL_FREE, 0, ticket.serial),          word_make(POOL_READY, 0, ticket.serial + 1),
        word_make(POOL_RUNNING, 4, ticket.serial),       word_make(POOL_DONE, 0xffffff, ticket.serial),
        word_make((enum pool_phase)9, 0, ticket.serial), UINT64_MAX,
    };
    uint32_t serial;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        atomic_store(&rig.pool->slots[0].word, words[i]);
        assert_int_equal(pool_look(rig.pool, ticket, &look), -EPROTO);
        assert_int_equal(pool_release(rig.pool, ticket, &serial), -EPROTO);
        assert_false(pool_take_back(rig.pool, ticket, &serial));
    }
}

static void test_serial_wraps(void **state)
{
    atomic_store(&rig.pool->slots[0].word, word_make(POOL_FREE, 0, UINT32_MAX));
    rig.serials[0] = UINT32_MAX;
    struct pool_ticket ticket = rig_hand_over(&rig, 0);
    pool_done(rig.pool, 0, rig_take(&rig, 0));
    assert_int_equal(pool_release(rig.pool, ticket, &rig.serials[0]), 0);
    assert_int_equal(rig.serials[0], 0);
    rig_hand_over(&rig, 0);
    assert_int_equal(rig_take(&rig, 0).serial, 0);
}

static void test_cancel(void **state)
{
    struct pool_ticket ticket = rig_hand_over(&rig, 0);

    rig_take(&rig, 0);
    assert_false(pool_cancelled(rig.pool, ticket));
    pool_cancel(rig.pool, ticket);
    assert_true(pool_cancelled(rig.pool, ticket));
    pool_done(rig.pool, 0, ticket);
    assert_int_equal(pool_release(rig.pool, ticket, &rig.serials[0]), 0);
    rig_hand_over(&rig, 0);
    assert_false(pool_cancelled(rig.pool, rig_take(&rig, 0))); /* the next one is not */
}

static void test_adopt(void **state)
{
    struct pool_ticket running = rig_hand_over(&rig, 0), done = rig_hand_over(&rig, 1), ready, again;
    bool alive[4] = { true, true, true, true };
    struct pool *edge;

    rig_take(&rig, 0);
    pool_done(rig.pool, 1, rig_take(&rig, 1));
    ready = rig_hand_over(&rig, 2);
    /* A second view stands for the new edge; the first goes on as the workers. */
    edge = rig.pool;
    pool_adopt(edge, rig.serials, rig.is_free);
    for (uint32_t slot = 0; slot < 8; slot++)
        assert_int_equal(rig.is_free[slot], slot != 0);
    assert_int_equal(rig.serials[1], done.serial + 1);
    assert_int_equal(rig.serials[2], ready.serial + 1);
    nothing_to_take(3);
    assert_true(pool_cancelled(edge, running));
    assert_false(pool_orphan_ended(edge, 0, alive, &rig.serials[0]));
    again = rig_hand_over(&rig, 2);
    assert_int_equal(rig_take(&rig, 2).serial, again.serial);
    pool_done(edge, 0, running);
    assert_true(pool_orphan_ended(edge, 0, alive, &rig.serials[0]));
    assert_int_equal(rig.serials[0], running.serial + 1);
}

static void test_orphan_of_a_dead_worker(void **state)
{
    struct pool_ticket running = rig_hand_over(&rig, 0);
    bool alive[4] = { true, true, false, true };

    rig_take(&rig, 2);
    pool_adopt(rig.pool, rig.serials, rig.is_free);
    assert_false(rig.is_free[0]);
    assert_true(pool_orphan_ended(rig.pool, 0, alive, &rig.serials[0]));
    assert_int_equal(rig.serials[0], running.serial + 1);
}

static void test_adopt_spoilt_words(void **state)
{
    bool alive[4] = { false };
    uint32_t serial;

    atomic_store(&rig.pool->slots[0].word, word_make((enum pool_phase)200, 1, 3));
    atomic_store(&rig.pool->slots[1].word, word_make(POOL_RUNNING, 4, 3));
    atomic_store(&rig.pool->ready->tail, UINT64_MAX / 3);
    pool_adopt(rig.pool, rig.serials, rig.is_free);
    for (uint32_t slot = 0; slot < 8; slot++)
        assert_int_equal(rig.is_free[slot], slot > 1);
    assert_false(pool_orphan_ended(rig.pool, 0, alive, &serial));
    assert_false(pool_orphan_ended(rig.pool, 1, alive, &serial));
    rig_hand_over(&rig, 2);
    assert_int_equal(rig_take(&rig, 0).slot, 2);
}

static void test_close_and_reopen(void **state)
{
    struct pool_ticket ticket;

    pool_close(rig.pool, 0, 2);
    rig_hand_over(&rig, 0);
    assert_int_equal(pool_take(rig.pool, 0, UINT64_MAX, &ticket), POOL_CLOSED);
    assert_int_equal(pool_take(rig.pool, 1, UINT64_MAX, &ticket), POOL_CLOSED);
    assert_int_equal(rig_take(&rig, 2).slot, 0);
    pool_reopen(rig.pool, 0, 2, 0);
    rig_hand_over(&rig, 1);
    assert_int_equal(rig_take(&rig, 0).slot, 1);
}

/* A replacement that boots before the edge has settled its predecessor's death waits, and is not hit by its predecessor's drain. */
static void test_successor_waits_to_be_let_in(void **state)
{
    struct pool_ticket ticket;
    pid_t me = getpid();

    pool_reopen(rig.pool, 0, 2, me + 1);
    pool_close(rig.pool, 0, 2);
    rig_hand_over(&rig, 0);
    assert_int_equal(pool_take(rig.pool, 0, 5 * NS_PER_MS, &ticket), POOL_TIMEOUT);
    assert_int_equal(atomic_load(&rig.pool->sleepers[0]), 0);
    pool_reopen(rig.pool, 0, 2, me);
    assert_int_equal(pool_take(rig.pool, 0, 0, &ticket), POOL_TAKEN);
    pool_close(rig.pool, 0, 2);
    assert_int_equal(pool_take(rig.pool, 0, 0, &ticket), POOL_CLOSED);
}

/* A new edge lets in the workers that are there: what they note of themselves stays. */
static void test_let_in_again(void **state)
{
    struct pool_seat_view view;
    pid_t me = getpid();

    pool_reopen(rig.pool, 0, 1, me);
    rig_hand_over(&rig, 2);
    rig_take(&rig, 0);
    pool_reopen(rig.pool, 0, 1, me);
    pool_seat_look(rig.pool, 0, &view);
    assert_true(view.busy && view.slot == 2);
    assert_int_equal(view.owner, me);
}

/* Told to stop before it was let in: the stop holds. */
static void test_stopped_before_let_in(void **state)
{
    struct pool_ticket ticket;
    pid_t me = getpid();

    pool_reopen(rig.pool, 0, 1, me + 1);
    rig.pool->is_edge = false; /* the worker's view */
    pool_close(rig.pool, 0, 1);
    assert_int_equal(pool_take(rig.pool, 0, 0, &ticket), POOL_CLOSED);
    rig.pool->is_edge = true;
    pool_reopen(rig.pool, 0, 1, me);
    assert_int_equal(pool_take(rig.pool, 0, 0, &ticket), POOL_CLOSED);
}

static void test_timeout_is_kept(void **state)
{
    uint64_t start = clock_mono_ns(), took;
    struct pool_ticket ticket;

    assert_int_equal(pool_take(rig.pool, 0, 20 * NS_PER_MS, &ticket), POOL_TIMEOUT);
    took = clock_mono_ns() - start;
    assert_true(took >= 20 * NS_PER_MS);
    assert_int_equal(atomic_load(&rig.pool->sleepers[0]), 0);
}

static void *sleeper_main(void *arg)
{
    uint32_t seat = *(uint32_t *)arg;
    struct pool_ticket ticket;
    enum pool_take_result result = pool_take(rig.pool, seat, UINT64_MAX, &ticket);

    if (result == POOL_TAKEN)
        pool_done(rig.pool, seat, ticket);
    return (void *)(intptr_t)result;
}

static void await_asleep(uint64_t bits)
{
    while ((atomic_load(&rig.pool->sleepers[0]) & bits) != bits)
        sched_yield();
}

static void test_sleepers_wake(void **state)
{
    pthread_t threads[4];
    uint32_t seats[4] = { 0, 1, 2, 3 };
    void *result;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sleeper_main, &seats[i]), 0);
    await_asleep(0xf);
    rig_hand_over(&rig, 0); /* the lowest seat first */
    pthread_join(threads[0], &result);
    assert_int_equal((intptr_t)result, POOL_TAKEN);
    rig_hand_over(&rig, 1); /* then the other worker's, not the first worker's second thread */
    pthread_join(threads[2], &result);
    assert_int_equal((intptr_t)result, POOL_TAKEN);
    pool_close(rig.pool, 0, 4);
    for (int i = 1; i < 4; i += 2) {
        pthread_join(threads[i], &result);
        assert_int_equal((intptr_t)result, POOL_CLOSED);
    }
    assert_int_equal(atomic_load(&rig.pool->sleepers[0]), 0);
}

/* Seat 0 has died in its sleep: its mark swallows the wake-up of a hand-over until recovery. */
static void test_recover_wakes_for_the_dead(void **state)
{
    pthread_t thread;
    uint32_t seat = 2;
    void *result;

    atomic_fetch_or(&rig.pool->sleepers[0], 1);
    assert_int_equal(pthread_create(&thread, NULL, sleeper_main, &seat), 0);
    await_asleep(1 << 1);   /* the first seat of the second worker */
    rig_hand_over(&rig, 0); /* wakes the dead */
    pool_recover(rig.pool, 0, 2);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, POOL_TAKEN);
}

static void test_seat_view(void **state)
{
    struct pool_seat_view view;
    uint64_t before = clock_mono_ns();
    struct pool_ticket ticket;

    pool_seat_look(rig.pool, 1, &view);
    assert_false(view.busy);
    rig_hand_over(&rig, 6);
    ticket = rig_take(&rig, 1);
    pool_seat_look(rig.pool, 1, &view);
    assert_true(view.busy);
    assert_int_equal(view.slot, 6);
    assert_in_range(view.since_ns, before, clock_mono_ns());
    pool_done(rig.pool, 1, ticket);
    pool_seat_look(rig.pool, 1, &view);
    assert_false(view.busy);
    assert_int_equal(view.requests, 1);
    atomic_store(&rig.pool->seats[1].busy, 9); /* spoilt: beyond the slots */
    pool_seat_look(rig.pool, 1, &view);
    assert_false(view.busy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole_life),
        TEST(test_first_come_first_served),
        TEST(test_take_back),
        TEST(test_stale_entry_of_a_reused_slot),
        TEST(test_full_ring_keeps_what_waits),
        TEST(test_recover_doubles_nothing),
        TEST(test_recover_lost_entry),
        TEST(test_recover_rewound_head),
        TEST(test_recover_spoilt_head),
        TEST(test_reap),
        TEST(test_look_refuses),
        TEST(test_serial_wraps),
        TEST(test_cancel),
        TEST(test_adopt),
        TEST(test_orphan_of_a_dead_worker),
        TEST(test_adopt_spoilt_words),
        TEST(test_close_and_reopen),
        TEST(test_successor_waits_to_be_let_in),
        TEST(test_let_in_again),
        TEST(test_stopped_before_let_in),
        TEST(test_timeout_is_kept),
        TEST(test_sleepers_wake),
        TEST(test_recover_wakes_for_the_dead),
        TEST(test_seat_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
