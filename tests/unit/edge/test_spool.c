/* Spools: memory, then a file; a full disk loses nothing that was taken before. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/spool.h"
#include "os/proc.h"

static char pattern_at(uint64_t i)
{
    return (char)(i * 31 + i / 256);
}

static void fill(char *p, size_t n, uint64_t from)
{
    for (size_t i = 0; i < n; i++)
        p[i] = pattern_at(from + i);
}

static void check(const struct spool *s)
{
    char *got = mem_alloc(s->size + 1);

    if (s->fd >= 0)
        assert_int_equal(pread(s->fd, got, s->size, 0), s->size);
    else
        memcpy(got, s->memory.data, s->size);
    for (uint64_t i = 0; i < s->size; i++)
        assert_int_equal(got[i], pattern_at(i));
    mem_free(got);
}

static void add(struct spool *s, size_t n, int expected)
{
    char *bytes = mem_alloc(n);
    struct iovec iov[2] = { { bytes, n / 3 }, { bytes + n / 3, n - n / 3 } };
    uint64_t before = s->size;

    fill(bytes, n, s->size);
    assert_int_equal(spool_addv(s, iov, 2), expected);
    assert_int_equal(s->size, expected == 0 ? before + n : before);
    mem_free(bytes);
}

/* More of them at once than there may be threads for that. */
static void a_large_file_is_closed_all_the_same(void **state)
{
    enum { SPOOLS = 8 };
    size_t before = proc_count_fds(), n = 20u << 20;
    struct spool spools[SPOOLS];
    char *bytes = mem_zalloc(n);

    (void)state;
    for (int i = 0; i < SPOOLS; i++) {
        spool_init(&spools[i], 0, UINT64_MAX);
        assert_int_equal(spool_add(&spools[i], bytes, n), 0);
    }
    assert_int_equal(proc_count_fds(), before + SPOOLS);
    for (int i = 0; i < SPOOLS; i++)
        spool_fini(&spools[i]);
    spool_settle();
    assert_int_equal(proc_count_fds(), before);
    mem_free(bytes);
}

static void stays_in_memory_while_it_fits(void **state)
{
    struct spool s;

    (void)state;
    spool_init(&s, 1000, 10000);
    add(&s, 600, 0);
    add(&s, 400, 0);
    assert_int_equal(s.fd, -1);
    check(&s);
    add(&s, 1, 0);
    assert_true(s.fd >= 0);
    check(&s);
    add(&s, 5000, 0);
    check(&s);
    assert_int_equal(spool_left(&s), 6001);
    s.taken = 6000;
    assert_int_equal(spool_left(&s), 1);
    spool_fini(&s);
    spool_fini(&s); /* again is harmless */
}

static void never_grows_past_its_maximum(void **state)
{
    struct spool s;

    (void)state;
    spool_init(&s, 10, 100);
    add(&s, 101, -EMSGSIZE);
    assert_int_equal(s.fd, -1);
    add(&s, 60, 0);
    add(&s, 41, -EMSGSIZE);
    add(&s, 40, 0);
    add(&s, 1, -EMSGSIZE);
    check(&s);
    spool_fini(&s);
    spool_init(&s, 0, 0);
    add(&s, 1, -EMSGSIZE);
    spool_fini(&s);
}

static void is_empty_when_it_is_used_again(void **state)
{
    static const size_t sizes[] = { 100, 10000, 60000, 70000, 200 }; /* kept, kept, too large to keep, a file */
    struct spool s;

    (void)state;
    spool_init(&s, 65536, 100000);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const char *memory = s.memory.data;

        add(&s, sizes[i], 0);
        check(&s);
        if (i == 4)
            assert_null(memory);
        memory = s.memory.data;
        spool_reuse(&s, 65536, 100000);
        assert_int_equal(spool_left(&s), 0);
        assert_int_equal(s.fd, -1);
        assert_ptr_equal(s.memory.data, sizes[i] <= 16384 ? memory : NULL);
    }
    spool_reuse(&s, 65536, 0);
    add(&s, 1, -EMSGSIZE);
    spool_fini(&s);
}

static void nothing_is_an_addition_too(void **state)
{
    struct spool s;

    (void)state;
    spool_init(&s, 10, 100);
    assert_int_equal(spool_add(&s, "", 0), 0);
    assert_int_equal(spool_left(&s), 0);
    spool_fini(&s);
}

/* The largest file we may write stands for a full disk: both give a short write first, then an error. */
static void limit_files(rlim_t most)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most == RLIM_INFINITY ? limit.rlim_max : most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_nothing(void **state)
{
    size_t fds = proc_count_fds();
    struct spool s;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    spool_init(&s, 1000, 100000);
    add(&s, 900, 0);
    limit_files(500);
    add(&s, 200, -EFBIG); /* not even what is in memory fits */
    assert_int_equal(s.fd, -1);
    assert_int_equal(proc_count_fds(), fds);
    check(&s);
    limit_files(2000);
    add(&s, 200, 0);
    add(&s, 5000, -EFBIG); /* a part of it was written */
    check(&s);
    limit_files(RLIM_INFINITY);
    add(&s, 5000, 0);
    check(&s);
    spool_fini(&s);
    assert_int_equal(proc_count_fds(), fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_in_memory_while_it_fits),  cmocka_unit_test(a_large_file_is_closed_all_the_same),
        cmocka_unit_test(never_grows_past_its_maximum),   cmocka_unit_test(nothing_is_an_addition_too),
        cmocka_unit_test(is_empty_when_it_is_used_again), cmocka_unit_test(a_full_disk_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
