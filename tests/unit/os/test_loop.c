/*
 * The loop: the order of a turn, timers, removal inside a batch, deferred tasks, waking from another thread.
 *
 * epoll_pwait2 is defined here, so that a kernel without it can be played.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/loop.h"

static bool old_kernel;
static unsigned n_pwait2;

int epoll_pwait2(int fd, struct epoll_event *events, int maxevents, const struct timespec *timeout, const sigset_t *ss)
{
    n_pwait2++;
    if (old_kernel) {
        errno = ENOSYS;
        return -1;
    }
    return (int)syscall(SYS_epoll_pwait2, fd, events, maxevents, timeout, ss, sizeof(uint64_t));
}

/* What happened, in order, a letter each. */
static char happened[64];

static void note(char c)
{
    size_t n = strlen(happened);

    assert_true(n < sizeof(happened) - 1);
    happened[n] = c;
    happened[n + 1] = '\0';
}

static struct loop *new_loop(void)
{
    struct loop *loop;

    happened[0] = '\0';
    assert_int_equal(loop_new(&loop), 0);
    return loop;
}

/* ---- timers ---- */

struct timer {
    struct loop_timer timer;
    struct loop *loop;
    char name;
    uint64_t fired_at;
    int again; /* how often it sets itself to 0 */
};

static void on_timer(struct loop_timer *t)
{
    struct timer *timer = CONTAINER_OF(t, struct timer, timer);

    assert_false(loop_timer_armed(t));
    timer->fired_at = clock_mono_ns();
    note(timer->name);
    if (timer->again-- > 0)
        loop_timer_set(timer->loop, t, 0);
}

static void timer_init(struct timer *timer, struct loop *loop, char name)
{
    *timer = (struct timer){ .loop = loop, .name = name };
    loop_timer_init(&timer->timer, on_timer);
}

static void timers_fire_in_order_and_never_early(void **state)
{
    struct loop *loop = new_loop();
    struct timer a, b, c;
    uint64_t start = loop_now(loop);

    (void)state;
    timer_init(&a, loop, 'a');
    timer_init(&b, loop, 'b');
    timer_init(&c, loop, 'c');
    loop_timer_set(loop, &b.timer, 2 * NS_PER_MS);
    loop_timer_set(loop, &c.timer, 3 * NS_PER_MS + 500 * NS_PER_US);
    loop_timer_set(loop, &a.timer, 1 * NS_PER_MS);
    assert_true(loop_timer_armed(&a.timer));
    while (strlen(happened) < 3)
        loop_once(loop);
    assert_string_equal(happened, "abc");
    assert_true(a.fired_at >= start + 1 * NS_PER_MS);
    assert_true(b.fired_at >= start + 2 * NS_PER_MS);
    assert_true(c.fired_at >= start + 3 * NS_PER_MS + 500 * NS_PER_US);
    loop_free(loop);
}

static void a_stopped_timer_does_not_fire(void **state)
{
    struct loop *loop = new_loop();
    struct timer a, b;

    (void)state;
    timer_init(&a, loop, 'a');
    timer_init(&b, loop, 'b');
    loop_timer_stop(loop, &a.timer);
    loop_timer_set(loop, &a.timer, 1);
    loop_timer_set(loop, &b.timer, NS_PER_MS);
    loop_timer_stop(loop, &a.timer);
    assert_false(loop_timer_armed(&a.timer));
    while (strlen(happened) < 1)
        loop_once(loop);
    assert_string_equal(happened, "b");
    loop_free(loop);
}

