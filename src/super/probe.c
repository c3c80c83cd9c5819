/* Asking the program on disk whether it can take over, and answering that. */
#include "super/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/proc.h"
#include "super/handover.h"
#include "super/script.h"

#define ANSWER "quintet handover format"

/* ---- asking ---- */

static void close_pipe(struct probe *probe)
{
    if (probe->fd < 0)
        return;
    loop_io_remove(probe->loop, &probe->io);
    close(probe->fd);
    probe->fd = -1;
}

static void fini(struct probe *probe)
{
    loop_timer_stop(probe->loop, &probe->timer);
    close_pipe(probe);
    buf_fini(&probe->text);
    probe->running = false;
}

static int judge(const struct probe *probe, struct why *why)
{
    char expected[64];
    struct str said = buf_str(&probe->text);

    (void)snprintf(expected, sizeof(expected), "%s %d\n", ANSWER, HANDOVER_FORMAT);
    if (probe->late)
        return why_set(why, -1, "it did not answer within %d s", (int)(PROBE_TIMEOUT_NS / NS_PER_SEC));
    if (WIFSIGNALED(probe->status))
        return why_set(why, -1, "it was ended by signal %d", WTERMSIG(probe->status));
    if (WEXITSTATUS(probe->status) != 0)
        return why_set(why, -1, "it exited with %d%s" STR_FMT, WEXITSTATUS(probe->status),
                       said.n > 0 ? ": " : " and said nothing",
                       STR_ARG(str_cut(said, 0, said.n < 1024 ? said.n : 1024)));
    if (!str_eq(said, str_of(expected)))
        return why_set(why, -1, "its handover has another format (or it is no Quintet): restart instead");
    return 0;
}

static void finish_when_all_is_there(struct probe *probe)
{
    struct why *why;
    int r;

    if (!probe->running || probe->pid != 0 || probe->fd >= 0)
        return;
    why = mem_zalloc(sizeof(*why));
    r = judge(probe, why);
    fini(probe);
    probe->fn(probe->arg, r == 0 ? NULL : why->text);
    mem_free(why);
}

static void on_io(struct loop_io *io, uint32_t events)
{
    struct probe *probe = CONTAINER_OF(io, struct probe, io);

    if (!script_read(probe->fd, &probe->text))
        close_pipe(probe);
    finish_when_all_is_there(probe);
}

static void on_timer(struct loop_timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

    probe->late = true;
    close_pipe(probe);
    if (probe->pid > 0)
        (void)kill(probe->pid, SIGKILL);
    finish_when_all_is_there(probe);
}

void probe_init(struct probe *probe, struct loop *loop, probe_fn *fn, void *arg)
{
    *probe = (struct probe){ .loop = loop, .fn = fn, .arg = arg, .fd = -1, .io = { .fd = -1, .fn = on_io } };
    loop_timer_init(&probe->timer, on_timer);
}

static pid_t spawn(const struct launch *launch, const char *path, int output)
{
    char **argv = mem_calloc((size_t)launch->argc + 2, sizeof(char *));
    struct proc_fd fds[] = { { output, 1 }, { output, 2 } };
    struct proc_spawn spawn = { .path = path,
                                .argv = argv,
                                .envp = launch->envp,
                                .chdir = launch->origin,
                                .fds = fds,
                                .n_fds = ARRAY_LEN(fds),
                                .uid = PROC_KEEP_ID,
                                .gid = (gid_t)PROC_KEEP_ID,
                                .umask = -1,
                                .own_group = true };
    pid_t pid;

    argv[0] = launch->program;
    argv[1] = (char *)"takeover-probe";
    for (int i = 1; i < launch->argc; i++)
        argv[i + 1] = launch->argv[i];
    pid = proc_spawn(&spawn);
    mem_free(argv);
    return pid;
}

int probe_start(struct probe *probe, const struct launch *launch, const char *path)
{
    int fds[2];
    int r;

    must(!probe->running);
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    r = (int)spawn(launch, path, fds[1]);
    close(fds[1]);
    if (r < 0) {
        close(fds[0]);
        return r;
    }
    probe->pid = r;
    probe->running = true;
    probe->late = false;
    probe->fd = fds[0];
    buf_init(&probe->text, PROBE_OUTPUT_MAX);
    loop_timer_set(probe->loop, &probe->timer, PROBE_TIMEOUT_NS);
    r = fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : loop_io_add(probe->loop, &probe->io, fds[0], EPOLLIN);
    if (r != 0)
        probe_cancel(probe);
    return r;
}

void probe_reaped(struct probe *probe, int status)
{
    probe->pid = 0;
    probe->status = status;
    finish_when_all_is_there(probe);
}

void probe_cancel(struct probe *probe)
{
    if (!probe->running)
        return;
    if (probe->pid > 0)
        (void)kill(probe->pid, SIGKILL);
    probe->pid = 0;
    fini(probe);
}

/* ---- answering ---- */

int probe_answer(const struct launch *launch)
{
    struct why *why = mem_zalloc(sizeof(*why));
    struct plan *plan = NULL;
    int r = plan_read(launch, &plan, why);

    if (r != 0)
        (void)fprintf(stderr, "%s\n", why->text);
    else
        (void)printf("%s %d\n", ANSWER, HANDOVER_FORMAT);
    plan_free(plan);
    mem_free(why);
    return r;
}
