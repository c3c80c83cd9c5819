/* Printed lines on their way to the log: marks, long lines, control bytes, pipes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "super/output.h"

static struct loop *loop;
static struct buf lines; /* everything logged */
static struct log log_;
static struct output output;
static int writer;

static void take(void *arg, struct str line)
{
    assert_int_equal(buf_add_str(&lines, line), 0);
}

static int setup(void **state)
{
    int p[2];

    assert_int_equal(loop_new(&loop), 0);
    buf_init(&lines, 4u << 20);
    log_ = (struct log){ .level = LOG_INFO, .format = LOG_TEXT, .process = "supervisor", .sink = take };
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    assert_int_equal(output_init(&output, loop, p[0], &log_, "worker 3"), 0);
    writer = p[1];
    return 0;
}

static int teardown(void **state)
{
    output_fini(&output);
    output_fini(&output);
    loop_free(loop);
    if (writer >= 0)
        close(writer);
    buf_fini(&lines);
    return 0;
}

static void print(const char *text)
{
    assert_int_equal(write(writer, text, strlen(text)), (ssize_t)strlen(text));
}

static size_t count(const char *needle)
{
    size_t n = 0;

    assert_int_equal(buf_add_char(&lines, '\0'), 0);
    lines.len--;
    for (const char *p = lines.data; (p = strstr(p, needle)) != NULL; p++)
        n++;
    return n;
}

static void test_lines(void **state)
{
    print("one\ntwo\r\n\nhal");
    loop_once(loop);
    assert_int_equal(count("worker 3: one\n"), 1);
    assert_int_equal(count("worker 3: two\n"), 1);
    assert_int_equal(count("\n"), 2);
    print("f\n");
    loop_once(loop);
    assert_int_equal(count("worker 3: half\n"), 1);
}

static void test_request_mark(void **state)
{
    print("\x1e"
          "abc\x1f"
          "with\nwithout\n"
          "\x1e"
          "no end of mark\n");
    loop_once(loop);
    assert_int_equal(count("with request_id=abc\n"), 1);
    assert_int_equal(count("without\n"), 1);
    assert_int_equal(count("request_id="), 1);
}

static void test_long_line_is_cut_in_pieces(void **state)
{
    static char text[OUTPUT_LINE_MAX * 2 + 1];

    memset(text, 'x', sizeof(text));
    output_feed(&output, STR("\x1e"
                             "id\x1f"));
    output_feed(&output, str_make(text, sizeof(text)));
    output_feed(&output, STR("\nnext\n"));
    assert_int_equal(count("request_id=id"), 3);
    assert_int_equal(count("worker 3: next\n"), 1);
}

/* Nobody can forge a line of ours or the terminal's. */
static void test_control_bytes(void **state)
{
    output_feed(&output, STR("a\x1b[2Jb\0c\n"));
    assert_int_equal(count("\x1b"), 0);
    assert_int_equal(count("\n"), 1);
}

static void test_shown_at_every_level(void **state)
{
    log_.level = LOG_ALERT;
    output_feed(&output, STR("shown\n"));
    assert_int_equal(count(" info worker 3: shown\n"), 1);
}

static void test_drain_of_a_dead_process(void **state)
{
    print("last words without an end");
    output_drain(&output);
    assert_int_equal(count("worker 3: last words without an end\n"), 1);
}

/* The end of the pipe is no event to come back every turn. */
static void test_closed_by_the_process(void **state)
{
    close(writer);
    writer = -1;
    loop_once(loop);
    assert_int_equal(output.io.fd, -1);
    output_drain(&output);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_lines),
        T(test_request_mark),
        T(test_long_line_is_cut_in_pieces),
        T(test_control_bytes),
        T(test_shown_at_every_level),
        T(test_drain_of_a_dead_process),
        T(test_closed_by_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
