/* The preloader and the first steps of a worker that it has forked: see preload.h. */
#include "worker/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/proc.h"
#include "wire/inherit.h"
#include "wire/message.h"
#include "worker/worker.h"

#define ABOVE 64          /* orders' descriptors are kept above every number that a worker has a use for */
#define ADOPTION_MS 10000 /* the helper has only to exit */

static struct {
    pid_t supervisor;
    uint32_t generation;
    uint64_t start_ns;
    char text[WIRE_TEXT_MAX];
} self;

int preload_start(uint32_t generation)
{
    char title[64];

    self.supervisor = getppid();
    self.generation = generation;
    self.start_ns = clock_mono_ns();
    for (int fd = INHERIT_SUPERVISOR; fd <= INHERIT_RECORDER; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
            return -errno;
    worker_quiet_signals();
    snprintf(title, sizeof(title), "quintet: preloader (generation %u)", generation);
    proc_set_title(title);
    return 0;
}

static struct wire_message message_of(enum wire_type type)
{
    return (struct wire_message){ .type = type, .generation = self.generation, .pid = getpid() };
}

int preload_ready(void)
{
    struct wire_message m = message_of(WIRE_READY);

    m.number = clock_mono_ns() - self.start_ns;
    return wire_send(INHERIT_SUPERVISOR, &m);
}

int preload_failed(struct str why)
{
    struct wire_message m = message_of(WIRE_BOOT_FAILED);

    m.text = str_cut(why, 0, WIRE_TEXT_MAX);
    return wire_send(INHERIT_SUPERVISOR, &m);
}

/* ---- orders ---- */

static int take_order(struct wire_message *m, struct preload_order *out)
{
    *out = (struct preload_order){ .worker = m->worker, .fds = { -1, -1, -1, -1 } };
    for (size_t i = 0; i < m->n_fds; i++) {
        out->fds[i] = fcntl(m->fds[i], F_DUPFD_CLOEXEC, ABOVE);
        if (out->fds[i] < 0) {
            int error = -errno;

            preload_dismiss(out);
            return error;
        }
    }
    return 0;
}

int preload_await(struct preload_order *out)
{
    for (;;) {
        struct wire_message m;
        int r = wire_receive(INHERIT_SUPERVISOR, "SW", 0, self.text, &m);

        if (r == -EPROTO)
            continue;
        if (r == -EINTR)
            return r;
        if (r <= 0 || m.type == WIRE_STOP)
            return 0;
        /* Out of descriptors: the supervisor sees that the worker's channel has no other end, and tries again. */
        r = m.type == WIRE_FORK ? take_order(&m, out) : -ENOENT;
        wire_close_fds(&m);
        if (r == 0)
            return 1;
    }
}

void preload_dismiss(struct preload_order *order)
{
    for (size_t i = 0; i < ARRAY_LEN(order->fds); i++) {
        if (order->fds[i] >= 0)
            close(order->fds[i]);
        order->fds[i] = -1;
    }
}

int preload_fork(void)
{
    pid_t pid = fork();
    int status = 0;

    if (pid < 0)
        return -errno;
    if (pid == 0) {
        pid = fork();
        if (pid == 0)
            return 0;
        _exit(pid > 0 ? 0 : errno);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? -WEXITSTATUS(status) : 1;
}

/* ---- the worker ---- */

static int put(int from, int to)
{
    return dup3(from, to, to <= STDERR_FILENO ? 0 : O_CLOEXEC) >= 0 ? 0 : -errno;
}

static int take_descriptors(const struct preload_order *order)
{
    const int *fds = order->fds;
    int r = put(fds[0], STDOUT_FILENO);

    if (r == 0)
        r = put(fds[0], STDERR_FILENO);
    if (r == 0)
        r = put(fds[1], INHERIT_SUPERVISOR);
    if (r == 0)
        r = put(fds[2], INHERIT_EDGE);
    if (fds[3] < 0)
        close(INHERIT_RECORDER); /* what kept its place */
    else if (r == 0)
        r = put(fds[3], INHERIT_RECORDER);
    return r;
}

/* As a worker that the supervisor has started itself: its child, and gone with it. */
static int await_parent(void)
{
    for (int i = 0; getppid() != self.supervisor; i++) {
        if (i == ADOPTION_MS)
            return -ESRCH;
        (void)poll(NULL, 0, 1);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return getppid() == self.supervisor ? 0 : -ESRCH; /* it may have died before this was set */
}

int preload_become(const struct preload_order *order)
{
    struct preload_order mine = *order;
    struct wire_message m;
    int r = take_descriptors(order);

    preload_dismiss(&mine);
    setpgid(0, 0);
    if (r == 0)
        r = await_parent();
    if (r < 0)
        return r;
    m = message_of(WIRE_FORKED);
    m.worker = order->worker;
    return wire_send(INHERIT_SUPERVISOR, &m);
}
