/* The file cache: what changes, disappears or is no file, below a root that nothing leaves. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/file_cache.h"
#include "http/mime.h"
#include "os/proc.h"
#include "pack/types.h"
#include "rig.h"

static const char *full(const struct rig *rig, const char *path)
{
    static char text[256];

    (void)snprintf(text, sizeof(text), "%s/static/%s", rig->dir, path);
    return text;
}

static int get(struct rig *rig, const char *path, struct file_entry **out)
{
    return file_cache_get(rig->lane->files, &rig->edge.snapshot->roots[0], str_of(path), out);
}

static void expect_content(struct rig *rig, const char *path, const char *content)
{
    struct file_entry *e;

    assert_int_equal(get(rig, path, &e), 0);
    assert_int_equal(e->size, strlen(content));
    assert_memory_equal(e->content, content, strlen(content));
    file_cache_put(rig->lane->files, e);
}

static void expect_error(struct rig *rig, const char *path, int error)
{
    struct file_entry *e;

    assert_int_equal(get(rig, path, &e), error);
}

/* The second in which an entry is believed has passed. */
static void grow_old(struct rig *rig, const char *path)
{
    struct file_entry *e;

    assert_int_equal(get(rig, path, &e), 0);
    e->checked_ns = 0;
    file_cache_put(rig->lane->files, e);
}

static void believes_for_a_second_and_looks_again(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a", "one");
    expect_content(&rig, "a", "one");
    rig_file(&rig, "static/b", "second");
    assert_int_equal(rename(full(&rig, "b"), "/dev/null/x"), -1);
    {
        char from[256];

        (void)snprintf(from, sizeof(from), "%s", full(&rig, "b"));
        assert_int_equal(rename(from, full(&rig, "a")), 0);
    }
    expect_content(&rig, "a", "one");
    grow_old(&rig, "a");
    expect_content(&rig, "a", "second");
    grow_old(&rig, "a");
    expect_content(&rig, "a", "second"); /* the same again */
    grow_old(&rig, "a");
    assert_int_equal(unlink(full(&rig, "a")), 0);
    expect_error(&rig, "a", -ENOENT);
    rig_file(&rig, "static/a", "third");
    expect_content(&rig, "a", "third");
    rig_fini(&rig);
}

static void one_in_use_outlives_its_replacement(void **state)
{
    struct file_entry *e;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a", "one");
    assert_int_equal(get(&rig, "a", &e), 0);
    e->checked_ns = 0;
    rig_file(&rig, "static/a", "other"); /* in place */
    expect_content(&rig, "a", "other");
    assert_memory_equal(e->content, "one", 3);
    file_cache_clear(rig.lane->files);
    assert_memory_equal(e->content, "one", 3);
    file_cache_put(rig.lane->files, e);
    rig_fini(&rig);
}

