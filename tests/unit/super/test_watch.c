/* Watching source files: what counts as a change, and what does not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "super/watch.h"

static char directory[] = "/tmp/quintet-watch-XXXXXX";
static struct loop *loop;
static struct watch watch;
static int changes;

static void changed(void *arg)
{
    changes++;
}

static int setup(void **state)
{
    memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
    if (mkdtemp(directory) == NULL || chdir(directory) < 0 || mkdir("sub", 0700) < 0 || mkdir(".hidden", 0700) < 0)
        return -1;
    changes = 0;
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(watch_init(&watch, loop, directory, changed, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = { "a.py",         "b.txt",   "sub/c.py", "sub/new/d.py",
                                         ".hidden/e.py", "sub/new", "sub",      ".hidden" };

    watch_fini(&watch);
    watch_fini(&watch);
    loop_free(loop);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)remove(names[i]);
    (void)chdir("/");
    return rmdir(directory);
}

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void until_change(int n)
{
    while (changes < n)
        loop_once(loop);
    assert_int_equal(changes, n);
}

static void test_changes(void **state)
{
    put("a.py");
    put("sub/c.py");
    until_change(1); /* both in one */
    assert_int_equal(rename("a.py", "sub/c.py"), 0);
    until_change(2);
    assert_int_equal(unlink("sub/c.py"), 0);
    until_change(3);
}

static void test_new_directory(void **state)
{
    assert_int_equal(mkdir("sub/new", 0700), 0);
    until_change(1);
    put("sub/new/d.py");
    until_change(2);
}

/* The change that ends the wait is the first one: whatever came before it was none. */
static void test_no_changes(void **state)
{
    put("b.txt");
    put(".hidden/e.py");
    loop_once(loop);
    assert_false(loop_timer_armed(&watch.timer));
    assert_int_equal(watch.n_directories, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_changes, setup, teardown),
    };

    (void)alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
