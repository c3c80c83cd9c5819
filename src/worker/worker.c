/*
 * The worker's process-wide part: inherited descriptors, signals, and the control thread.
 *
 * The control thread is the only reader of both channels, so a body meant for one serving thread can never be swallowed by another, and no
 * serving thread ever has to receive. EDGE replaces descriptor 4 in place (dup2 is atomic for whoever sends on it at that moment).
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/proc.h"
#include "pool/response.h"
#include "pool/wake.h"
#include "wire/inherit.h"

#define SPARE_STACK (64u << 10) /* enough for faulthandler; touched only by a crash */

static struct worker *the_worker; /* for the atfork handler, which gets no argument */

/* ---- signals and fork ---- */

static void ignore_signal(int signo)
{
}

static const int quiet_signals[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2 };

/* The supervisor commands by channel; a signal sent to the whole group or by hand must not end a request in the middle. A handler and not
 * SIG_IGN: handlers are reset by exec, so that what the application starts gets the default. */
void worker_quiet_signals(void)
{
    struct sigaction action = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };

    for (size_t i = 0; i < ARRAY_LEN(quiet_signals); i++)
        must(sigaction(quiet_signals[i], &action, NULL) == 0);
}

/* A child of the application's is no worker: its parent may end it by a signal, as multiprocessing does with a pool. What the application handles
 * itself stays. */
static void loud_signals(void)
{
    struct sigaction now, standard = { .sa_handler = SIG_DFL };

    for (size_t i = 0; i < ARRAY_LEN(quiet_signals); i++) {
        if (sigaction(quiet_signals[i], NULL, &now) == 0 && now.sa_handler == ignore_signal)
            must(sigaction(quiet_signals[i], &standard, NULL) == 0);
    }
}

static _Thread_local sigset_t before_fork_mask;

/* None is lost between the fork and the child's own handlers. */
static void before_fork(void)
{
    sigset_t quiet;

    sigemptyset(&quiet);
    for (size_t i = 0; i < ARRAY_LEN(quiet_signals); i++)
        sigaddset(&quiet, quiet_signals[i]);
    pthread_sigmask(SIG_BLOCK, &quiet, &before_fork_mask);
}

static void after_fork(void)
{
    pthread_sigmask(SIG_SETMASK, &before_fork_mask, NULL);
}

/* Comes after faulthandler's handler, which has written the stacks: the supervisor sees that they are whole. */
static void stacks_written(int signo)
{
    if (the_worker != NULL)
        atomic_fetch_add(&the_worker->recorder->head.dumps, 1);
}

static void await_dumps(void)
{
    struct sigaction action = { .sa_handler = stacks_written, .sa_flags = SA_RESTART | SA_ONSTACK };

    must(sigaction(RECORDER_SIGNAL, &action, NULL) == 0);
}

/* Where a handler can run when the thread's own stack is used up. Python gives one to its main thread alone. */
void worker_spare_stack(void)
{
    stack_t now, spare = { .ss_size = SPARE_STACK };

    if (sigaltstack(NULL, &now) < 0 || (now.ss_flags & SS_DISABLE) == 0)
        return;
    spare.ss_sp = mmap(NULL, SPARE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (spare.ss_sp != MAP_FAILED)
        (void)sigaltstack(&spare, NULL);
}

static void forget_channels(struct worker *w)
{
    w->forked = true;
    recorder_forget(w->recorder);
    if (w->stacks >= 0) /* should the child crash, its stack goes where it prints */
        (void)!dup3(STDERR_FILENO, w->stacks, O_CLOEXEC);
    close(INHERIT_SUPERVISOR);
    close(INHERIT_EDGE);
    for (uint32_t i = 0; i < w->lanes; i++)
        close(INHERIT_LANES + (int)i);
}

static void in_fork_child(void)
{
    if (the_worker != NULL) {
        forget_channels(the_worker);
        loud_signals();
    }
    after_fork();
}

/* ---- control thread ---- */

static bool is_for(const struct worker_wait *wait, struct pool_ticket ticket)
{
    return wait->wanted && wait->ticket.slot == ticket.slot && wait->ticket.serial == ticket.serial;
}

static void give_body(struct worker *w, struct wire_message *m)
{
    struct pool_ticket ticket = { (uint32_t)(m->number >> 32), (uint32_t)m->number };

    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->threads; i++) {
        struct worker_wait *wait = &w->waits[i];

        if (!is_for(wait, ticket) || wait->fd >= 0)
            continue;
        wait->fd = m->fds[0];
        m->fds[0] = -1;
        pthread_cond_broadcast(&w->body_came);
        break;
    }
    pthread_mutex_unlock(&w->lock);
}