static void what_is_no_file(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct rig rig;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    rig_init(&rig, NULL, NULL);
    assert_int_equal(mkdir(full(&rig, "dir"), 0755), 0);
    assert_int_equal(mkfifo(full(&rig, "fifo"), 0644), 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", full(&rig, "socket"));
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
    rig_file(&rig, "static/dir/a", "a");
    rig_file(&rig, "static/empty", "");
    assert_int_equal(symlink("loop", full(&rig, "loop")), 0);
    assert_int_equal(symlink("/etc/passwd", full(&rig, "out")), 0);
    assert_int_equal(symlink("../../../../../../../../etc/passwd", full(&rig, "up")), 0);
    assert_int_equal(symlink("dir/a", full(&rig, "in")), 0);
    assert_int_equal(symlink("/proc/self/root", full(&rig, "magic")), 0);
    expect_error(&rig, "dir", -EISDIR);
    expect_error(&rig, "dir/", -EISDIR);
    expect_error(&rig, "dir/a/", -ENOENT);
    expect_error(&rig, "dir/a/b", -ENOENT);
    expect_error(&rig, "fifo", -ENOENT);
    expect_error(&rig, "socket", -ENOENT);
    expect_error(&rig, "loop", -ELOOP);
    expect_error(&rig, "out", -EXDEV);
    expect_error(&rig, "up", -EXDEV);
    expect_error(&rig, "magic/etc/passwd", -EXDEV);
    expect_error(&rig, "/etc/passwd", -EXDEV);
    expect_content(&rig, "in", "a");
    expect_content(&rig, "empty", "");
    close(s);
    rig_fini(&rig);
}

static void a_name_that_is_too_long_is_not_there(void **state)
{
    char *name = mem_alloc(5001);
    struct rig rig;

    (void)state;
    memset(name, 'x', 5000);
    name[5000] = '\0';
    rig_init(&rig, NULL, NULL);
    expect_error(&rig, name, -ENOENT);
    name[300] = '\0';
    expect_error(&rig, name, -ENOENT);
    mem_free(name);
    rig_fini(&rig);
}

/* More files than it keeps: the oldest go, none leaks, small ones need no descriptor. */
static void keeps_so_many_and_no_more(void **state)
{
    struct file_entry *first;
    struct rig rig;
    size_t fds;

    (void)state;
    rig_init(&rig, NULL, NULL);
    fds = proc_count_fds();
    for (int i = 0; i < FILE_CACHE_ENTRIES + 50; i++) {
        char name[32], path[64];

        (void)snprintf(name, sizeof(name), "f%d", i);
        (void)snprintf(path, sizeof(path), "static/f%d", i);
        rig_file(&rig, path, name);
        if (i == 0)
            assert_int_equal(get(&rig, name, &first), 0);
        expect_content(&rig, name, name);
    }
    assert_int_equal(proc_count_fds(), fds);
    assert_memory_equal(first->content, "f0", 2);
    assert_false(first->cached);
    file_cache_put(rig.lane->files, first);
    rig_fini(&rig);
}

/* Large files hold a descriptor each: when there are no more, the cache gives them back first. */
static void gives_descriptors_back_when_there_are_none(void **state)
{
    struct rlimit limit, few;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    for (int i = 0; i < 100; i++) {
        char path[64];

        (void)snprintf(path, sizeof(path), "static/big%d", i);
        rig_file(&rig, path, "");
        (void)snprintf(path, sizeof(path), "big%d", i);
        assert_int_equal(truncate(full(&rig, path), FILE_CACHE_CONTENT + 1), 0);
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = 60;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < 100; i++) {
        struct file_entry *e;
        char name[32];

        (void)snprintf(name, sizeof(name), "big%d", i);
        assert_int_equal(get(&rig, name, &e), 0);
        assert_true(e->fd >= 0);
        file_cache_put(rig.lane->files, e);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    rig_fini(&rig);
}

/* A request that began before a reload must not fill the cache for those after it. */
static void roots_of_two_snapshots_are_kept_apart(void **state)
{
    struct root other;
    struct file_entry *e;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a", "static");
    rig_file(&rig, "media/a", "media");
    other = rig.edge.snapshot->roots[1];
    assert_int_equal(file_cache_get(rig.lane->files, &other, STR("a"), &e), 0);
    assert_memory_equal(e->content, "media", 5);
    file_cache_put(rig.lane->files, e);
    expect_content(&rig, "a", "static");
    rig_fini(&rig);
}

static struct file_entry *sibling(struct rig *rig, struct file_entry *e, enum coding coding)
{
    return file_cache_sibling(rig->lane->files, &rig->edge.snapshot->roots[0], STR("a.css"), e, coding);
}

static void set_mtime(struct rig *rig, const char *path, time_t at)
{
    const struct timespec times[2] = { { at, 0 }, { at, 0 } };

    assert_int_equal(utimensat(AT_FDCWD, full(rig, path), times, 0), 0);
}

static void finds_precompressed_siblings(void **state)
{
    struct file_entry *e, *s;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a.css", "a{}");
    rig_file(&rig, "static/a.css.br", "brotli");
    rig_file(&rig, "static/a.css.zst", "zstd");
    set_mtime(&rig, "a.css", 1000);
    set_mtime(&rig, "a.css.br", 1000);
    set_mtime(&rig, "a.css.zst", 999);
    assert_int_equal(get(&rig, "a.css", &e), 0);
    s = sibling(&rig, e, CODING_BR);
    assert_non_null(s);
    assert_memory_equal(s->content, "brotli", 6);
    file_cache_put(rig.lane->files, s);
    assert_null(sibling(&rig, e, CODING_ZSTD)); /* older than the file */
    assert_null(sibling(&rig, e, CODING_GZIP));
    file_cache_put(rig.lane->files, e);
    rig_fini(&rig);
}

/* What is not there is believed for a second, as what is there. */
static void a_missing_sibling_is_looked_for_once_a_second(void **state)
{
    struct file_entry *e, *s;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a.css", "a{}");
    set_mtime(&rig, "a.css", 1000);
    assert_int_equal(get(&rig, "a.css", &e), 0);
    assert_null(sibling(&rig, e, CODING_GZIP));
    rig_file(&rig, "static/a.css.gz", "gzip");
    assert_null(sibling(&rig, e, CODING_GZIP));
    assert_null(sibling(&rig, e, CODING_GZIP));
    e->missed_ns[CODING_GZIP] = 1; /* the second has passed */
    s = sibling(&rig, e, CODING_GZIP);
    assert_non_null(s);
    file_cache_put(rig.lane->files, s);
    file_cache_put(rig.lane->files, e);
    rig_fini(&rig);
}

/* The table of types that the edge goes by, and the table of names that `quintet compress` goes by. */
static void names_and_types_agree_on_what_compresses(void **state)
{
    (void)state;
    for (size_t i = 0; mime_at(i) != NULL; i++) {
        char name[32];
        int n = snprintf(name, sizeof(name), "x." STR_FMT, STR_ARG(mime_at(i)->extension));

        if (pack_name_fits(str_make(name, (size_t)n)) != pack_type_fits(mime_at(i)->type))
            fail_msg("%s: " STR_FMT, name, STR_ARG(mime_at(i)->type));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(believes_for_a_second_and_looks_again),
        cmocka_unit_test(one_in_use_outlives_its_replacement),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(names_and_types_agree_on_what_compresses),
        cmocka_unit_test(finds_precompressed_siblings),
        cmocka_unit_test(a_missing_sibling_is_looked_for_once_a_second),
        cmocka_unit_test(a_name_that_is_too_long_is_not_there),
        cmocka_unit_test(keeps_so_many_and_no_more),
        cmocka_unit_test(gives_descriptors_back_when_there_are_none),
        cmocka_unit_test(roots_of_two_snapshots_are_kept_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
