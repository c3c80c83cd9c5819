/*
 * Workers: the user's interpreter running quintet/worker.py, with its channels, the pool and a pipe for what it prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/oom.h"
#include "os/proc.h"
#include "super/crash.h"
#include "super/preload.h"
#include "super/roles.h"
#include "super/super.h"
#include "super/worker_start.h"
#include "wire/recorder.h"

#define BOOT_FAILED 3 /* exit status of quintet/worker.py */

/* Descriptors of the spawn under way; those the child gets are closed here afterwards. */
struct parts {
    int super_end, worker_super; /* channel between us */
    int edge_end, worker_edge;   /* channel between it and the edge */
    int pipe_read, pipe_write;
    int recorder; /* borrowed from the child; -1: none */
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_parts(struct parts *p)
{
    close_one(&p->super_end);
    close_one(&p->worker_super);
    close_one(&p->edge_end);
    close_one(&p->worker_edge);
    close_one(&p->pipe_read);
    close_one(&p->pipe_write);
}

static int open_parts(struct parts *p)
{
    int pair[2], fds[2];
    int error;

    *p = (struct parts){ -1, -1, -1, -1, -1, -1, -1 };
    error = wire_pair(pair);
    if (error != 0)
        return error;
    p->super_end = pair[0];
    p->worker_super = pair[1];
    error = wire_pair(pair);
    if (error != 0)
        return error;
    p->edge_end = pair[0];
    p->worker_edge = pair[1];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    p->pipe_read = fds[0];
    p->pipe_write = fds[1];
    return 0;
}

static int take_over(struct child *child, struct parts *p)
{
    int error = child_set_channel(child, p->super_end, "WS");

    p->super_end = -1;
    if (error != 0)
        return error;
    error = output_init(&child->output, child->loop, p->pipe_read, child->log, child->title);
    p->pipe_read = -1;
    return error;
}

/* A worker can do without. */
static void make_recorder(struct child *child, struct parts *p)
{
    child->recorder = recorder_make(worker_process_of(child)->plan->threads);
    if (child->recorder < 0)
        log_event(child->log, LOG_WARNING, "a worker gets no flight recorder", LOG_Z("child", child->title),
                  LOG_Z("why", why_errno(child->recorder)));
    p->recorder = child->recorder;
    child->oom_kills = oom_kills();
}

/* By itself: its pid is known at once. */
static int run(struct child *child, const struct parts *p)
{
    struct worker_process *process = worker_process_of(child);
    const struct worker *w = child->owner;
    struct worker_start start = { .generation = w->generation,
                                  .plan = process->plan,
                                  .release = process->release,
                                  .index = w->index,
                                  .output = p->pipe_write,
                                  .supervisor = p->worker_super,
                                  .edge = p->worker_edge,
                                  .recorder = p->recorder };
    pid_t pid = worker_start(&start);

    if (pid < 0)
        return (int)pid;
    child->pid = pid;
    worker_spawned(child, p->edge_end);
    return 0;
}

/* From the preloader: it says FORKED when it is there. */
static int fork_from_preloader(struct child *child, const struct parts *p)
{
    const int fds[FORK_FDS] = { [FORK_OUTPUT] = p->pipe_write,
                                [FORK_SUPERVISOR] = p->worker_super,
                                [FORK_EDGE] = p->worker_edge,
                                [FORK_RECORDER] = p->recorder,
                                [FORK_EDGE_END] = p->edge_end };

    return preload_fork(worker_process_of(child), fds);
}

static int spawn(struct child *child)
{
    bool preload = worker_process_of(child)->plan->conf->preload;
    struct parts p;
    int error = open_parts(&p);

    if (error == 0)
        error = take_over(child, &p);
    if (error == 0)
        make_recorder(child, &p);
    if (error == 0)
        error = preload ? fork_from_preloader(child, &p) : run(child, &p);
    close_parts(&p);
    return error;
}

static void ready(struct child *child, const struct wire_message *message)
{
    struct worker *w = child->owner;

    log_event(child->log, LOG_INFO, "worker is ready", LOG_N("worker", w->index + 1),
              LOG_N("generation", worker_process_of(child)->release), LOG_N("pid", child->pid),
              LOG_N("boot_ms", message->number / NS_PER_MS));
    worker_booted(child);
    generation_worker_ready(w->generation);
}

static bool message(struct child *child, struct wire_message *m)
{
    struct worker *w = child->owner;

    if (m->type == WIRE_FORKED)
        return child->pid == 0 && preload_forked(worker_process_of(child), m->pid);
    if (m->type != WIRE_RECYCLE)
        return false;
    if (child == w->child)
        recycle_request(w, m->text);
    return true;
}

static void stop(struct child *child)
{
    if (child->pid == 0)
        preload_forget(worker_process_of(child));
    channel_tell(&child->channel, WIRE_STOP, 0, 0);
}

static void describe(int status, char *out, size_t size)
{
    if (status == -ESRCH) /* child.c: it never came */
        (void)snprintf(out, size, "could not be forked from the preloader");
    else
        child_describe_end(status, out, size);
}

/* Of its own accord, or by somebody else's hand. Else the reason has been told already. */
static bool is_crash(const struct child *child, int status)
{
    bool ended = status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == BOOT_FAILED && child->last_words != NULL);