static void a_resting_timer_does_not_fire_and_keeps_its_place(void **state)
{
    struct loop *loop = new_loop();
    struct timer a, b, c;
    uint64_t key;

    (void)state;
    timer_init(&a, loop, 'a');
    timer_init(&b, loop, 'b');
    timer_init(&c, loop, 'c');
    loop_timer_rest(&a.timer); /* also one that was never set */
    loop_timer_set(loop, &a.timer, NS_PER_MS);
    loop_timer_set(loop, &b.timer, NS_PER_MS);
    loop_timer_set(loop, &c.timer, 2 * NS_PER_MS);
    key = a.timer.node.key;
    loop_timer_rest(&a.timer);
    loop_timer_rest(&b.timer);
    assert_false(loop_timer_armed(&a.timer));
    loop_timer_set(loop, &b.timer, 3 * NS_PER_MS);
    assert_true(a.timer.node.key == key && b.timer.node.key <= key); /* the heap was left alone */
    while (strlen(happened) < 2)
        loop_once(loop);
    assert_string_equal(happened, "cb");
    assert_true(a.timer.node.index == HEAP_NONE); /* its time has passed: nothing wakes the loop for it */
    loop_timer_set(loop, &a.timer, NS_PER_MS);
    while (strlen(happened) < 3)
        loop_once(loop);
    assert_string_equal(happened, "cba");
    loop_free(loop);
}

static void setting_again_moves_either_way(void **state)
{
    struct loop *loop = new_loop();
    struct timer a, b;
    uint64_t key;

    (void)state;
    timer_init(&a, loop, 'a');
    timer_init(&b, loop, 'b');
    loop_timer_set(loop, &a.timer, NS_PER_MS);
    key = a.timer.node.key;
    loop_timer_set(loop, &a.timer, 100 * NS_PER_MS); /* far behind b also on a busy machine */
    assert_true(a.timer.node.key == key);            /* the heap was left alone */
    loop_timer_set(loop, &b.timer, 3600 * NS_PER_SEC);
    loop_timer_set(loop, &b.timer, 2 * NS_PER_MS);
    while (strlen(happened) < 2)
        loop_once(loop);
    assert_string_equal(happened, "ba");
    loop_free(loop);
}

static void zero_is_the_next_turn_and_never_has_no_end(void **state)
{
    struct loop *loop = new_loop();
    struct timer a, never;

    (void)state;
    timer_init(&a, loop, 'a');
    timer_init(&never, loop, 'n');
    loop_timer_set(loop, &never.timer, UINT64_MAX);
    a.again = 2;
    loop_timer_set(loop, &a.timer, 0);
    for (int turn = 1; turn <= 3; turn++) {
        size_t before = strlen(happened);

        while (strlen(happened) == before)
            loop_once(loop);
        assert_int_equal(strlen(happened), turn); /* one a turn */
    }
    assert_true(loop_timer_armed(&never.timer));
    loop_timer_stop(loop, &never.timer);
    loop_free(loop);
}

static void an_old_kernel_gets_milliseconds(void **state)
{
    struct loop *loop = new_loop();
    struct timer a;
    uint64_t start = loop_now(loop);
    int turns = 0;

    (void)state;
    old_kernel = true;
    n_pwait2 = 0;
    timer_init(&a, loop, 'a');
    loop_timer_set(loop, &a.timer, 1500 * NS_PER_US);
    for (; strlen(happened) < 1; turns++)
        loop_once(loop);
    assert_int_equal(turns, 2); /* rounded up: one sleep, then it is due */
    assert_true(a.fired_at >= start + 1500 * NS_PER_US);
    loop_timer_set(loop, &a.timer, NS_PER_MS);
    while (strlen(happened) < 2)
        loop_once(loop);
    assert_int_equal(n_pwait2, 1); /* asked once, remembered */
    old_kernel = false;
    loop_free(loop);
}

/* ---- descriptors ---- */

struct end {
    struct loop_io io;
    struct loop *loop;
    int peer; /* the other side of the pair, written to to make io readable */
    char name;
    struct end *remove; /* taken out of the loop in the callback */
    uint32_t seen;
};

static void on_end(struct loop_io *io, uint32_t ready)
{
    struct end *end = CONTAINER_OF(io, struct end, io);
    char byte[8];

    end->seen |= ready;
    if (ready & EPOLLIN)
        (void)!read(io->fd, byte, sizeof(byte));
    note(end->name);
    if (end->remove != NULL)
        loop_io_remove(end->loop, &end->remove->io);
}

static int end_init(struct end *end, struct loop *loop, char name)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    *end = (struct end){ .io = { .fd = -1, .fn = on_end }, .loop = loop, .peer = fds[1], .name = name };
    return fds[0];
}

