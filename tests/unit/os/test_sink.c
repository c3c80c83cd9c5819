/* The sink: whole lines in order, never blocking, drops counted and told, reopening, an end in bounded time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/sink.h"

#define LONG (60 * NS_PER_SEC)
#define PRODUCERS 4
#define LINES 5000

static struct sink *sink_on(int fd)
{
    struct sink *sink;

    assert_int_equal(sink_new(fd, &sink), 0);
    return sink;
}

/* All of a file, NUL-terminated; mem_free. */
static char *contents(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = mem_zalloc((size_t)size + 1);

    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    return text;
}

static void lines_arrive_in_order(void **state)
{
    int fd = memfd_create("log", MFD_CLOEXEC), mine = dup(fd);
    struct sink *sink = sink_on(fd);
    char *text;

    (void)state;
    assert_int_equal(sink_flush(sink, 0), 0); /* nothing to wait for */
    sink_put(sink, STR("one\n"));
    sink_put(sink, STR(""));
    sink_log(sink, STR("two\n"));
    assert_int_equal(sink_flush(sink, LONG), 0);
    text = contents(mine);
    assert_string_equal(text, "one\ntwo\n");
    mem_free(text);
    sink_put(sink, STR("three\n"));
    sink_free(sink); /* flushes */
    text = contents(mine);
    assert_string_equal(text, "one\ntwo\nthree\n");
    mem_free(text);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    close(mine);
    sink_free(NULL);
}

/* Waits until the file is so long. */
static void await_size(int fd, off_t size)
{
    while (lseek(fd, 0, SEEK_END) < size)
        (void)poll(NULL, 0, 1);
}

static void lines_gather_while_the_writer_rests(void **state)
{
    int fd = memfd_create("log", MFD_CLOEXEC), mine = dup(fd);
    struct sink *sink = sink_on(fd);
    char half[1024];
    char *text;

    (void)state;
    sink_gather(sink, LONG);
    sink_put(sink, STR("one\n"));
    await_size(mine, 4); /* at once, as nothing was written before it */
    sink_put(sink, STR("two\n"));
    sink_put(sink, STR("three\n"));
    (void)poll(NULL, 0, 20);
    assert_int_equal(lseek(mine, 0, SEEK_END), 4);
    assert_int_equal(sink_flush(sink, LONG), 0);
    text = contents(mine);
    assert_string_equal(text, "one\ntwo\nthree\n");
    mem_free(text);
    memset(half, 'x', sizeof(half) - 1);
    half[sizeof(half) - 1] = '\n';
    for (size_t i = 0; i < SINK_BYTES / sizeof(half) / 2; i++)
        sink_put(sink, str_make(half, sizeof(half)));
    await_size(mine, 14 + (off_t)SINK_BYTES / 2);
    sink_put(sink, STR("last\n"));
    sink_free(sink); /* flushes */
    assert_int_equal(lseek(mine, 0, SEEK_END), 14 + SINK_BYTES / 2 + 5);
    close(mine);
}

static void a_resting_writer_changes_files(void **state)
{
    int fd = memfd_create("log", MFD_CLOEXEC), mine = dup(fd), next = memfd_create("log", MFD_CLOEXEC),
        after = dup(next);
    struct sink *sink = sink_on(fd);

    (void)state;
    sink_gather(sink, LONG);
    sink_put(sink, STR("one\n"));
    await_size(mine, 4);
    sink_put(sink, STR("two\n"));
    sink_reopen(sink, next);
    await_size(mine, 8);
    sink_put(sink, STR("three\n"));
    sink_free(sink);
    assert_int_equal(lseek(mine, 0, SEEK_END), 8);
    assert_int_equal(lseek(after, 0, SEEK_END), 6);
    close(mine);
    close(after);
}

struct producer {
    pthread_t thread;
    struct sink *sink;
    int number;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    char line[64];

    for (int i = 0; i < LINES; i++) {
        int n = snprintf(line, sizeof(line), "%d %d\n", p->number, i);

        sink_put(p->sink, str_make(line, (size_t)n));
    }
    return NULL;
}

static void threads_keep_their_own_order(void **state)
{
    int fd = memfd_create("log", MFD_CLOEXEC), mine = dup(fd), next[PRODUCERS] = { 0 };
    struct sink *sink = sink_on(fd);
    struct producer producers[PRODUCERS];
    char *text, *line, *rest;

    (void)state;
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){ .sink = sink, .number = i };
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
    assert_int_equal(sink_flush(sink, LONG), 0);
    assert_int_equal(sink_dropped(sink), 0);
    sink_free(sink);
    rest = text = contents(mine);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *end;
        long who = strtol(line, &end, 10), number = strtol(end, &end, 10);

        assert_true(*end == '\0' && who >= 0 && who < PRODUCERS);
        assert_int_equal(number, next[who]);
        next[who]++;
    }
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(next[i], LINES);
    mem_free(text);
    close(mine);
}

