/* From the command line to a plan: environments, interpreters, directories. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "super/plan.h"

static char directory[] = "/tmp/quintet-plan-XXXXXX";
static struct why why;

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int setup(void **state)
{
    (void)snprintf(directory, sizeof(directory), "/tmp/quintet-plan-XXXXXX");
    return mkdtemp(directory) == NULL || chdir(directory) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    static const char *const files[] = { "a.env",           "b.env",       ".venv/bin/python",
                                         "venv/bin/python", "bin/python3", "quintet.yaml" };
    static const char *const directories[] = { ".venv/bin", ".venv", "venv/bin", "venv", "bin", "link", "sub" };

    (void)chdir(directory);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlink(files[i]);
    (void)unlink("link");
    for (size_t i = 0; i < ARRAY_LEN(directories); i++)
        (void)rmdir(directories[i]);
    (void)chdir("/");
    return rmdir(directory);
}

static char **make(char *const *envp, struct conf_list files, struct conf_list pairs)
{
    char **env = NULL;

    assert_int_equal(plan_make_env(envp, &files, &pairs, &env, &why), 0);
    return env;
}

static void test_env_layers(void **state)
{
    char *envp[] = { "A=inherited", "B=inherited", "C=inherited", "D=", NULL };
    char *file_names[] = { "a.env", "b.env" };
    char *pairs[] = { "C=given", "NEW=x=y" };
    char **env;

    put("a.env", "# comment\n\nB=first\n  export E = spaced \nQ=\"quoted # not a comment\"\nS='single'\r\n", 0600);
    put("b.env", "B=second\nLAST=no newline", 0600);
    env = make(envp, (struct conf_list){ file_names, 2 }, (struct conf_list){ pairs, 2 });
    assert_string_equal(plan_getenv(env, "A"), "inherited");
    assert_string_equal(plan_getenv(env, "B"), "second");
    assert_string_equal(plan_getenv(env, "C"), "given");
    assert_string_equal(plan_getenv(env, "D"), "");
    assert_string_equal(plan_getenv(env, "E"), "spaced");
    assert_string_equal(plan_getenv(env, "Q"), "quoted # not a comment");
    assert_string_equal(plan_getenv(env, "S"), "single");
    assert_string_equal(plan_getenv(env, "NEW"), "x=y");
    assert_string_equal(plan_getenv(env, "LAST"), "no newline");
    assert_null(plan_getenv(env, "LAS"));
    plan_env_default(&env, "A", "default");
    plan_env_default(&env, "F", "default");
    assert_string_equal(plan_getenv(env, "A"), "inherited");
    assert_string_equal(plan_getenv(env, "F"), "default");
    plan_free_env(env);
}

static void test_many_variables(void **state)
{
    struct conf_list none = { 0 };
    char *envp[201] = { 0 };
    char **env;

    for (int i = 0; i < 200; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "V%d=%d", i, i);
        envp[i] = mem_strdup(text);
    }
    env = make(envp, none, none);
    assert_string_equal(plan_getenv(env, "V199"), "199");
    assert_null(env[200]);
    plan_free_env(env);
    for (int i = 0; i < 200; i++)
        mem_free(envp[i]);
}

static void env_fails(const char *text, const char *expected)
{
    char *names[] = { "a.env" }, *envp[] = { NULL };
    struct conf_list files = { names, 1 }, none = { 0 };
    char **env = NULL;

    if (text != NULL)
        put("a.env", text, 0600);
    assert_int_not_equal(plan_make_env(envp, &files, &none, &env, &why), 0);
    assert_string_equal(why.text, expected);
}

static void test_env_errors(void **state)
{
    env_fails(NULL, "--env-file: cannot read a.env: no such file or directory");
    env_fails("A=1\nB\n", "a.env:2: expected NAME=VALUE");
    env_fails("=1\n", "a.env:1: expected NAME=VALUE");
    env_fails("1A=1\n", "a.env:1: expected NAME=VALUE");
}

static void finds(const char *wanted, char *const *envp, const char *expected)
{
    char *found = plan_find_python(wanted, envp);
    char path[128];

    if (expected == NULL) {
        assert_null(found);
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", directory, expected);
    assert_non_null(found);
    assert_string_equal(found, path);
    mem_free(found);
}

static void test_python(void **state)
{
    char path[64], venv[64];
    char *envp[] = { path, NULL }, *with_venv[] = { path, venv, NULL };

    (void)snprintf(path, sizeof(path), "PATH=/nowhere::%s/bin", directory);
    (void)snprintf(venv, sizeof(venv), "VIRTUAL_ENV=%s/venv", directory);
    assert_int_equal(mkdir("bin", 0700) | mkdir(".venv", 0700) | mkdir(".venv/bin", 0700) | mkdir("venv", 0700) |
                         mkdir("venv/bin", 0700),
                     0);
    finds(NULL, envp, NULL);
    put("bin/python3", "", 0600);
    finds(NULL, envp, NULL); /* not executable */
    put("bin/python3", "", 0700);
    finds(NULL, envp, "bin/python3");
    put("venv/bin/python", "", 0700);
    finds(NULL, envp, "venv/bin/python");
    put(".venv/bin/python", "", 0700);
    finds(NULL, envp, ".venv/bin/python");
    finds(NULL, with_venv, "venv/bin/python");
    finds("python3", with_venv, "bin/python3");
    finds(".venv/bin/python", with_venv, ".venv/bin/python");
    finds("bin", envp, NULL);
    finds("./bin", envp, NULL); /* a directory */
    finds("python3.99", with_venv, NULL);
}