/* A new edge: from now on descriptor 4 is the channel to it. */
static void take_edge(struct wire_message *m)
{
    if (dup3(m->fds[0], INHERIT_EDGE, O_CLOEXEC) < 0)
        _exit(1); /* without an edge there is no work */
}

/* False: nothing more will come on this descriptor. */
static bool receive_from(struct worker *w, int fd, char *text)
{
    struct wire_message m;
    int r = wire_receive(fd, fd == INHERIT_EDGE ? "EW" : "SW", MSG_DONTWAIT, text, &m);

    if (r == -EAGAIN || r == -EINTR || r == -EPROTO)
        return true;
    if (r <= 0)
        return false;
    if (m.type == WIRE_BODY)
        give_body(w, &m);
    else if (m.type == WIRE_EDGE)
        take_edge(&m);
    else if (m.type == WIRE_STOP)
        worker_stop(w);
    wire_close_fds(&m);
    return true;
}

static void *control_main(void *arg)
{
    struct worker *w = arg;
    char *text = mem_alloc(WIRE_TEXT_MAX);
    struct pollfd fds[2] = { { .fd = INHERIT_SUPERVISOR, .events = POLLIN }, { .fd = INHERIT_EDGE, .events = POLLIN } };

    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        /* Without its supervisor a worker has no reason to be; what it runs dies with it, as PDEATHSIG would have it. */
        if (fds[0].revents != 0) {
            if (!receive_from(w, INHERIT_SUPERVISOR, text))
                _exit(1);
            fds[1].fd = INHERIT_EDGE; /* it may be a new one: look again */
        }
        if (fds[1].revents != 0 && !receive_from(w, INHERIT_EDGE, text))
            fds[1].fd = -1; /* the edge is dead: its successor comes by EDGE */
    }
    return NULL;
}

static int start_control(struct worker *w)
{
    pthread_t thread;
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* Python's handlers belong to Python's threads */
    r = pthread_create(&thread, NULL, control_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        pthread_detach(thread);
    return -r;
}

/* ---- start ---- */

static void prepare_waits(struct worker *w)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->body_came, &attr);
    pthread_condattr_destroy(&attr);
    w->waits = mem_calloc(w->threads, sizeof(*w->waits));
}

static int take_pool(struct worker *w)
{
    int lanes[POOL_LANES_MAX];
    const struct pool_geometry *g;
    int r = pool_map(INHERIT_POOL, &w->pool);

    if (r < 0)
        return r;
    close(INHERIT_POOL);
    g = pool_geometry(w->pool);
    if (w->index >= g->workers || w->threads != g->threads || w->lanes != g->lanes)
        return -EINVAL;
    for (uint32_t i = 0; i < w->lanes; i++)
        lanes[i] = INHERIT_LANES + (int)i;
    pool_set_lane_fds(w->pool, lanes, w->lanes);
    w->first_seat = w->index * w->threads;
    return 0;
}

/* Without one, as under an older supervisor, the worker writes for itself alone. */
static int take_recorder(struct worker *w)
{
    int r = recorder_attach(INHERIT_RECORDER, w->threads, &w->recorder);

    w->stacks = r == 0 ? INHERIT_RECORDER : -1;
    if (r == -EBADF)
        r = recorder_private(w->threads, &w->recorder);
    if (r == 0 && w->stacks >= 0 && fcntl(w->stacks, F_SETFD, FD_CLOEXEC) < 0)
        r = -errno;
    return r;
}

static void set_title(const struct worker *w)
{
    char title[64];

    snprintf(title, sizeof(title), "quintet: worker %u (generation %u)", w->index + 1, w->generation);
    proc_set_title(title);
}