/* Reads until the pipe ends or `until` was seen; what was read, NUL-terminated; mem_free. */
static char *drain(int fd, const char *until)
{
    size_t size = 4 * SINK_BYTES, n = 0;
    char *text = mem_zalloc(size + 1);
    ssize_t got = 1;

    while (got > 0 && memmem(text, n, until, strlen(until)) == NULL) {
        got = read(fd, text + n, size - n);
        n += got > 0 ? (size_t)got : 0;
    }
    return text;
}

#define MANY (4 * (int)SINK_BYTES / 1024)

/* Line `number`, 1024 bytes with its newline; beginning with `first`, so that it may look like JSON. */
static void put_numbered(struct sink *sink, const char *first, int number)
{
    char line[1024];
    int n = snprintf(line, sizeof(line), "%s%d ", first, number);

    memset(line + n, 'x', sizeof(line) - (size_t)n);
    line[sizeof(line) - 1] = '\n';
    sink_put(sink, str_make(line, sizeof(line)));
}

/* Puts more than the sink and the pipe hold; nobody reads. Returns how many lines were dropped. */
static uint64_t overfill(struct sink *sink, const char *first)
{
    uint64_t start = clock_mono_ns();

    for (int i = 0; i < MANY; i++)
        put_numbered(sink, first, i);
    assert_true(clock_mono_ns() - start < 10 * NS_PER_SEC); /* a put that waits for the pipe waits for ever */
    return sink_dropped(sink);
}

/* Reads until the sink has written all and the pipe is empty. */
static size_t drain_all(int fd, struct sink *sink, char *text, size_t size)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    size_t n = 0;

    while (poll(&p, 1, 1) > 0 || sink_flush(sink, 0) < 0 || poll(&p, 1, 0) > 0) {
        ssize_t got = p.revents != 0 ? read(fd, text + n, size - n) : 0;

        assert_true(got >= 0);
        n += (size_t)got;
    }
    return n;
}

/* Every line is there in its place, or told of in the place where it is missing. */
static void check_drops(const char *first, const char *before, const char *behind)
{
    char *text = mem_zalloc(8 * SINK_BYTES), *rest = text, *line;
    uint64_t dropped, told = 0;
    struct sink *sink;
    int fds[2];
    long next = 0;
    size_t n;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    sink = sink_on(fds[1]);
    dropped = overfill(sink, first);
    assert_true(dropped > 0);
    assert_int_equal(sink_flush(sink, NS_PER_MS), -ETIMEDOUT);
    n = drain_all(fds[0], sink, text, 4 * SINK_BYTES);
    put_numbered(sink, first, MANY); /* brings the report of a last gap along */
    drain_all(fds[0], sink, text + n, 4 * SINK_BYTES);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *at = strstr(line, before);

        if (at == NULL) {
            assert_int_equal(strlen(line), 1023);
            assert_int_equal(strtol(line + strlen(first), NULL, 10), next);
            next++;
            continue;
        }
        told = strtoull(at + strlen(before), &at, 10);
        assert_int_equal(strncmp(at, " lines dropped", 14), 0);
        assert_string_equal(at + 14, behind);
        assert_true(told > 0);
        next += (long)told;
    }
    assert_int_equal(next, MANY + 1);
    assert_true(told > 0);
    assert_int_equal(sink_dropped(sink), dropped);
    mem_free(text);
    close(fds[0]);
    sink_free(sink);
}

static void a_full_pipe_drops_and_tells(void **state)
{
    (void)state;
    check_drops("text", "Z warning: ", "");
}

static void json_drops_are_told_in_json(void **state)
{
    (void)state;
    check_drops("{", "\"message\":\"", "\"}");
}

static void a_pipe_that_never_drains_holds_nobody_for_long(void **state)
{
    int fds[2];
    struct sink *sink;
    uint64_t start;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    sink = sink_on(fds[1]);
    overfill(sink, "text");
    start = clock_mono_ns();
    sink_free(sink);
    assert_true(clock_mono_ns() - start >= NS_PER_SEC);
    assert_true(clock_mono_ns() - start < 5 * NS_PER_SEC);
    assert_int_equal(fcntl(fds[1], F_GETFD), -1);
    close(fds[0]);
}