static void poke(struct end *end)
{
    assert_int_equal(write(end->peer, "x", 1), 1);
}

static void a_descriptor_is_forgotten_that_is_about_to_be_closed(void **state)
{
    struct loop *loop = new_loop();
    struct end a, b;
    int fd_a = end_init(&a, loop, 'a'), fd_b = end_init(&b, loop, 'b');

    (void)state;
    assert_int_equal(loop_io_add(loop, &a.io, fd_a, EPOLLIN), 0);
    assert_int_equal(loop_io_add(loop, &b.io, fd_b, EPOLLIN), 0);
    poke(&a);
    poke(&b);
    loop_io_forget(loop, &a.io);
    loop_io_forget(loop, &a.io); /* nothing */
    assert_int_equal(a.io.fd, -1);
    close(fd_a);
    loop_once(loop);
    assert_int_equal(a.seen, 0);
    assert_true(b.seen & EPOLLIN);
    loop_io_remove(loop, &b.io);
    close(fd_b);
    close(a.peer);
    close(b.peer);
    loop_free(loop); /* counts those that are left */
}

static void ready_descriptors_are_called_until_removed(void **state)
{
    struct loop *loop = new_loop();
    struct end a;
    int fd = end_init(&a, loop, 'a');

    (void)state;
    assert_int_equal(loop_io_add(loop, &a.io, fd, EPOLLIN), 0);
    poke(&a);
    loop_once(loop);
    poke(&a);
    loop_once(loop);
    assert_string_equal(happened, "aa");
    assert_int_equal(loop_io_change(loop, &a.io, EPOLLOUT), 0);
    loop_once(loop);
    assert_true(a.seen & EPOLLOUT);
    loop_io_remove(loop, &a.io);
    assert_int_equal(a.io.fd, -1);
    loop_io_remove(loop, &a.io); /* again: nothing */
    close(fd);
    close(a.peer);
    loop_free(loop);
}

static void removal_reaches_events_already_fetched(void **state)
{
    struct loop *loop = new_loop();
    struct end a, b;
    int fd_a = end_init(&a, loop, 'a'), fd_b = end_init(&b, loop, 'b');

    (void)state;
    assert_int_equal(loop_io_add(loop, &a.io, fd_a, EPOLLIN | EPOLLET), 0);
    assert_int_equal(loop_io_add(loop, &b.io, fd_b, EPOLLIN | EPOLLET), 0);
    a.remove = &b; /* whichever comes first takes the other out */
    b.remove = &a;
    poke(&a);
    poke(&b);
    loop_once(loop);
    assert_int_equal(strlen(happened), 1);
    loop_io_remove(loop, happened[0] == 'a' ? &a.io : &b.io);
    close(fd_a);
    close(fd_b);
    close(a.peer);
    close(b.peer);
    loop_free(loop);
}

static void remove_end(void *arg)
{
    struct end *end = arg;

    loop_io_remove(end->loop, &end->io);
}

static void removal_in_the_hook_after_the_wait_does_too(void **state)
{
    struct loop *loop = new_loop();
    struct end a;
    struct loop_hooks hooks = { .after_wait = remove_end, .arg = &a };
    int fd = end_init(&a, loop, 'a');

    (void)state;
    assert_int_equal(loop_io_add(loop, &a.io, fd, EPOLLIN), 0);
    loop_set_hooks(loop, &hooks);
    poke(&a);
    loop_once(loop);
    assert_string_equal(happened, "");
    close(fd);
    close(a.peer);
    loop_free(loop);
}

static void adding_what_cannot_be_watched_fails(void **state)
{
    struct loop *loop = new_loop();
    struct loop_io io = { .fd = -1, .fn = on_end };

    (void)state;
    assert_int_equal(loop_io_add(loop, &io, 100000, EPOLLIN), -EBADF);
    assert_int_equal(io.fd, -1);
    loop_free(loop);
}

/* ---- tasks ---- */

struct job {
    struct loop_task task;
    struct loop *loop;
    char name;
    struct job *next; /* deferred by this one */
    bool on_heap;
};

