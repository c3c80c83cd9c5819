/* The life of a child: each test walks one path through the table with a real process whose channel the test speaks on. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "super/child.h"

static struct loop *loop;
static struct log quiet = { .level = LOG_ALERT, .process = "test" };
static struct child child;
static int peer = -1;   /* the process's end of the channel */
static int spawn_error; /* what the next spawn answers */
static bool by_another; /* the next spawn leaves the fork to another process: no pid yet */
static const char *route;
static bool again; /* what gone() answers */
static bool message_ok;

static struct {
    int spawned, ready, stopped, gone, down, messages;
    int last_status;
    bool last_was_ready;
    char last_words[64];
} seen;

/* A process that does nothing until it is killed. */
static pid_t start_process(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close_range(3, ~0U, 0); /* the test's end of the channel among them */
        for (;;)
            (void)pause();
    }
    return pid;
}

static int role_spawn(struct child *c)
{
    int pair[2];

    seen.spawned++;
    if (spawn_error != 0)
        return spawn_error;
    assert_int_equal(wire_pair(pair), 0);
    assert_int_equal(child_set_channel(c, pair[0], route), 0);
    if (peer >= 0)
        close(peer);
    peer = pair[1];
    c->pid = by_another ? 0 : start_process();
    return 0;
}

static void role_ready(struct child *c, const struct wire_message *m)
{
    seen.ready++;
}

static bool role_message(struct child *c, struct wire_message *m)
{
    seen.messages++;
    return message_ok;
}

static void role_stop(struct child *c)
{
    seen.stopped++;
}

static bool role_gone(struct child *c, int status, bool was_ready)
{
    seen.gone++;
    seen.last_status = status;
    seen.last_was_ready = was_ready;
    (void)snprintf(seen.last_words, sizeof(seen.last_words), "%s", c->last_words != NULL ? c->last_words : "");
    return again;
}

static void role_down(struct child *c)
{
    seen.down++;
}

static const struct role role = { "fake", role_spawn, role_ready, role_message, role_stop, role_gone, role_down };

static int setup(void **state)
{
    assert_int_equal(loop_new(&loop), 0);
    memset(&seen, 0, sizeof(seen));
    spawn_error = 0;
    by_another = false;
    route = "ES";
    again = message_ok = true;
    child_init(&child, &role, loop, &quiet);
    return 0;
}

/* As the supervisor does on SIGCHLD. */
static void reap(void)
{
    int status;

    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    child_reaped(&child, status);
}

static int teardown(void **state)
{
    again = false;
    child_stop(&child, 1);
    if (child.pid > 0) {
        (void)kill(child.pid, SIGKILL);
        reap();
    }
    child_fini(&child);
    loop_free(loop);
    if (peer >= 0)
        close(peer);
    peer = -1;
    return 0;
}

static void say(enum wire_type type, const char *text)
{
    struct wire_message m = { .type = type, .number = 42, .text = str_of(text) };

    assert_int_equal(wire_send(peer, &m), 0);
}

static void turn_until(enum child_state state)
{
    uint64_t deadline = clock_mono_ns() + 5 * NS_PER_SEC;

    while (child.state != state && clock_mono_ns() < deadline)
        loop_once(loop);
    assert_int_equal(child.state, state);
}

static void start_up(void)
{
    child_start(&child);
    assert_int_equal(child.state, CHILD_BOOTING);
    say(WIRE_READY, NULL);
    turn_until(CHILD_UP);
}

static void die(void)
{
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    reap();
}

static void test_ready(void **state)
{
    start_up();
    assert_int_equal(seen.ready, 1);
    assert_true(child.boot_ns == 42);
    assert_true(child.ready_ns >= child.started_ns);
}

static void test_a_ready_one_is_replaced_at_once(void **state)
{
    pid_t first;

    start_up();
    first = child.pid;
    die();
    assert_int_equal(child.state, CHILD_BOOTING);
    assert_int_not_equal(child.pid, first);
    assert_int_equal(seen.spawned, 2);
    assert_int_equal(child.restarts, 1);
    assert_true(seen.last_was_ready);
    assert_true(WIFSIGNALED(seen.last_status));
}

static void test_failed_boots_are_repeated_after_a_growing_pause(void **state)
{
    child_start(&child);
    die();
    assert_int_equal(child.state, CHILD_PAUSED);
    assert_int_equal(child.failed_boots, 1);
    turn_until(CHILD_BOOTING);
    die();
    assert_int_equal(child.state, CHILD_PAUSED);
    assert_int_equal(child.failed_boots, 2);
    assert_true(child.timer.deadline > loop_now(loop) + CHILD_PAUSE_NS);
}

