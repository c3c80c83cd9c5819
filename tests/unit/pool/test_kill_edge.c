/*
 * The edge is killed at each step of the protocol, its workers alive. The next edge adopts the pool: every slot comes free again, nothing
 * is run twice, and all that the new edge hands over is answered.
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "players.h"
#include "pool/wake.h"
#include "unit.h"

#define GHOST 3 /* a seat whose process is dead: the scenes play it themselves */
#define NEW_IDS 2000

static struct stage stage;

static struct pool_ticket ghost_takes(struct edge *edge)
{
    struct pool_ticket ticket;

    must(pool_try_take(edge->pool, GHOST, &ticket) == POOL_TAKEN);
    return ticket;
}

static void forget(struct edge *edge, uint32_t slot)
{
    edge->orders[slot].out = false;
    edge->is_free[slot] = true;
}

/* What an earlier edge has left: a slot in each state. */
static void leave_a_mess(void)
{
    struct edge edge;

    edge_open(&edge, &stage, 0);
    edge_hand_over(&edge, ERRAND_SMALL);
    edge_hand_over(&edge, ERRAND_SMALL);
    pool_done(edge.pool, GHOST, ghost_takes(&edge));
    ghost_takes(&edge);
    edge_hand_over(&edge, ERRAND_SMALL);
    edge_close(&edge);
}

/* A sleep. Take-backs until the ring has been rebuilt; a request lost with its worker. */
static void act_alone(struct edge *edge)
{
    uint32_t slot;

    while (edge_turn(edge, 0)) /* until it has slept */
        ;
    for (uint64_t i = 0; i < 2 * edge->pool->capacity; i++) {
        slot = edge_hand_over(edge, ERRAND_SMALL);
        must(pool_take_back(edge->pool, edge->orders[slot].ticket, &edge->serials[slot]));
        forget(edge, slot);
    }
    slot = edge_hand_over(edge, ERRAND_SMALL);
    ghost_takes(edge);
    pool_reap(edge->pool, edge->orders[slot].ticket, &edge->serials[slot]);
    forget(edge, slot);
    slot = edge_hand_over(edge, ERRAND_SMALL);
    pool_recover(edge->pool, GHOST, 1);
    must(pool_take_back(edge->pool, edge->orders[slot].ticket, &edge->serials[slot]));
    forget(edge, slot);
}

static void act_with_workers(struct edge *edge, const pid_t *workers)
{
    uint32_t slot;

    for (int i = 0; i < 2; i++)
        kill(workers[i], SIGCONT);
    for (int round = 0; round < 3; round++) {
        edge_hand_over(edge, ERRAND_SMALL);
        edge_hand_over(edge, ERRAND_LARGE);
        edge_hand_over(edge, ERRAND_ASK);
        edge_finish(edge);
    }
    slot = edge_hand_over(edge, ERRAND_LARGE);
    while (atomic_load(&edge->pool->slots[slot].waiting) == 0)
        sched_yield();
    pool_cancel(edge->pool, edge->orders[slot].ticket);
}

static pid_t doomed_edge(enum pool_step step, unsigned nth, const pid_t *workers)
{
    struct edge edge;
    pid_t pid = fork();

    must(pid >= 0);
    if (pid > 0)
        return pid;
    kill_at(step, nth);
    edge_open(&edge, &stage, 100);
    act_alone(&edge);
    act_with_workers(&edge, workers);
    _exit(0);
}

static pid_t stopped_worker(uint32_t seat)
{
    pid_t pid = worker_start(&stage, seat, 0, 0);
    struct pool *pool = stage_map(&stage);
    int status;

    while ((atomic_load(&pool->sleepers[0]) >> seat & 1) == 0)
        sched_yield();
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    pool_unmap(pool);
    return pid;
}

static void settle_orphans(struct edge *edge)
{
    const bool alive[4] = { true, true, true, [GHOST] = false };

    while (edge_free(edge) < PLAYERS_SLOTS) {
        for (uint32_t slot = 0; slot < PLAYERS_SLOTS; slot++) {
            if (!edge->is_free[slot])
                edge->is_free[slot] = pool_orphan_ended(edge->pool, slot, alive, &edge->serials[slot]);
        }
        if (edge_free(edge) < PLAYERS_SLOTS)
            assert_true(edge_turn(edge, PLAYERS_LOST_MS));
    }
}

static void serve_anew(struct edge *edge)
{
    for (int round = 0; round < 3; round++) {
        while (edge_free(edge) > 0)
            edge_hand_over(edge, round == 1 ? ERRAND_LARGE : ERRAND_SMALL);
        edge_finish(edge);
    }
    for (uint32_t id = 0; id < PLAYERS_IDS; id++) {
        uint32_t runs = atomic_load(&stage.board->runs[id]);
        if (id >= NEW_IDS && id < edge->next_id)
            assert_int_equal(runs, 1);
        else
            assert_in_range(runs, 0, id < NEW_IDS);
    }
}

static void kill_and_settle(enum pool_step step, unsigned nth)
{
    pid_t workers[2], doomed;
    struct edge edge;
    int status;

    stage_open(&stage);
    for (uint32_t i = 0; i < 2; i++)
        workers[i] = stopped_worker(i);
    leave_a_mess();
    doomed = doomed_edge(step, nth, workers);
    assert_int_equal(waitpid(doomed, &status, 0), doomed);
    if (nth == 1 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        fail_msg("step %s was never reached", step_name(step));
    assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
    for (int i = 0; i < 2; i++)
        kill(workers[i], SIGCONT);
    edge_open(&edge, &stage, NEW_IDS);
    settle_orphans(&edge);
    serve_anew(&edge);
    for (uint32_t seat = 0; seat < 2; seat++)
        await_asleep(&edge, seat);
    pool_close(edge.pool, 0, 2);
    await_exit(workers[0]);
    await_exit(workers[1]);
    edge_close(&edge);
    stage_close(&stage);
}

static void test_each_step(void **state)
{
    for (int step = 0; step < POOL_STEP_COUNT; step++) {
        if (step_who((enum pool_step)step) == 'W')
            continue;
        for (unsigned nth = 1; nth <= 3; nth++) {
            print_message("kill at %s, time %u\n", step_name((enum pool_step)step), nth);
            kill_and_settle((enum pool_step)step, nth);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_step) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