static int read_plan(struct plan **plan, int argc, char **argv, char **envp)
{
    struct launch launch;
    int r;

    launch_init(&launch, argc, argv, envp);
    r = plan_read(&launch, plan, &why);
    launch_fini(&launch);
    return r;
}

/* A project reached through a link is entered by the link's name each time: the next release is found by the next reload. */
static void test_directory(void **state)
{
    char *argv[] = { "run", "--chdir", "link", "m:app" }, pwd[64];
    char *envp[] = { pwd, NULL };
    struct plan *plan;
    char expected[128];

    (void)snprintf(pwd, sizeof(pwd), "PWD=%s", directory);
    assert_int_equal(mkdir("sub", 0700) | symlink("sub", "link"), 0);
    assert_int_equal(read_plan(&plan, 4, argv, envp), 0);
    (void)snprintf(expected, sizeof(expected), "%s/sub/", directory);
    assert_string_equal(plan->directory, expected);
    assert_int_equal(plan_finish(plan, 0, &why), 0);
    assert_string_equal(plan->app, "m:app");
    plan_free(plan);
    assert_int_equal(chdir(directory), 0);
    argv[2] = "nowhere";
    assert_int_equal(read_plan(&plan, 4, argv, envp), 2);
    assert_string_equal(why.text, "--chdir: cannot enter nowhere: no such file or directory");
}

static uint32_t workers_of(const char *workers, const char *threads, int more)
{
    char *argv[] = { "run", "m", "-w", (char *)workers, "--threads", (char *)threads }, *envp[] = { NULL };
    struct plan *plan;
    uint32_t n;

    assert_int_equal(read_plan(&plan, 6, argv, envp), 0);
    assert_int_equal(plan_finish(plan, more, &why), 0);
    n = plan->workers;
    plan_free(plan);
    return n;
}

static void test_numbers(void **state)
{
    assert_int_equal(workers_of("3", "2", 0), 3);
    assert_int_equal(workers_of("3", "2", 1), 4);
    assert_int_equal(workers_of("3", "2", -5), 1);
    assert_int_equal(workers_of("256", "1", 5), 256);
    assert_int_equal(workers_of("4", "256", 3), 4); /* 1024 seats */
    assert_true(workers_of("0", "1", 0) >= 1);
}

static void test_nothing_to_run(void **state)
{
    char *argv[] = { "run" }, *envp[] = { NULL };
    struct plan *plan;

    assert_int_equal(read_plan(&plan, 1, argv, envp), 0);
    assert_int_equal(plan_finish(plan, 0, &why), 0);
    mem_free(plan->package);
    plan->package = mem_strdup("/");
    assert_int_equal(plan_check(plan, &why), 2);
    assert_non_null(strstr(why.text, "nothing to run"));
    mem_free(plan->package);
    plan->package = NULL; /* what would have found the project */
    assert_int_equal(plan_check(plan, &why), 1);
    assert_non_null(strstr(why.text, "worker.py"));
    mem_free(plan->python);
    plan->python = NULL;
    assert_int_equal(plan_check(plan, &why), 2);
    assert_non_null(strstr(why.text, "no Python found"));
    plan_free(plan);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_env_layers), T(test_many_variables), T(test_env_errors),     T(test_python),
        T(test_directory),  T(test_numbers),        T(test_nothing_to_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
