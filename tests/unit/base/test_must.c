/* A failed must() says where, on stderr, and ends the process by SIGABRT. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"

/* Runs fn in a child; its stderr in `out`, its wait status returned. */
static int in_child(void (*fn)(void), char *out, size_t size)
{
    int fds[2], status;
    size_t got = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = { 0, 0 };

        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], 2);
        fn();
        _exit(0);
    }
    close(fds[1]);
    while (got < size - 1 && (n = read(fds[0], out + got, size - 1 - got)) > 0)
        got += (size_t)n;
    out[got] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void holds(void)
{
    must(1 + 1 == 2);
}

static void fails(void)
{
    must(1 + 1 == 3);
}

static void reaches(void)
{
    must_not_reach();
}

static void a_true_condition_costs_nothing(void **state)
{
    char out[512];

    (void)state;
    assert_int_equal(in_child(holds, out, sizeof(out)), 0);
    assert_string_equal(out, "");
}

static void a_false_condition_aborts_and_says_where(void **state)
{
    char out[512];
    int status = in_child(fails, out, sizeof(out));

    (void)state;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(out, "panic: 1 + 1 == 3 at "));
    assert_non_null(strstr(out, "test_must.c:"));
    assert_non_null(strstr(out, " in fails\n"));
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void unreachable_aborts(void **state)
{
    char out[512];
    int status = in_child(reaches, out, sizeof(out));

    (void)state;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(out, "panic: unreachable"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_condition_costs_nothing),
        cmocka_unit_test(a_false_condition_aborts_and_says_where),
        cmocka_unit_test(unreachable_aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
