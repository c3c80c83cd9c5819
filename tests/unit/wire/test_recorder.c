/* The flight recorder: what was written is read, whatever was written harms nobody. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "wire/recorder.h"

#define THREADS 3

static int fd;
static struct recorder *recorder;
static struct recorder_view *view;

static int setup(void **state)
{
    fd = recorder_make(THREADS);
    assert_true(fd >= 0);
    assert_int_equal(recorder_attach(fd, THREADS, &recorder), 0);
    view = mem_zalloc(sizeof(*view));
    return 0;
}

static int teardown(void **state)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(munmap(recorder, (size_t)st.st_size - RECORDER_STACKS_BYTES), 0);
    close(fd);
    mem_free(view);
    return 0;
}

static void begin(uint32_t thread, const char *target)
{
    recorder_begin(&recorder->seats[thread], 1000, STR("GET"), str_of(target), STR("id-1"));
    recorder_phase(&recorder->seats[thread], RECORDER_CALLED);
}

static void test_empty(void **state)
{
    assert_int_equal(recorder_look(fd, 0, view), 0);
    assert_int_equal(view->phase, RECORDER_NONE);
    assert_int_equal(view->n, 0);
    assert_false(view->busy);
    assert_int_equal(recorder_dumps(fd), 0);
}

static void test_running_and_ended(void **state)
{
    begin(1, "/a?b=c");
    recorder_status(&recorder->seats[1], 404);
    assert_int_equal(recorder_look(fd, 1, view), 0);
    assert_true(view->busy);
    assert_int_equal(view->phase, RECORDER_CALLED);
    assert_string_equal(view->requests[0].method, "GET");
    assert_string_equal(view->requests[0].target, "/a?b=c");
    assert_string_equal(view->requests[0].id, "id-1");
    assert_int_equal(view->requests[0].status, 404);
    assert_int_equal(view->requests[0].start_ns, 1000);
    recorder_rest(&recorder->seats[1]);
    recorder_phase(&recorder->seats[1], RECORDER_IDLE);
    assert_int_equal(recorder_look(fd, 1, view), 0);
    assert_false(view->busy);
    assert_true(view->requests[0].end_ns > clock_mono_ns() - 10 * NS_PER_SEC);
    assert_true(view->requests[0].end_ns <= clock_mono_ns());
}

static void test_the_next_ends_the_last(void **state)
{
    recorder_begin(&recorder->seats[0], 1000, STR("GET"), STR("/1"), STR("1"));
    recorder_begin(&recorder->seats[0], 3000, STR("GET"), STR("/2"), STR("2"));
    recorder_rest(&recorder->seats[0]);
    recorder_rest(&recorder->seats[0]);
    assert_int_equal(recorder_look(fd, 0, view), 0);
    assert_int_equal(recorder_count(fd, 2), 2);
    assert_int_equal(view->requests[1].end_ns, 3000);
    assert_true(view->requests[0].end_ns > 3000);
}

static void test_ring_keeps_the_newest(void **state)
{
    char target[32];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(target, sizeof(target), "/%d", i);
        begin(0, target);
    }
    assert_int_equal(recorder_look(fd, 0, view), 0);
    assert_int_equal(view->n, RECORDER_REQUESTS - 1);
    assert_string_equal(view->requests[0].target, "/99");
    assert_string_equal(view->requests[RECORDER_REQUESTS - 2].target, "/85");
}

static void test_long_texts_are_cut(void **state)
{
    char target[5000];

    memset(target, 'x', sizeof(target));
    recorder_begin(&recorder->seats[0], 1, str_make(target, 5000), str_make(target, 5000), str_make(target, 5000));
    assert_int_equal(recorder_look(fd, 0, view), 0);
    assert_int_equal(strlen(view->requests[0].method), RECORDER_METHOD_MAX);
    assert_int_equal(strlen(view->requests[0].id), RECORDER_ID_MAX);
    assert_int_equal(strlen(view->requests[0].target), RECORDER_TARGET_MAX + 3);
}

/* Every text is terminated, printable, and within its array. */
static void check_harmless(void)
{
    for (uint32_t t = 0; t < THREADS; t++) {
        assert_int_equal(recorder_look(fd, t, view), 0);
        assert_true(view->phase < RECORDER_PHASE_COUNT);
        assert_true(view->n <= RECORDER_REQUESTS - 1);
        for (uint32_t i = 0; i < view->n; i++) {
            const struct recorder_shown *r = &view->requests[i];

            assert_true(strnlen(r->method, sizeof(r->method)) < sizeof(r->method));
            assert_true(strnlen(r->id, sizeof(r->id)) < sizeof(r->id));
            assert_true(strnlen(r->target, sizeof(r->target)) < sizeof(r->target));
            assert_true(r->status <= 999);
            for (const char *p = r->target; *p != '\0'; p++)
                assert_true(*p > ' ' && *p <= '~');
        }
    }
}