static void on_job(struct loop_task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);

    note(job->name);
    if (job->next != NULL)
        loop_defer(job->loop, &job->next->task);
    if (job->on_heap)
        mem_free(job);
}

static void job_init(struct job *job, struct loop *loop, char name)
{
    *job = (struct job){ .loop = loop, .name = name };
    loop_task_init(&job->task, on_job);
}

static void tasks_run_once_in_order_at_the_end_of_the_turn(void **state)
{
    struct loop *loop = new_loop();
    struct job a, b;

    (void)state;
    job_init(&a, loop, 'a');
    job_init(&b, loop, 'b');
    loop_defer(loop, &b.task);
    loop_defer(loop, &a.task);
    loop_defer(loop, &b.task);
    assert_string_equal(happened, "");
    loop_once(loop);
    assert_string_equal(happened, "ba");
    loop_wake(loop);
    loop_once(loop);
    assert_string_equal(happened, "ba");
    loop_free(loop);
}

static void a_task_of_a_task_runs_in_the_next_turn_which_does_not_sleep(void **state)
{
    struct loop *loop = new_loop();
    struct job a, b;

    (void)state;
    job_init(&a, loop, 'a');
    job_init(&b, loop, 'b');
    a.next = &b;
    loop_defer(loop, &a.task);
    loop_once(loop);
    assert_string_equal(happened, "a");
    loop_once(loop); /* would hang here */
    assert_string_equal(happened, "ab");
    loop_free(loop);
}

static void a_task_may_free_itself_and_the_loop_runs_the_last_ones(void **state)
{
    struct loop *loop = new_loop();
    struct job *a = mem_alloc(sizeof(*a)), *b = mem_alloc(sizeof(*b));

    (void)state;
    job_init(a, loop, 'a');
    job_init(b, loop, 'b');
    a->on_heap = b->on_heap = true;
    a->next = b;
    loop_defer(loop, &a->task);
    loop_free(loop);
    assert_string_equal(happened, "ab");
}

/* ---- the loop ---- */

static uint64_t before_wait(void *arg)
{
    note('<');
    return *(uint64_t *)arg;
}

static void after_wait(void *arg)
{
    (void)arg;
    note('>');
}

static void the_order_of_a_turn(void **state)
{
    struct loop *loop = new_loop();
    uint64_t limit = UINT64_MAX;
    struct loop_hooks hooks = { before_wait, after_wait, &limit };
    struct end io;
    struct job job;
    struct timer timer;
    int fd = end_init(&io, loop, 'i');

    (void)state;
    timer_init(&timer, loop, 't');
    job_init(&job, loop, 'd');
    assert_int_equal(loop_io_add(loop, &io.io, fd, EPOLLIN), 0);
    loop_timer_set(loop, &timer.timer, 0);
    poke(&io);
    while (clock_mono_ns() <= timer.timer.deadline)
        ;
    loop_set_hooks(loop, &hooks);
    loop_defer(loop, &job.task);
    loop_once(loop);
    assert_string_equal(happened, "t<>id");
    loop_io_remove(loop, &io.io);
    close(fd);
    close(io.peer);
    loop_free(loop);
}

static void the_hook_limits_the_sleep(void **state)
{
    struct loop *loop = new_loop();
    uint64_t limit = 2 * NS_PER_MS, start = clock_mono_ns();
    struct loop_hooks hooks = { before_wait, NULL, &limit };

    (void)state;
    loop_set_hooks(loop, &hooks);
    loop_once(loop); /* would hang here */
    assert_true(clock_mono_ns() - start >= limit);
    limit = 0;
    loop_once(loop);
    loop_free(loop);
}

static void *waker(void *arg)
{
    loop_wake(arg);
    return NULL;
}

/* What the loop's own descriptors get does not end such a sleep, and is found behind it; the next sleep is for all again. */
static uint64_t sleep_for_few(void *arg)
{
    loop_sleep_for_few(arg);
    return 20 * NS_PER_MS;
}

