/* The lines about a worker, from whatever it has written. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "super/report.h"

#define THREADS 3
#define NOW (1000 * NS_PER_SEC)

static int fd;
static struct recorder *recorder;
static struct report report;

static int setup(void **state)
{
    fd = recorder_make(THREADS);
    assert_int_equal(recorder_attach(fd, THREADS, &recorder), 0);
    report_init(&report, fd, THREADS, NOW);
    return 0;
}

static int teardown(void **state)
{
    report_fini(&report);
    close(fd);
    return 0;
}

static void dumps(const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void what_threads_do(void **state)
{
    recorder_begin(&recorder->seats[0], NOW - 5 * NS_PER_SEC, STR("GET"), STR("/old"), STR("a"));
    recorder_begin(&recorder->seats[0], NOW - 2 * NS_PER_SEC, STR("POST"), STR("/x"), STR("b"));
    recorder_phase(&recorder->seats[0], RECORDER_CALLED);
    recorder_phase(&recorder->seats[1], RECORDER_IDLE);
    recorder_phase(&recorder->seats[2], RECORDER_COLLECTING);
    report_threads(&report);
    report_last(&report);
    assert_string_equal(report_text(&report),
                        "thread 1: POST /x, id b: in the application, 2000 ms after it was taken\n"
                        "thread 3: collecting garbage\n"
                        "1 of 3 threads waiting for a request\n"
                        "last requests before, the newest first:\n"
                        "  thread 1: GET /old, id a: 0 in 3000 ms, ended 2000 ms before");
}

#define DUMP                                                                                                           \
    "Fatal Python error: Aborted\n\n"                                                                                  \
    "Thread 0x00000000000000aa (most recent call first):\n  File \"a.py\", line 1 in a\n\n"                            \
    "Current thread 0x00000000000000bb (most recent call first):\n  File \"b.py\", line 2 in b\n"

static void the_current_thread_comes_first(void **state)
{
    dumps(DUMP);
    assert_true(report_stacks(&report, REPORT_NO_THREAD));
    assert_string_equal(report_text(&report),
                        "Fatal Python error: Aborted\n\n"
                        "Current thread 0x00000000000000bb (most recent call first):\n  File \"b.py\", line 2 in b\n"
                        "Thread 0x00000000000000aa (most recent call first):\n  File \"a.py\", line 1 in a");
}

static void or_the_one_that_is_asked_for(void **state)
{
    recorder->seats[1].self = 0xaa;
    recorder_begin(&recorder->seats[1], NOW, STR("GET"), STR("/slow"), STR("c"));
    recorder_phase(&recorder->seats[1], RECORDER_CALLED);
    dumps(DUMP);
    assert_true(report_stacks(&report, 1));
    assert_non_null(strstr(report_text(&report),
                           "\n\nThread 0x00000000000000aa (most recent call first): thread 2, GET "
                           "/slow\n  File \"a.py\", line 1 in a\n"));
}

static void nothing_was_written(void **state)
{
    assert_false(report_stacks(&report, REPORT_NO_THREAD));
    assert_string_equal(report_text(&report), "");
}

static void no_recorder(void **state)
{
    struct recorder_shown r;

    report.recorder = -1;
    report_threads(&report);
    report_last(&report);
    assert_false(report_stacks(&report, 0));
    assert_false(report_request(&report, 0, &r));
    assert_string_equal(report_text(&report), "");
}

/* However much there is, the text is bounded and says that it is cut. */
static void a_long_dump_is_cut(void **state)
{
    for (int i = 0; i < 3000; i++)
        dumps("  File \"/a/long/path/to/some/module.py\", line 1 in f\n");
    assert_true(report_stacks(&report, REPORT_NO_THREAD));
    assert_true(strlen(report_text(&report)) < REPORT_TEXT_MAX + 16);
    assert_string_equal(report_text(&report) + strlen(report_text(&report)) - 4, "\n...");
}

static void headers_that_make_no_sense(void **state)
{
    dumps("Current thread 0x\nThread 0x\nThread 0xzz\nCurrent thread 0xffffffffffffffffffffffffffffffff\nThread 0x1");
    assert_true(report_stacks(&report, 2));
    (void)report_text(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_threads_do, setup, teardown),
        cmocka_unit_test_setup_teardown(the_current_thread_comes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(or_the_one_that_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(no_recorder, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_dump_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(headers_that_make_no_sense, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