static void test_hostile_contents(void **state)
{
    size_t size = THREADS * sizeof(recorder->seats[0]);
    unsigned char *bytes = (unsigned char *)recorder->seats;

    memset(bytes, 0xff, size);
    check_harmless();
    for (uint32_t seed = 1; seed < 50; seed++) {
        uint32_t x = seed;

        for (size_t i = 0; i < size; i++) {
            x = x * 1664525 + 1013904223;
            bytes[i] = (unsigned char)(x >> 24);
        }
        check_harmless();
    }
}

static void test_other_layout(void **state)
{
    recorder->head.layout++;
    assert_int_equal(recorder_look(fd, 0, view), -EPROTO);
}

static void test_size_is_sealed(void **state)
{
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 1 << 24), -1);
    assert_int_equal(recorder_attach(fd, THREADS + 100, &recorder), -EPROTO);
}

static void test_attach_refuses_others(void **state)
{
    int other = memfd_create("other", MFD_CLOEXEC);
    struct recorder *r;

    assert_int_equal(recorder_attach(9999, THREADS, &r), -EBADF);
    assert_int_equal(recorder_attach(other, THREADS, &r), -EPROTO);
    close(other);
}

static void test_stacks(void **state)
{
    char out[64];

    assert_int_equal(recorder_stacks(fd, THREADS, out, sizeof(out)), 0);
    assert_int_equal(write(fd, "Current thread", 14), 14);
    assert_int_equal(recorder_stacks(fd, THREADS, out, sizeof(out)), 14);
    assert_memory_equal(out, "Current thread", 14);
    recorder_rewind(fd, THREADS);
    assert_int_equal(recorder_stacks(fd, THREADS, out, sizeof(out)), 0);
    assert_int_equal(recorder_look(fd, 0, view), 0);
    assert_int_equal(view->n, 0); /* the seats are untouched */
}

static void test_stacks_end_at_the_seal(void **state)
{
    char *out = mem_alloc(1 << 20);
    size_t written = 0;

    memset(out, 'x', 1 << 20);
    for (ssize_t n; (n = write(fd, out, 4000)) > 0;)
        written += (size_t)n;
    assert_true(written <= RECORDER_STACKS_BYTES);
    assert_true(written > RECORDER_STACKS_BYTES / 2);
    assert_int_equal(recorder_stacks(fd, THREADS, out, 1 << 20), written);
    /* A descriptor moved anywhere gives no more than there is. */
    assert_true(lseek(fd, INT64_MAX / 2, SEEK_SET) > 0);
    assert_int_equal(recorder_stacks(fd, THREADS, out, 1 << 20), RECORDER_STACKS_BYTES);
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
    assert_int_equal(recorder_stacks(fd, THREADS, out, 1 << 20), 0);
    mem_free(out);
}

static void test_a_fork_writes_elsewhere(void **state)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        recorder_forget(recorder);
        begin(0, "/child");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(recorder_look(fd, 0, view), 0);
    assert_int_equal(view->n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_running_and_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_next_ends_the_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ring_keeps_the_newest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_texts_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_layout, setup, teardown),
        cmocka_unit_test_setup_teardown(test_size_is_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attach_refuses_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stacks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stacks_end_at_the_seal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_fork_writes_elsewhere, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
