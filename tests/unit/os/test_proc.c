/* Starting processes: exactly the descriptors asked for, who they are, how failures are told, dying with the parent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/proc.h"

static char *const env[] = { "PATH=/usr/bin:/bin", NULL };

static struct proc_spawn shell(char *const *argv)
{
    return (struct proc_spawn){
        .path = "/bin/sh", .argv = argv, .envp = env, .uid = PROC_KEEP_ID, .gid = (gid_t)PROC_KEEP_ID, .umask = -1
    };
}

/* Runs it with a pipe as descriptor 1 besides those it has; what it wrote in `out`, its wait status returned. */
static int run(struct proc_spawn spawn, char *out, size_t size)
{
    struct proc_fd fds[16];
    int pipe_fds[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    if (spawn.n_fds > 0)
        memcpy(fds, spawn.fds, spawn.n_fds * sizeof(*fds));
    fds[spawn.n_fds] = (struct proc_fd){ .from = pipe_fds[1], .to = 1 };
    spawn.fds = fds;
    spawn.n_fds++;
    pid = proc_spawn(&spawn);
    if (pid < 0)
        fail_msg("spawn: %s", strerror(-pid));
    close(pipe_fds[1]);
    while (n < size - 1 && (got = read(pipe_fds[0], out + n, size - 1 - n)) > 0)
        n += (size_t)got;
    out[n] = '\0';
    close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_says(struct proc_spawn spawn, const char *want)
{
    char out[4096];

    assert_int_equal(run(spawn, out, sizeof(out)), 0);
    assert_string_equal(out, want);
}

static int file_with(const char *text)
{
    FILE *f = tmpfile();
    int fd = dup(fileno(f));

    fclose(f);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void arguments_and_environment(void **state)
{
    char *const argv[] = { "title", "-c", "echo $0 $1 $PATH $HOME", "zero", "one", NULL };

    (void)state;
    assert_says(shell(argv), "zero one /usr/bin:/bin\n");
}

static void only_the_named_descriptors_are_there(void **state)
{
    char *const argv[] = { "sh", "-c",
                           "i=0; while [ $i -lt 80 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; "
                           "readlink /proc/$$/fd/0",
                           NULL };
    int extra[20];
    struct proc_fd fds[] = { { .to = 7 } };
    struct proc_spawn spawn = shell(argv);
    char out[4096];

    (void)state;
    for (int i = 0; i < 20; i++)
        extra[i] = open("/dev/null", O_RDONLY); /* not CLOEXEC: somebody forgot */
    fds[0].from = extra[10];
    spawn.fds = fds;
    spawn.n_fds = 1;
    assert_int_equal(run(spawn, out, sizeof(out)), 0);
    assert_string_equal(out, "0\n1\n2\n7\n/dev/null\n");
    for (int i = 0; i < 20; i++)
        close(extra[i]);
}

/* A target that is another's source, a cycle, and a source used twice. */
static void numbers_may_collide(void **state)
{
    char *const argv[] = { "sh", "-c", "cat <&5; cat <&6; cat <&7", NULL };
    int a = file_with("a"), b = file_with("b");
    struct proc_spawn spawn = shell(argv);

    (void)state;
    assert_int_equal(dup2(a, 50), 50);
    assert_int_equal(dup2(b, 51), 51);
    assert_int_equal(dup2(50, 5), 5);
    assert_int_equal(dup2(51, 6), 6);
    spawn.fds = (struct proc_fd[]){ { 5, 6 }, { 6, 5 } };
    spawn.n_fds = 2;
    {
        char *const swapped[] = { "sh", "-c", "cat <&5; cat <&6", NULL };

        spawn.argv = swapped;
        assert_says(spawn, "ba");
    }
    lseek(5, 0, SEEK_SET);
    lseek(6, 0, SEEK_SET);
    spawn.argv = argv;
    spawn.fds = (struct proc_fd[]){ { 6, 5 }, { 5, 7 }, { 6, 6 } };
    spawn.n_fds = 3;
    assert_says(spawn, "ba"); /* 6 shares its place with 5: read to the end already */
    close(a);
    close(b);
    for (int fd = 5; fd <= 6; fd++)
        close(fd);
    close(50);
    close(51);
}

static void a_failed_exec_is_an_errno(void **state)
{
    char *const argv[] = { "x", NULL };
    struct proc_spawn spawn = shell(argv);
    size_t fds = proc_count_fds();

    (void)state;
    spawn.path = "/nonexistent/program";
    assert_int_equal(proc_spawn(&spawn), -ENOENT);
    spawn.path = "/etc";
    assert_int_equal(proc_spawn(&spawn), -EACCES);
    spawn = shell(argv);
    spawn.chdir = "/nonexistent";
    assert_int_equal(proc_spawn(&spawn), -ENOENT);
    spawn = shell(argv);
    spawn.fds = (struct proc_fd[]){ { 999, 3 } };
    spawn.n_fds = 1;
    assert_int_equal(proc_spawn(&spawn), -EBADF);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie left */
    assert_int_equal(errno, ECHILD);
    assert_int_equal(proc_count_fds(), fds);
}

static void signals_are_reset(void **state)
{
    /* Signals 32 and 33 are the C library's own: a parent that used its posix_spawn, as make does, left them ignored. */
    char *const argv[] = {
        "sh", "-c", "sed -n '/^Sig[BIC]/{s/\\t0000000[01][08]0000000$/\\t0000000000000000/;p}' /proc/self/status", NULL
    };
    sigset_t set, old;

    (void)state;
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, &old);
    assert_says(shell(argv), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n");
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static void place_umask_group_and_privileges(void **state)
{
    char *const argv[] = { "sh", "-c",
                           "pwd; umask; ps -o pgid= -p $$ | tr -d ' ' | grep -cx $$; "
                           "grep NoNewPrivs /proc/self/status",
                           NULL };
    struct proc_spawn spawn = shell(argv);

    (void)state;
    spawn.chdir = "/usr";
    spawn.umask = 0027;
    spawn.own_group = true;
    spawn.no_new_privs = true;
    assert_says(spawn, "/usr\n0027\n1\nNoNewPrivs:\t1\n");
}

static void it_becomes_somebody_else_wholly(void **state)
{
    char *const argv[] = { "sh", "-c", "id -u; id -ru; id -g; id -G; grep Cap[EP] /proc/self/status", NULL };
    struct proc_spawn spawn = shell(argv);
    gid_t groups[] = { 4, 24 };

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(setgroups(2, groups), 0);
    spawn.uid = 54321; /* nobody has it */
    spawn.gid = 54322;
    assert_says(spawn, "54321\n54321\n54322\n54322\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n");
    assert_int_equal(proc_find_user("nobody", &spawn.uid, &spawn.gid), 0);
    assert_says(spawn, "65534\n65534\n65534\n65534\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n");
    assert_int_equal(setgroups(0, NULL), 0);
}

/* A parent (a child of ours) that spawns a sleeper and dies: the pipe the sleeper holds must end. */
static void it_dies_with_its_parent(void **state)
{
    bool other_user[] = { false, true };

    (void)state;
    for (int i = 0; i < (geteuid() == 0 ? 2 : 1); i++) {
        int fds[2];
        struct pollfd p;
        pid_t parent;

        assert_int_equal(pipe(fds), 0);
        parent = fork();
        if (parent == 0) {
            char *const argv[] = { "sh", "-c", "exec sleep 1000", NULL };
            struct proc_spawn spawn = shell(argv);

            spawn.fds = (struct proc_fd[]){ { fds[1], 3 } };
            spawn.n_fds = 1;
            if (other_user[i])
                spawn.uid = 54321;
            _exit(proc_spawn(&spawn) > 0 ? 0 : 1);
        }
        close(fds[1]);
        p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
        assert_int_equal(poll(&p, 1, 30000), 1);
        assert_true(p.revents & POLLHUP);
        close(fds[0]);
        {
            int status;

            assert_int_equal(waitpid(parent, &status, 0), parent);
            assert_int_equal(status, 0);
        }
    }
}

static void users(void **state)
{
    uid_t uid;
    gid_t gid;

    (void)state;
    assert_int_equal(proc_find_user("root", &uid, &gid), 0);
    assert_true(uid == 0 && gid == 0);
    assert_int_equal(proc_find_user("0", &uid, &gid), 0);
    assert_true(uid == 0 && gid == 0);
    assert_int_equal(proc_find_user("root:daemon", &uid, &gid), 0);
    assert_true(uid == 0 && gid == 1);
    assert_int_equal(proc_find_user("54321:54322", &uid, &gid), 0);
    assert_true(uid == 54321 && gid == 54322);
    assert_int_equal(proc_find_user("54321", &uid, &gid), 0);
    assert_true(uid == 54321 && gid == 54321);
    assert_int_equal(proc_find_user("no-such-user", &uid, &gid), -ENOENT);
    assert_int_equal(proc_find_user("root:no-such-group", &uid, &gid), -ENOENT);
    assert_int_equal(proc_find_user("root:", &uid, &gid), -ENOENT);
    assert_int_equal(proc_find_user("", &uid, &gid), -ENOENT);
    assert_int_equal(proc_find_user("-1", &uid, &gid), -ENOENT);
    assert_int_equal(proc_find_user("4294967295", &uid, &gid), -ENOENT); /* would mean "stay" */
}

static size_t read_cmdline(char *out, size_t size)
{
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t n = read(fd, out, size - 1);

    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static bool environment_is_whole(void)
{
    const char *path = getenv("PATH");

    return path != NULL && path[0] != 'y';
}

/* In a child: the title is not taken back. */
static void titles_fit(void **state)
{
    char before[4096], after[4096];
    pid_t pid;
    int status;

    (void)state;
    pid = fork();
    if (pid == 0) {
        size_t room = read_cmdline(before, sizeof(before)), n;
        char longest[8192];

        memset(longest, 'y', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        proc_set_title("quintet");
        n = read_cmdline(after, sizeof(after));
        if (strcmp(after, "quintet") != 0 || n != room)
            _exit(1);
        proc_set_title(longest);
        n = read_cmdline(after, sizeof(after));
        if (n != room || strspn(after, "y") != room - 1 || !environment_is_whole())
            _exit(2);
        proc_move_environment();
        longest[room + 10] = '\0';
        proc_set_title(longest);
        (void)read_cmdline(after, sizeof(after));
        if (strcmp(after, longest) != 0 || !environment_is_whole())
            _exit(3);
        proc_set_title("quintet"); /* a shorter one after a longer one */
        n = read_cmdline(after, sizeof(after));
        _exit(strcmp(after, "quintet") == 0 && n == room ? 0 : 4);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void facts(void **state)
{
    char path[4096], tiny[4];
    size_t fds = proc_count_fds();
    int fd = open("/dev/null", O_RDONLY);

    (void)state;
    assert_int_equal(proc_count_fds(), fds + 1);
    close(fd);
    assert_int_equal(proc_count_fds(), fds);
    assert_true(proc_cores() >= 1 && (long)proc_cores() <= sysconf(_SC_NPROCESSORS_CONF));
    assert_true(proc_rss(getpid()) > 100000);
    assert_true(proc_rss(getpid()) % (uint64_t)sysconf(_SC_PAGESIZE) == 0);
    assert_int_equal(proc_rss(0x7ffffff), 0);
    assert_int_equal(proc_self_path(path, sizeof(path)), 0);
    assert_non_null(strstr(path, "test_os_proc"));
    assert_int_equal(proc_self_path(tiny, sizeof(tiny)), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_environment),
        cmocka_unit_test(only_the_named_descriptors_are_there),
        cmocka_unit_test(numbers_may_collide),
        cmocka_unit_test(a_failed_exec_is_an_errno),
        cmocka_unit_test(signals_are_reset),
        cmocka_unit_test(place_umask_group_and_privileges),
        cmocka_unit_test(it_becomes_somebody_else_wholly),
        cmocka_unit_test(it_dies_with_its_parent),
        cmocka_unit_test(users),
        cmocka_unit_test(titles_fit),
        cmocka_unit_test(facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
