/* Signals by signalfd: no handler, nothing asynchronous. */
#include "super/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int ours[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD };

static void on_io(struct loop_io *io, uint32_t events)
{
    struct signals *signals = CONTAINER_OF(io, struct signals, io);
    struct signalfd_siginfo info;

    while (signals->fd >= 0 && read(signals->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        signals->fn(signals->arg, (int)info.ssi_signo);
}

int signals_init(struct signals *signals, struct loop *loop, signals_fn *fn, void *arg)
{
    sigset_t set;
    int error;

    *signals = (struct signals){ .loop = loop, .fn = fn, .arg = arg, .fd = -1, .io = { .fd = -1, .fn = on_io } };
    (void)sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        (void)sigaddset(&set, ours[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    /* A client of the control socket that leaves must not end us. */
    if (sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL) < 0)
        return -errno;
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0)
        return -errno;
    error = loop_io_add(loop, &signals->io, signals->fd, EPOLLIN);
    if (error != 0)
        signals_fini(signals);
    return error;
}

void signals_fini(struct signals *signals)
{
    if (signals->fd < 0)
        return;
    if (signals->io.fd >= 0)
        loop_io_remove(signals->loop, &signals->io);
    close(signals->fd);
    signals->fd = -1;
}
