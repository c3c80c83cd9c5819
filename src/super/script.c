/* Starting a script of ours and reading what it prints. */
#include "super/script.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/proc.h"

static bool script_path(const struct plan *plan, const char *name, char *out, size_t size)
{
    int n;

    if (plan->package == NULL || plan->python == NULL)
        return false;
    n = snprintf(out, size, "%s/quintet/%s.py", plan->package, name);
    return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

bool script_exists(const struct plan *plan, const char *name)
{
    char path[4096];

    return script_path(plan, name, path, sizeof(path));
}

static pid_t spawn(const struct plan *plan, const struct script *script, int out, int err)
{
    char path[4096];
    char *argv[SCRIPT_ARGS_MAX + 3] = { plan->python, path };
    struct proc_fd fds[] = { { out, 1 }, { err, 2 } };
    struct proc_spawn spawn = { .path = plan->python,
                                .argv = argv,
                                .envp = plan->env,
                                .chdir = plan->directory,
                                .fds = fds,
                                .n_fds = ARRAY_LEN(fds),
                                .uid = plan->uid,
                                .gid = plan->gid,
                                .umask = -1,
                                .own_group = true };

    if (!script_path(plan, script->name, path, sizeof(path)))
        return -ENOENT;
    for (size_t i = 0; i < SCRIPT_ARGS_MAX && script->args[i] != NULL; i++)
        argv[i + 2] = (char *)(uintptr_t)script->args[i];
    return proc_spawn(&spawn);
}

int script_cannot_run(const struct plan *plan, int error, struct why *why)
{
    const char *user = plan->conf->user;

    return why_set(why, 1, "cannot run %s%s%s: %s; name another interpreter with --python", plan->python,
                   user != NULL ? " as " : "", user != NULL ? user : "", why_errno(error));
}

pid_t script_start(const struct plan *plan, const struct script *script, int *out, int *err)
{
    int a[2], b[2];
    pid_t pid;

    if (pipe2(a, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(b, O_CLOEXEC) < 0) {
        pid = -errno;
        close(a[0]);
        close(a[1]);
        return pid;
    }
    if (fcntl(a[0], F_SETFL, O_NONBLOCK) < 0 || fcntl(b[0], F_SETFL, O_NONBLOCK) < 0)
        pid = -errno;
    else
        pid = spawn(plan, script, a[1], b[1]);
    close(a[1]);
    close(b[1]);
    if (pid < 0) {
        close(a[0]);
        close(b[0]);
        return pid;
    }
    *out = a[0];
    *err = b[0];
    return pid;
}

bool script_read(int fd, struct buf *to)
{
    for (;;) {
        ssize_t n;

        if (buf_reserve(to, 4096) != 0)
            return false;
        n = read(fd, to->data + to->len, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            return false;
        buf_commit(to, (size_t)n);
    }
}

/* False: it takes too long. */
static bool read_both(int fds[2], struct buf *out, struct buf *err)
{
    uint64_t deadline = clock_mono_ns() + SCRIPT_TIMEOUT_NS;

    while (fds[0] >= 0 || fds[1] >= 0) {
        struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
        uint64_t now = clock_mono_ns();

        if (now >= deadline)
            return false;
        if (poll(p, 2, (int)((deadline - now) / NS_PER_MS) + 1) < 0)
            continue;
        for (int i = 0; i < 2; i++) {
            if (fds[i] < 0 || p[i].revents == 0 || script_read(fds[i], i == 0 ? out : err))
                continue;
            close(fds[i]);
            fds[i] = -1;
        }
    }
    return true;
}

int script_wait(const struct plan *plan, const struct script *script, struct buf *out, struct buf *err,
                struct script_result *result)
{
    int fds[2];
    pid_t pid = script_start(plan, script, &fds[0], &fds[1]);

    if (pid < 0)
        return (int)pid;
    result->late = !read_both(fds, out, err);
    if (result->late)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &result->status, 0) < 0 && errno == EINTR)
        ;
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    result->out = buf_str(out);
    result->err = buf_str(err);
    return 0;
}
