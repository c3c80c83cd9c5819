/* The inspection's process, its two pipes and its deadline. */
#include "super/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/proc.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_BOOT 3

static bool script_path(const struct plan *plan, char *out, size_t size)
{
    int n;

    if (plan->package == NULL || plan->python == NULL)
        return false;
    n = snprintf(out, size, "%s/quintet/django_settings.py", plan->package);
    return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

bool inspect_wanted(const struct plan *plan)
{
    char script[4096];

    if (!script_path(plan, script, sizeof(script)))
        return false;
    return access("manage.py", R_OK) == 0 || plan_getenv(plan->env, "DJANGO_SETTINGS_MODULE") != NULL;
}

/* ---- the process ---- */

static int spawn(struct plan *plan, int out, int err)
{
    char script[4096];
    char *argv[] = { plan->python, script, NULL };
    struct proc_fd fds[] = { { out, 1 }, { err, 2 } };
    struct proc_spawn spawn = { .path = plan->python,
                                .argv = argv,
                                .envp = plan->env,
                                .chdir = plan->directory,
                                .fds = fds,
                                .n_fds = ARRAY_LEN(fds),
                                .uid = PROC_KEEP_ID,
                                .gid = (gid_t)PROC_KEEP_ID,
                                .umask = -1,
                                .own_group = true };

    if (!script_path(plan, script, sizeof(script)))
        return -ENOENT;
    return (int)proc_spawn(&spawn);
}

/* Read ends to *out and *err; the pid or -errno. */
static int start(struct plan *plan, int *out, int *err)
{
    int a[2], b[2], r;

    if (pipe2(a, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    if (pipe2(b, O_CLOEXEC | O_NONBLOCK) < 0) {
        r = -errno;
        close(a[0]);
        close(a[1]);
        return r;
    }
    /* O_NONBLOCK belongs to the open file: the child's ends must block. */
    r = fcntl(a[1], F_SETFL, 0) < 0 || fcntl(b[1], F_SETFL, 0) < 0 ? -errno : spawn(plan, a[1], b[1]);
    close(a[1]);
    close(b[1]);
    if (r < 0) {
        close(a[0]);
        close(b[0]);
        return r;
    }
    *out = a[0];
    *err = b[0];
    return r;
}

/* Reads what is there. False: the end, or more than anybody wants. */
static bool read_some(int fd, struct buf *to)
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

/* ---- the answer ---- */

struct outcome {
    int status; /* from waitpid */
    bool late;  /* killed because it took too long */
    struct str out, err;
};

static int result_of(struct plan *plan, const struct outcome *o, struct why *why)
{
    char error[CONF_ERROR_MAX] = "";

    if (o->late)
        return why_set(why, EXIT_BOOT,
                       "the Django settings could not be read within a minute: does their import wait for something?");
    if (WIFSIGNALED(o->status))
        return why_set(why, EXIT_BOOT, "reading the Django settings ended by signal %d", WTERMSIG(o->status));
    if (WEXITSTATUS(o->status) != 0)
        return why_set(why, EXIT_BOOT, STR_FMT, STR_ARG(o->err));
    if (inspect_apply(plan, o->out, error) != 0)
        return why_set(why, EXIT_USAGE, "%s", error);
    return 0;
}

/* ---- by the loop ---- */

static void close_pipe(struct inspect *inspect, struct loop_io *io, int *fd)
{
    if (*fd < 0)
        return;
    loop_io_remove(inspect->loop, io);
    close(*fd);
    *fd = -1;
}

static void fini(struct inspect *inspect)
{
    loop_timer_stop(inspect->loop, &inspect->timer);
    close_pipe(inspect, &inspect->out, &inspect->out_fd);
    close_pipe(inspect, &inspect->err, &inspect->err_fd);
    buf_fini(&inspect->out_text);
    buf_fini(&inspect->err_text);
    inspect->plan = NULL;
}

static void finish_when_all_is_there(struct inspect *inspect)
{
    struct outcome o = { inspect->status, inspect->late, buf_str(&inspect->out_text), buf_str(&inspect->err_text) };
    struct why *why;
    inspect_fn *fn = inspect->fn;
    int result;

    if (inspect->plan == NULL || inspect->pid != 0 || inspect->out_fd >= 0 || inspect->err_fd >= 0)
        return;
    why = mem_zalloc(sizeof(*why));
    result = result_of(inspect->plan, &o, why);
    fini(inspect);
    fn(inspect->arg, result, why);
    mem_free(why);
}

static void on_out(struct loop_io *io, uint32_t events)
{
    struct inspect *inspect = CONTAINER_OF(io, struct inspect, out);

    if (!read_some(inspect->out_fd, &inspect->out_text))
        close_pipe(inspect, io, &inspect->out_fd);
    finish_when_all_is_there(inspect);
}

static void on_err(struct loop_io *io, uint32_t events)
{
    struct inspect *inspect = CONTAINER_OF(io, struct inspect, err);

    if (!read_some(inspect->err_fd, &inspect->err_text))
        close_pipe(inspect, io, &inspect->err_fd);
    finish_when_all_is_there(inspect);
}

/* Whatever keeps the pipes open after the kill is not waited for. */
static void on_timer(struct loop_timer *timer)
{
    struct inspect *inspect = CONTAINER_OF(timer, struct inspect, timer);

    inspect->late = true;
    close_pipe(inspect, &inspect->out, &inspect->out_fd);
    close_pipe(inspect, &inspect->err, &inspect->err_fd);
    if (inspect->pid > 0)
        (void)kill(inspect->pid, SIGKILL);
    finish_when_all_is_there(inspect);
}

void inspect_init(struct inspect *inspect, struct loop *loop)
{
    *inspect = (struct inspect){ .loop = loop, .out_fd = -1, .err_fd = -1 };
    inspect->out = (struct loop_io){ .fd = -1, .fn = on_out };
    inspect->err = (struct loop_io){ .fd = -1, .fn = on_err };
    loop_timer_init(&inspect->timer, on_timer);
}

int inspect_start(struct inspect *inspect, struct plan *plan, inspect_fn *fn, void *arg)
{
    int r = start(plan, &inspect->out_fd, &inspect->err_fd);

    if (r < 0)
        return r;
    inspect->pid = r;
    inspect->plan = plan;
    inspect->fn = fn;
    inspect->arg = arg;
    inspect->late = false;
    buf_init(&inspect->out_text, INSPECT_OUTPUT_MAX);
    buf_init(&inspect->err_text, INSPECT_OUTPUT_MAX);
    r = loop_io_add(inspect->loop, &inspect->out, inspect->out_fd, EPOLLIN);
    if (r == 0)
        r = loop_io_add(inspect->loop, &inspect->err, inspect->err_fd, EPOLLIN);
    if (r != 0) {
        inspect_cancel(inspect);
        return r;
    }
    loop_timer_set(inspect->loop, &inspect->timer, INSPECT_TIMEOUT_NS);
    return 0;
}

void inspect_reaped(struct inspect *inspect, int status)
{
    inspect->pid = 0;
    inspect->status = status;
    finish_when_all_is_there(inspect);
}

void inspect_cancel(struct inspect *inspect)
{
    if (inspect->plan == NULL)
        return;
    if (inspect->pid > 0)
        (void)kill(inspect->pid, SIGKILL);
    inspect->pid = 0;
    fini(inspect);
}

/* ---- waiting ---- */

static bool read_both(int fds[2], struct buf *out, struct buf *err, uint64_t deadline)
{
    while (fds[0] >= 0 || fds[1] >= 0) {
        struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
        uint64_t now = clock_mono_ns();

        if (now >= deadline)
            return false;
        if (poll(p, 2, (int)((deadline - now) / NS_PER_MS) + 1) < 0 && errno != EINTR)
            return false;
        for (int i = 0; i < 2; i++) {
            if (fds[i] < 0 || p[i].revents == 0 || read_some(fds[i], i == 0 ? out : err))
                continue;
            close(fds[i]);
            fds[i] = -1;
        }
    }
    return true;
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int inspect_wait(struct plan *plan, struct why *why)
{
    struct outcome o = { 0 };
    struct buf out, err;
    int fds[2], r;
    pid_t pid = start(plan, &fds[0], &fds[1]);

    if (pid < 0)
        return why_set(why, EXIT_FAILED, "cannot run %s: %s", plan->python, why_errno((int)pid));
    buf_init(&out, INSPECT_OUTPUT_MAX);
    buf_init(&err, INSPECT_OUTPUT_MAX);
    o.late = !read_both(fds, &out, &err, clock_mono_ns() + INSPECT_TIMEOUT_NS);
    if (o.late)
        (void)kill(pid, SIGKILL);
    o.status = wait_for(pid);
    o.out = buf_str(&out);
    o.err = buf_str(&err);
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    r = result_of(plan, &o, why);
    buf_fini(&out);
    buf_fini(&err);
    return r;
}