    return status >= 0 && !ended && child->state != CHILD_KILLED;
}

static void log_death(struct child *child, int status)
{
    const struct worker *w = child->owner;
    bool expected = !child->wanted && child->state == CHILD_STOPPING && status == 0;
    char how[128];

    describe(status, how, sizeof(how));
    if (is_crash(child, status))
        crash_log(&w->generation->super->logs, child, how);
    else
        log_event(child->log, expected ? LOG_DEBUG : LOG_WARNING, expected ? "worker ended" : "worker died",
                  LOG_N("worker", w->index + 1), LOG_N("generation", worker_process_of(child)->release),
                  LOG_N("pid", child->pid), LOG_Z("how", how));
}

/* A successor it has never heard of. */
static void tell_edge(const struct child *child)
{
    const struct worker *w = child->owner;
    struct child *edge = w->generation->edge;
    struct wire_message gone = {
        .type = WIRE_WORKER_GONE, .generation = w->generation->number, .worker = w->index, .pid = child->pid
    };

    if (child == w->child && edge->channel.fd >= 0)
        channel_send(&edge->channel, &gone);
}

/* One of those that the start waits for. */
static bool is_first_boot(const struct worker *w)
{
    return w->generation->super->state == SUPER_STARTING && !w->booted;
}

/* A wanted one ended before it was ready; `why`: a traceback often. */
static bool boot_failed(struct child *child, const char *why)
{
    const struct worker *w = child->owner;
    struct generation *g = w->generation;
    bool again = worker_wants_again(child);

    if (g->state == GENERATION_BOOTING || is_first_boot(w)) { /* it has never been whole, and will not */
        super_generation_failed(g->super, g, why);
        return false;
    }
    if (roll_boot_failed(child, why, &again))
        return again;
    if (child->last_words != NULL) /* else its death is in the log, and says it all */
        logs_block(&g->super->logs, LOG_ERROR, "the application failed to boot", why);
    if (g->state == GENERATION_KEPT) {
        log_event(child->log, LOG_WARNING, "the previous generation does not boot any more: it is not kept",
                  LOG_N("generation", g->release));
        generation_stop(g, GENERATION_IDLE_GRACE_NS);
        return false;
    }
    return again;
}

/* A generation that serves, or may again, gets the worker back. */
static bool gone(struct child *child, int status, bool was_ready)
{
    const struct worker *w = child->owner;
    const struct generation *g = w->generation;
    char how[128], text[192];

    preload_forget(worker_process_of(child));
    tell_edge(child);
    stuck_gone(child);
    log_death(child, status);
    if (!child->wanted || (g->state != GENERATION_BOOTING && !generation_needs_workers(g)))
        return false;
    if (was_ready && g->state != GENERATION_BOOTING)
        return worker_wants_again(child);
    describe(status, how, sizeof(how));
    (void)snprintf(text, sizeof(text), "worker %u ended before it was ready: %s", w->index + 1, how);
    return boot_failed(child, child->last_words != NULL ? child->last_words : text);
}

static void down(struct child *child)
{
    worker_went_down(child);
}

const struct role role_worker = {
    .name = "worker",
    .spawn = spawn,
    .ready = ready,
    .message = message,
    .stop = stop,
    .gone = gone,
    .down = down,
};
