/*
 * A worker is killed at each step of the protocol. Two others were asleep and are held stopped until it is dead, so that it meets every step, that
 * of waking the next one included. Then: each request is answered once, and none has been run twice but those the victim was running.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "players.h"
#include "unit.h"

#define VICTIM 0 /* the lowest seat: woken first */
#define BURSTS 12

static struct stage stage;
static struct edge edge;
static pid_t victim, others[2];

static void start_others(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        int status;
        others[i] = worker_start(&stage, i + 1, 0, 0);
        await_asleep(&edge, i + 1);
        kill(others[i], SIGSTOP);
        assert_int_equal(waitpid(others[i], &status, WUNTRACED), others[i]);
        assert_true(WIFSTOPPED(status));
    }
}

/* Until the victim sleeps or has ended. */
static enum life await_sleep_or_end(void)
{
    enum life life = life_of(victim);

    while (life == ALIVE && !is_asleep(&edge, VICTIM)) {
        edge_turn(&edge, 1);
        life = life_of(victim);
    }
    return life;
}

/* Until the victim has answered both requests or has ended. */
static enum life await_answers_or_end(void)
{
    enum life life = ALIVE;

    while (life == ALIVE && (edge.orders[0].out || edge.orders[1].out)) {
        edge_turn(&edge, 1);
        life = life_of(victim);
    }
    return life;
}

/* Two at once, so that the victim, woken for the first, finds the second and has to wake somebody for it. The last burst makes it close its seat
 * and end by itself. */
static enum life feed_victim(void)
{
    static const enum errand errands[] = { ERRAND_SMALL, ERRAND_SMALL, ERRAND_LARGE, ERRAND_ASK };
    enum life life = ALIVE;

    for (int burst = 0; burst < BURSTS && life == ALIVE; burst++) {
        life = await_sleep_or_end();
        if (life != ALIVE)
            return life;
        edge_hand_over(&edge, errands[2 * burst % 4]);
        edge_hand_over(&edge, errands[(2 * burst + 1) % 4]);
        life = await_answers_or_end();
    }
    if (life == ALIVE) {
        edge_hand_over(&edge, ERRAND_CLOSE);
        edge_hand_over(&edge, ERRAND_SMALL); /* for the others */
    }
    while (life == ALIVE) {
        edge_turn(&edge, 1);
        life = life_of(victim);
    }
    return life;
}

static void count_runs(uint32_t replayed)
{
    uint32_t twice = 0;

    for (uint32_t id = 0; id < edge.next_id; id++) {
        uint32_t runs = atomic_load(&stage.board->runs[id]);
        assert_in_range(runs, 1, 2);
        twice += runs == 2;
    }
    assert_true(twice <= replayed);
    assert_int_equal(edge.answered, edge.next_id);
}

static void open_all(enum pool_step step, unsigned nth)
{
    stage_open(&stage);
    edge_open(&edge, &stage, 0);
    start_others();
    victim = worker_start(&stage, VICTIM, step, nth);
    pool_reopen(edge.pool, VICTIM, 1, victim);
    edge.watched = victim;
}

static void close_all(pid_t successor)
{
    pool_close(edge.pool, 0, 3);
    await_exit(successor);
    await_exit(others[0]);
    await_exit(others[1]);
    edge_close(&edge);
    stage_close(&stage);
}

static void settle(void)
{
    uint32_t replayed;
    pid_t successor;

    edge.watched = 0;
    /* Its successor is there before the edge has heard of the death, and has to wait. */
    successor = worker_start(&stage, VICTIM, 0, 0);
    kill(others[0], SIGCONT);
    kill(others[1], SIGCONT);
    replayed = edge_bury(&edge, VICTIM);
    assert_true(replayed <= 1);
    edge_finish(&edge);
    /* One alone, all others asleep: the dead must not swallow its wake-up. */
    await_asleep(&edge, 1);
    await_asleep(&edge, 2);
    edge_hand_over(&edge, ERRAND_SMALL);
    edge_finish(&edge);
    pool_reopen(edge.pool, VICTIM, 1, successor);
    for (int round = 0; round < 3; round++) {
        while (edge_free(&edge) > 0)
            edge_hand_over(&edge, round == 1 ? ERRAND_LARGE : ERRAND_SMALL);
        edge_finish(&edge);
    }
    count_runs(replayed);
    for (uint32_t seat = 0; seat < 3; seat++)
        await_asleep(&edge, seat);
    close_all(successor);
}

static void test_killed_asleep(void **state)
{
    int status;

    open_all(0, 0);
    await_asleep(&edge, VICTIM);
    kill(victim, SIGKILL);
    assert_int_equal(waitpid(victim, &status, 0), victim);
    settle();
}

static void kill_and_settle(enum pool_step step, unsigned nth)
{
    open_all(step, nth);
    if (feed_victim() != KILLED && nth == 1)
        fail_msg("step %s was never reached", step_name(step));
    settle();
}

static void test_each_step(void **state)
{
    for (int step = 0; step < POOL_STEP_COUNT; step++) {
        if (step_who((enum pool_step)step) == 'E')
            continue;
        for (unsigned nth = 1; nth <= 3; nth++) {
            print_message("kill at %s, time %u\n", step_name((enum pool_step)step), nth);
            kill_and_settle((enum pool_step)step, nth);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_killed_asleep), cmocka_unit_test(test_each_step) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
