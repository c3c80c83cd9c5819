/* Another process's threads, seen through /proc. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/oom.h"
#include "os/tasks.h"

static pid_t child;

static int start(void **state)
{
    child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    return 0;
}

static int end(void **state)
{
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

static void a_stopped_process(void **state)
{
    char first[64];
    struct buf out;
    int status;

    kill(child, SIGSTOP);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    buf_init(&out, 4096);
    tasks_describe(child, &out);
    assert_int_equal(buf_add_char(&out, '\0'), 0);
    (void)snprintf(first, sizeof(first), "thread %d (test_os_tasks): T (stopped)", (int)child);
    assert_memory_equal(out.data, first, strlen(first));
    assert_int_equal(out.data[out.len - 2], '\n');
    buf_fini(&out);
}

static void too_much_for_the_buffer(void **state)
{
    struct buf out;

    buf_init(&out, 10);
    tasks_describe(child, &out);
    assert_true(out.len <= 10);
    buf_fini(&out);
}

static void a_process_that_is_gone(void **state)
{
    struct buf out;

    buf_init(&out, 4096);
    tasks_describe(0x3fffffff, &out);
    assert_int_equal(out.len, 0);
    assert_false(tasks_catches(0x3fffffff, SIGTERM));
    buf_fini(&out);
}

static void handle(int signo)
{
}

static void what_is_caught(void **state)
{
    struct sigaction action = { .sa_handler = handle };

    assert_false(tasks_catches(getpid(), 48));
    assert_int_equal(sigaction(48, &action, NULL), 0);
    assert_true(tasks_catches(getpid(), 48));
    assert_false(tasks_catches(getpid(), 47));
    assert_false(tasks_catches(getpid(), 49));
}

static void kills_do_not_fall(void **state)
{
    uint64_t before = oom_kills();

    assert_true(oom_kills() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stopped_process, start, end),
        cmocka_unit_test_setup_teardown(too_much_for_the_buffer, start, end),
        cmocka_unit_test(a_process_that_is_gone),
        cmocka_unit_test(what_is_caught),
        cmocka_unit_test(kills_do_not_fall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