static void a_sleep_for_few(void **state)
{
    struct loop *loop = new_loop();
    struct loop_hooks hooks = { .before_wait = sleep_for_few, .arg = loop };
    uint64_t start = clock_mono_ns();
    int few = eventfd(0, EFD_CLOEXEC);

    (void)state;
    assert_true(loop_few_add(loop, -1) < 0);
    assert_int_equal(loop_few_add(loop, few), 0);
    loop_set_hooks(loop, &hooks);
    loop_wake(loop);
    loop_once(loop);
    assert_true(clock_mono_ns() - start >= 20 * NS_PER_MS);
    assert_int_equal(loop_found(loop), 1);
    assert_int_equal(eventfd_write(few, 1), 0);
    loop_once(loop);
    assert_int_equal(loop_found(loop), 0);
    hooks.before_wait = NULL;
    loop_set_hooks(loop, &hooks);
    loop_wake(loop);
    loop_once(loop);
    assert_int_equal(loop_found(loop), 1);
    loop_few_remove(loop, few);
    close(few);
    loop_free(loop);
}

static void another_thread_ends_the_sleep(void **state)
{
    struct loop *loop = new_loop();
    pthread_t thread;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pthread_create(&thread, NULL, waker, loop), 0);
        loop_once(loop); /* would hang here */
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    loop_free(loop);
}

static void on_stop(struct loop_task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);

    note('s');
    loop_stop(job->loop);
}

static void running_ends_with_stop_and_can_begin_again(void **state)
{
    struct loop *loop = new_loop();
    struct job job;

    (void)state;
    job_init(&job, loop, 's');
    loop_task_init(&job.task, on_stop);
    for (int i = 0; i < 2; i++) {
        loop_defer(loop, &job.task);
        loop_run(loop);
    }
    assert_string_equal(happened, "ss");
    loop_stop(loop);
    loop_run(loop); /* stopped before it began */
    loop_free(loop);
}

/* Stops the loop and closes an object, in the close phase of the last turn. */
static void on_stop_and_close(struct loop_task *task)
{
    static struct job object;
    struct job *job = CONTAINER_OF(task, struct job, task);

    loop_stop(job->loop);
    job_init(&object, job->loop, 'f');
    loop_defer(job->loop, &object.task);
}

static void what_is_deferred_in_the_last_turn_still_runs(void **state)
{
    struct loop *loop = new_loop();
    struct job job;

    (void)state;
    job_init(&job, loop, 's');
    loop_task_init(&job.task, on_stop_and_close);
    loop_defer(loop, &job.task);
    loop_run(loop);
    assert_string_equal(happened, "f");
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_never_early),
        cmocka_unit_test(a_stopped_timer_does_not_fire),
        cmocka_unit_test(a_resting_timer_does_not_fire_and_keeps_its_place),
        cmocka_unit_test(setting_again_moves_either_way),
        cmocka_unit_test(zero_is_the_next_turn_and_never_has_no_end),
        cmocka_unit_test(an_old_kernel_gets_milliseconds),
        cmocka_unit_test(ready_descriptors_are_called_until_removed),
        cmocka_unit_test(a_descriptor_is_forgotten_that_is_about_to_be_closed),
        cmocka_unit_test(removal_reaches_events_already_fetched),
        cmocka_unit_test(removal_in_the_hook_after_the_wait_does_too),
        cmocka_unit_test(adding_what_cannot_be_watched_fails),
        cmocka_unit_test(tasks_run_once_in_order_at_the_end_of_the_turn),
        cmocka_unit_test(a_task_of_a_task_runs_in_the_next_turn_which_does_not_sleep),
        cmocka_unit_test(a_task_may_free_itself_and_the_loop_runs_the_last_ones),
        cmocka_unit_test(the_order_of_a_turn),
        cmocka_unit_test(the_hook_limits_the_sleep),
        cmocka_unit_test(a_sleep_for_few),
        cmocka_unit_test(another_thread_ends_the_sleep),
        cmocka_unit_test(running_ends_with_stop_and_can_begin_again),
        cmocka_unit_test(what_is_deferred_in_the_last_turn_still_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