static void test_pauses(void **state)
{
    assert_true(child_pause(0) == 0);
    assert_true(child_pause(1) == 100 * NS_PER_MS);
    assert_true(child_pause(2) == 200 * NS_PER_MS);
    assert_true(child_pause(6) == 3200 * NS_PER_MS);
    assert_true(child_pause(7) == 5 * NS_PER_SEC);
    assert_true(child_pause(UINT32_MAX) == 5 * NS_PER_SEC);
}

static void test_a_good_boot_forgets_failed_ones(void **state)
{
    start_up();
    child.failed_boots = 4;
    die();
    assert_int_equal(child.failed_boots, 0);
    assert_int_equal(child.state, CHILD_BOOTING);
}

/* The channel is read when the process is reaped, whatever the loop has come to. */
static void test_last_words(void **state)
{
    again = false;
    route = "WS";
    child_start(&child);
    say(WIRE_BOOT_FAILED, "Traceback: no such thing");
    die();
    assert_string_equal(seen.last_words, "Traceback: no such thing");
    assert_false(seen.last_was_ready);
    assert_int_equal(child.state, CHILD_DOWN);
    assert_int_equal(seen.down, 1);
}

static void test_stop(void **state)
{
    start_up();
    child_stop(&child, NS_PER_SEC);
    assert_int_equal(child.state, CHILD_STOPPING);
    assert_int_equal(seen.stopped, 1);
    die();
    assert_int_equal(child.state, CHILD_DOWN);
    assert_int_equal(seen.spawned, 1); /* although gone() says again: it is not wanted */
}

static void test_stop_while_booting(void **state)
{
    child_start(&child);
    child_stop(&child, NS_PER_SEC);
    assert_int_equal(child.state, CHILD_STOPPING);
    say(WIRE_READY, NULL); /* it crossed the wish on its way: no rule broken, and not ready */
    loop_once(loop);
    assert_int_equal(child.state, CHILD_STOPPING);
    assert_int_equal(seen.ready, 0);
}

static void test_grace_is_over(void **state)
{
    start_up();
    child_stop(&child, NS_PER_MS);
    turn_until(CHILD_KILLED);
    reap();
    assert_int_equal(child.state, CHILD_DOWN);
    assert_true(WIFSIGNALED(seen.last_status) && WTERMSIG(seen.last_status) == SIGKILL);
}

static void test_kill_replaces(void **state)
{
    start_up();
    child_kill(&child, "test");
    assert_int_equal(child.state, CHILD_KILLED);
    child_kill(&child, "again is harmless");
    reap();
    assert_int_equal(child.state, CHILD_BOOTING);
}

static void test_stop_of_a_killed_one(void **state)
{
    start_up();
    child_kill(&child, "test");
    child_stop(&child, NS_PER_SEC);
    reap();
    assert_int_equal(child.state, CHILD_DOWN);
}

static void test_stop_while_paused(void **state)
{
    child_start(&child);
    die();
    assert_int_equal(child.state, CHILD_PAUSED);
    child_stop(&child, NS_PER_SEC);
    assert_int_equal(child.state, CHILD_DOWN);
    assert_int_equal(seen.down, 1);
    assert_false(loop_timer_armed(&child.timer));
}

static void test_ready_twice_breaks_the_rules(void **state)
{
    start_up();
    say(WIRE_READY, NULL);
    turn_until(CHILD_KILLED);
    assert_int_equal(seen.ready, 1);
}

static void test_boot_failed_when_up_breaks_the_rules(void **state)
{
    route = "WS";
    start_up();
    say(WIRE_BOOT_FAILED, "too late");
    turn_until(CHILD_KILLED);
}

static void test_message_of_another_route_breaks_the_rules(void **state)
{
    start_up();
    say(WIRE_DRAIN, NULL);
    turn_until(CHILD_KILLED);
    assert_int_equal(seen.messages, 0);
}

static void test_role_decides_about_messages(void **state)
{
    start_up();
    say(WIRE_STATUS, "{}");
    loop_once(loop);
    assert_int_equal(seen.messages, 1);
    assert_int_equal(child.state, CHILD_UP);
    message_ok = false;
    say(WIRE_STATUS, "{}");
    turn_until(CHILD_KILLED);
}

/* ---- forked by another process ---- */

static void hang_up(void)
{
    close(peer);
    peer = -1;
}

static void start_without_pid(void)
{
    by_another = true;
    child_start(&child);
    assert_int_equal(child.state, CHILD_BOOTING);
    assert_int_equal(child.pid, 0);
    by_another = false;
}

static void test_never_came_and_is_tried_again(void **state)
{
    start_without_pid();
    hang_up();
    turn_until(CHILD_PAUSED);
    assert_int_equal(seen.last_status, -ESRCH);
    assert_int_equal(child.failed_boots, 1);
    turn_until(CHILD_BOOTING);
    assert_int_not_equal(child.pid, 0);
}

static void test_came(void **state)
{
    start_without_pid();
    child.pid = start_process(); /* what the role does when it is told */
    say(WIRE_READY, NULL);
    turn_until(CHILD_UP);
}