static void a_nonblocking_pipe_is_waited_for(void **state)
{
    int fds[2];
    struct sink *sink;
    char *text;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
    sink = sink_on(fds[1]);
    for (int i = 0; i < 3000; i++) /* more than a pipe holds */
        sink_put(sink, STR("a line of 64 bytes, which is not long but longer than it was..\n"));
    sink_put(sink, STR("last\n"));
    text = drain(fds[0], "last\n");
    assert_int_equal(strlen(text), 3000 * 63 + 5);
    assert_int_equal(sink_dropped(sink), 0);
    mem_free(text);
    close(fds[0]);
    sink_free(sink);
}

static void lines_after_reopen_go_to_the_new_file(void **state)
{
    int fd1 = memfd_create("1", MFD_CLOEXEC), mine1 = dup(fd1);
    int fd2 = memfd_create("2", MFD_CLOEXEC), mine2 = dup(fd2);
    struct sink *sink = sink_on(fd1);
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sink_put(sink, STR("old\n"));
    sink_reopen(sink, fd2);
    sink_put(sink, STR("new\n"));
    assert_int_equal(sink_flush(sink, LONG), 0);
    text = contents(mine1);
    assert_int_equal(strlen(text), 4000);
    assert_null(strstr(text, "new"));
    mem_free(text);
    text = contents(mine2);
    assert_string_equal(text, "new\n");
    mem_free(text);
    assert_int_equal(fcntl(fd1, F_GETFD), -1);
    sink_free(sink);
    assert_int_equal(fcntl(fd2, F_GETFD), -1);
    close(mine1);
    close(mine2);
}

static void what_cannot_be_written_is_counted(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), fd, mine;
    struct sink *sink;
    char *text;

    (void)state;
    if (full < 0)
        skip();
    sink = sink_on(full);
    sink_put(sink, STR("a\n"));
    assert_int_equal(sink_flush(sink, LONG), 0);
    assert_int_equal(sink_dropped(sink), 1);
    fd = memfd_create("log", MFD_CLOEXEC);
    mine = dup(fd);
    sink_reopen(sink, fd);
    assert_int_equal(sink_flush(sink, LONG), 0);
    sink_put(sink, STR("b\n"));
    sink_free(sink);
    text = contents(mine);
    assert_non_null(strstr(text, " warning: 1 lines dropped\n"));
    assert_true(str_ends(str_of(text), STR("\nb\n")));
    mem_free(text);
    close(mine);
}

/* The limit on a file's size plays the full disk: room for the last line in part. */
static void a_line_torn_by_a_full_disk(void **state)
{
    enum { N = 50, LENGTH = 64, ROOM = 1000 };
    struct rlimit before, small;
    char path[] = "/tmp/quintet-sink-XXXXXX", text[8192] = "", line[LENGTH + 1], *report;
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    struct sink *sink;

    (void)state;
    assert_true(fd >= 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ ROOM, before.rlim_max };
    assert_int_equal(sink_new(dup(fd), &sink), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    memset(line, 'x', LENGTH);
    line[LENGTH - 1] = '\n';
    for (int i = 0; i < N; i++) {
        sink_put(sink, str_make(line, LENGTH));
        if (i % 10 == 9) /* several attempts: what they lose adds up, and none of them tells of it */
            assert_int_equal(sink_flush(sink, 20 * NS_PER_SEC), 0);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sink_dropped(sink), N - ROOM / LENGTH);
    sink_put(sink, str_make(line, LENGTH));
    sink_free(sink);
    assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
    report = text + ROOM + 1;
    assert_int_equal(report[-1], '\n');
    assert_non_null(strstr(report, " warning: 35 lines dropped\n"));
    assert_string_equal(strchr(report, '\n') + 1, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_arrive_in_order),
        cmocka_unit_test(lines_gather_while_the_writer_rests),
        cmocka_unit_test(a_resting_writer_changes_files),
        cmocka_unit_test(threads_keep_their_own_order),
        cmocka_unit_test(a_full_pipe_drops_and_tells),
        cmocka_unit_test(json_drops_are_told_in_json),
        cmocka_unit_test(a_pipe_that_never_drains_holds_nobody_for_long),
        cmocka_unit_test(a_nonblocking_pipe_is_waited_for),
        cmocka_unit_test(lines_after_reopen_go_to_the_new_file),
        cmocka_unit_test(what_cannot_be_written_is_counted),
        cmocka_unit_test(a_line_torn_by_a_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