int worker_start(struct worker *w)
{
    int r;

    w->start_ns = clock_mono_ns();
    r = take_pool(w);
    if (r == 0)
        r = take_recorder(w);
    if (r < 0)
        return r;
    recorder_sit(&w->recorder->seats[0]);
    recorder_phase(&w->recorder->seats[0], RECORDER_BOOTING);
    for (int fd = INHERIT_SUPERVISOR; fd < INHERIT_LANES + (int)w->lanes; fd++)
        if (fd != INHERIT_POOL && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            return -errno;
    prepare_waits(w);
    the_worker = w;
    if (!w->preloaded)
        worker_quiet_signals();
    await_dumps();
    set_title(w);
    r = -pthread_atfork(before_fork, after_fork, in_fork_child);
    return r < 0 ? r : start_control(w);
}

static struct wire_message message_of(const struct worker *w, enum wire_type type)
{
    return (struct wire_message){ .type = type, .generation = w->generation, .worker = w->index, .pid = getpid() };
}

int worker_ready(struct worker *w, uint64_t limit)
{
    struct wire_message m = message_of(w, WIRE_READY);

    w->limit = limit;
    m.number = clock_mono_ns() - w->start_ns;
    recorder_phase(&w->recorder->seats[0], RECORDER_IDLE);
    __atomic_store_n(&w->ready, true, __ATOMIC_RELEASE);
    return wire_send(INHERIT_SUPERVISOR, &m);
}

/* Again when nothing came of it: the wish is lost while its generation drains (and then is returned to), or when a program takes over. */
#define ASK_AGAIN 64 /* requests */

static void ask_for_successor(struct worker *w)
{
    struct wire_message m = message_of(w, WIRE_RECYCLE);
    char text[64];
    int n = snprintf(text, sizeof(text), "it has served %" PRIu64 " requests (--max-requests)", w->served);

    m.text = str_make(text, (size_t)n);
    if (wire_send(INHERIT_SUPERVISOR, &m) < 0)
        return; /* the supervisor is gone: the control thread is about to end us */
}

void worker_count(struct worker *w)
{
    if (++w->served < w->limit || w->limit == 0)
        return;
    if ((w->served - w->limit) % ASK_AGAIN == 0)
        ask_for_successor(w);
}

int worker_boot_failed(struct worker *w, struct str why)
{
    struct wire_message m = message_of(w, WIRE_BOOT_FAILED);

    m.text = str_cut(why, 0, WIRE_TEXT_MAX);
    return wire_send(INHERIT_SUPERVISOR, &m);
}

void worker_stop(struct worker *w)
{
    struct pool_seat_view view;

    pool_seat_look(w->pool, w->first_seat, &view);
    /* Still importing, which may take minutes, or still waiting for its predecessor's end: nobody has sent it a request. To close the seats
     * would be wrong besides, as the predecessor has them. */
    if (!__atomic_load_n(&w->ready, __ATOMIC_ACQUIRE) || (view.owner != 0 && view.owner != getpid()))
        _exit(0);
    pool_close(w->pool, w->first_seat, w->threads);
}

/* ---- descriptors to and from the edge ---- */

static void in_one_second(struct timespec *out)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec++;
}

/* Somebody who kept the input of a request that has ended may still sit here. */
static void take_wait(struct worker_wait *wait, struct pool_ticket ticket)
{
    if (wait->wanted && wait->fd >= 0)
        close(wait->fd);
    *wait = (struct worker_wait){ .wanted = true, .ticket = ticket, .fd = -1 };
}

static int leave_wait(struct worker_wait *wait, struct pool_ticket ticket)
{
    if (!is_for(wait, ticket))
        return -ECANCELED;
    wait->wanted = false;
    return wait->fd >= 0 ? wait->fd : -ECANCELED;
}

int worker_body(struct worker *w, uint32_t thread, struct pool_ticket ticket)
{
    struct worker_wait *wait = &w->waits[thread];
    struct timespec until;
    int r;

    pthread_mutex_lock(&w->lock);
    take_wait(wait, ticket);
    pool_ask_body(w->pool, ticket);
    /* A cancelled ticket gets no answer and no wake-up, hence the look once a second. */
    while (is_for(wait, ticket) && wait->fd < 0 && !pool_cancelled(w->pool, ticket)) {
        in_one_second(&until);
        pthread_cond_timedwait(&w->body_came, &w->lock, &until);
    }
    r = leave_wait(wait, ticket);
    pthread_mutex_unlock(&w->lock);
    return r;
}

int worker_send_file(struct worker *w, struct pool_ticket ticket, int fd)
{
    struct wire_message m = message_of(w, WIRE_FILE_BODY);
    int r;

    m.number = (uint64_t)ticket.slot << 32 | ticket.serial;
    m.fds[0] = fd;
    m.n_fds = 1;
    while ((r = wire_send(INHERIT_EDGE, &m)) == -EAGAIN) {
        struct pollfd room = { .fd = INHERIT_EDGE, .events = POLLOUT };

        if (pool_cancelled(w->pool, ticket))
            return -ECANCELED;
        poll(&room, 1, 1000);
    }
    return r;
}