static void test_ready_without_a_pid_breaks_the_rules(void **state)
{
    start_without_pid();
    say(WIRE_READY, NULL);
    turn_until(CHILD_PAUSED);
    assert_int_equal(seen.ready, 0);
    assert_int_equal(child.channel.fd, -1); /* if it comes after all, it finds nobody */
}

static void test_stopped_before_it_came(void **state)
{
    start_without_pid();
    child_stop(&child, NS_PER_SEC);
    say(WIRE_READY, NULL); /* it came too late */
    loop_once(loop);
    assert_int_equal(child.state, CHILD_STOPPING);
    hang_up();
    turn_until(CHILD_DOWN);
    assert_int_equal(seen.last_status, 0);
}

static void test_killed_before_it_came(void **state)
{
    start_without_pid();
    again = false;
    child_kill(&child, "test");
    assert_int_equal(child.state, CHILD_DOWN);
    assert_int_equal(child.channel.fd, -1);
}

static void test_grace_is_over_before_it_came(void **state)
{
    start_without_pid();
    child_stop(&child, NS_PER_MS);
    turn_until(CHILD_DOWN);
}

static void test_hangup(void **state)
{
    start_up();
    close(peer);
    peer = -1;
    turn_until(CHILD_STOPPING);
    assert_int_equal(seen.stopped, 0); /* nobody to ask */
    assert_true(loop_timer_armed(&child.timer));
    die();
    assert_int_equal(child.state, CHILD_BOOTING); /* still wanted */
}

static void test_spawn_fails(void **state)
{
    spawn_error = -ENOENT;
    child_start(&child);
    assert_int_equal(child.state, CHILD_PAUSED);
    assert_int_equal(seen.last_status, -ENOENT);
    spawn_error = 0;
    turn_until(CHILD_BOOTING);
}

static void test_spawn_fails_and_that_is_it(void **state)
{
    spawn_error = -ENOENT;
    again = false;
    child_start(&child);
    assert_int_equal(child.state, CHILD_DOWN);
    assert_int_equal(seen.down, 1);
}

/* What a dead process broke has no consequence but its end: no signal goes to a pid that may be another's. */
static void test_broken_last_words(void **state)
{
    start_up();
    say(WIRE_READY, NULL);
    die();
    assert_int_equal(seen.gone, 1);
    assert_int_equal(child.state, CHILD_BOOTING); /* the one after it */
}

/* A process that this program has not started: as if it had. */
static void restore(bool ready)
{
    struct child_past past = { .ready = ready, .output = -1, .recorder = -1, .restarts = 3, .started_ns = 1 };
    int pair[2];

    assert_int_equal(wire_pair(pair), 0);
    peer = pair[1];
    past.channel = pair[0];
    past.pid = start_process();
    assert_int_equal(child_restore(&child, &past, route), 0);
    assert_int_equal(seen.spawned, 0);
    assert_int_equal(child.restarts, 3);
}

static void test_restored_up(void **state)
{
    restore(true);
    assert_int_equal(child.state, CHILD_UP);
    say(WIRE_POOL_IDLE, "");
    turn_until(CHILD_UP);
    loop_once(loop);
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    reap();
    assert_true(seen.last_was_ready);
    assert_int_equal(seen.spawned, 1);
    assert_int_equal(child.state, CHILD_BOOTING);
}

static void test_restored_booting(void **state)
{
    restore(false);
    assert_int_equal(child.state, CHILD_BOOTING);
    say(WIRE_READY, "");
    turn_until(CHILD_UP);
    assert_int_equal(seen.ready, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_ready),
        T(test_a_ready_one_is_replaced_at_once),
        T(test_failed_boots_are_repeated_after_a_growing_pause),
        T(test_pauses),
        T(test_a_good_boot_forgets_failed_ones),
        T(test_last_words),
        T(test_stop),
        T(test_stop_while_booting),
        T(test_grace_is_over),
        T(test_kill_replaces),
        T(test_stop_of_a_killed_one),
        T(test_stop_while_paused),
        T(test_ready_twice_breaks_the_rules),
        T(test_boot_failed_when_up_breaks_the_rules),
        T(test_message_of_another_route_breaks_the_rules),
        T(test_role_decides_about_messages),
        T(test_hangup),
        T(test_never_came_and_is_tried_again),
        T(test_came),
        T(test_ready_without_a_pid_breaks_the_rules),
        T(test_stopped_before_it_came),
        T(test_killed_before_it_came),
        T(test_grace_is_over_before_it_came),
        T(test_spawn_fails),
        T(test_spawn_fails_and_that_is_it),
        T(test_broken_last_words),
        T(test_restored_up),
        T(test_restored_booting),
    };

    (void)alarm(60); /* a turn of the loop that waits for nothing ends the test */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
