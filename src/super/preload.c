/* Preloaders, and workers on their way from one. */
#include "super/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "super/reap.h"
#include "super/super.h"
#include "super/worker_start.h"

/* ---- workers on their way ---- */

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all_but_edge_end(struct worker_process *process)
{
    for (size_t i = 0; i < FORK_EDGE_END; i++)
        close_one(&process->fork_fds[i]);
}

void preload_forget(struct worker_process *process)
{
    list_remove(&process->fork_turn);
    close_all_but_edge_end(process);
    close_one(&process->fork_fds[FORK_EDGE_END]);
}

static int keep(struct worker_process *process, const int fds[FORK_FDS])
{
    for (size_t i = 0; i < FORK_FDS; i++) {
        process->fork_fds[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (fds[i] >= 0 && process->fork_fds[i] < 0) {
            int error = -errno;

            preload_forget(process);
            return error;
        }
    }
    return 0;
}

/* From here on only the preloader, and then the worker, hold the other end of the worker's channel. */
static void send_fork(struct preload *p, struct worker_process *process)
{
    const struct worker *w = process->child.owner;
    struct wire_message m = { .type = WIRE_FORK, .generation = process->release, .worker = w->index };

    for (size_t i = 0; i < FORK_EDGE_END && process->fork_fds[i] >= 0; i++)
        m.fds[m.n_fds++] = process->fork_fds[i];
    channel_send(&p->child.channel, &m);
    list_remove(&process->fork_turn);
    close_all_but_edge_end(process);
}

static void send_waiting(struct preload *p)
{
    struct list *link;

    while ((link = p->waiting.next) != &p->waiting)
        send_fork(p, CONTAINER_OF(link, struct worker_process, fork_turn));
}

static bool is_our_child(pid_t pid)
{
    siginfo_t info;

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool preload_forked(struct worker_process *process, pid_t pid)
{
    struct worker *w = process->child.owner;

    if (pid <= 1 || reap_knows(w->generation->super, pid))
        return false;
    if (!is_our_child(pid))
        return true; /* it has ended meanwhile, and been reaped: its channel is about to say so */
    process->child.pid = pid;
    worker_spawned(&process->child, process->fork_fds[FORK_EDGE_END]);
    preload_forget(process);
    return true;
}

/* ---- the process ---- */

static int make_ends(struct child *child, struct worker_start *start)
{
    int pair[2], pipe[2];
    int error = wire_pair(pair);

    if (error != 0)
        return error;
    start->supervisor = pair[1];
    error = child_set_channel(child, pair[0], "WS");
    if (error == 0 && pipe2(pipe, O_CLOEXEC) < 0)
        error = -errno;
    if (error != 0)
        return error;
    start->output = pipe[1];
    return output_init(&child->output, child->loop, pipe[0], child->log, child->title);
}

/* Workers whose parent has ended become our children, not those of the first process of the machine. */
static int become_subreaper(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

static int spawn(struct child *child)
{
    struct preload *p = preload_of(child);
    struct worker_start start = { .generation = p->generation,
                                  .plan = p->plan,
                                  .release = p->release,
                                  .index = WORKER_START_PRELOADER,
                                  .output = -1,
                                  .supervisor = -1,
                                  .edge = -1,
                                  .recorder = -1 };
    int error = become_subreaper();

    if (error == 0)
        error = make_ends(child, &start);
    /* The numbers of what only workers have are taken, by anything: else files that the application opens while it is imported get them, and
     * each worker would put its own in their place. */
    start.edge = start.output;
    start.recorder = start.output;
    if (error == 0) {
        pid_t pid = worker_start(&start);

        if (pid > 0)
            child->pid = pid;
        else
            error = (int)pid;
    }
    close_one(&start.supervisor);
    close_one(&start.output);
    return error;
}

static void ready(struct child *child, const struct wire_message *message)
{
    struct preload *p = preload_of(child);

    log_event(child->log, LOG_INFO, "preloader is ready", LOG_N("generation", p->release), LOG_N("pid", child->pid),
              LOG_N("boot_ms", message->number / NS_PER_MS));
    send_waiting(p);
}

static bool message(struct child *child, struct wire_message *m)
{
    return false;
}

static void stop(struct child *child)
{
    channel_tell(&child->channel, WIRE_STOP, 0, 0);
}

static void log_end(const struct child *child, int status, const char *how)
{
    bool expected = !child->wanted && status == 0;

    log_event(child->log, expected ? LOG_DEBUG : LOG_WARNING, expected ? "preloader ended" : "preloader died",
              LOG_N("generation", CONTAINER_OF(child, struct preload, child)->release), LOG_N("pid", child->pid),
              LOG_Z("how", how));
}

/* Workers that waited for its import have failed to boot, and for its reason (NULL: nothing that the log does not say already). */
static void fail_waiting(struct preload *p, const char *why)
{
    struct list *link;

    while ((link = p->waiting.next) != &p->waiting) {
        struct worker_process *process = CONTAINER_OF(link, struct worker_process, fork_turn);

        if (why != NULL)
            process->child.last_words = mem_strdup(why);
        preload_forget(process);
    }
}

/* Its code has served already: this death is an accident, no wrong release. */
static bool serves(const struct preload *p)
{
    return p->generation->state != GENERATION_BOOTING && p->plan == p->generation->plan;
}

static bool gone(struct child *child, int status, bool was_ready)
{
    struct preload *p = preload_of(child);
    char how[128], text[192];

    child_describe_end(status, how, sizeof(how));
    log_end(child, status, how);
    (void)snprintf(text, sizeof(text), "the preloader ended before it was ready: %s", how);
    fail_waiting(p, child->last_words != NULL ? child->last_words : serves(p) ? NULL : text);
    return false;
}

static void free_preload(struct loop_task *task)
{
    struct preload *p = CONTAINER_OF(task, struct preload, free_task);

    standstill_over(&p->still);
    child_fini(&p->child);
    plan_free(p->plan);
    mem_free(p);
}

static void down(struct child *child)
{
    struct preload *p = preload_of(child);

    list_remove(&p->link);
    loop_defer(child->loop, &p->free_task);
    generation_worker_down(p->generation);
}

const struct role role_preload = {
    .name = "preloader",
    .spawn = spawn,
    .ready = ready,
    .message = message,
    .stop = stop,
    .gone = gone,
    .down = down,
};

/* ---- the generation's ---- */

static struct preload *preload_new(struct generation *g, const struct worker_process *process)
{
    struct preload *p = mem_zalloc(sizeof(*p));

    child_init(&p->child, &role_preload, g->super->loop, g->super->log);
    standstill_init(&p->still, &p->child);
    p->generation = g;
    p->plan = plan_ref(process->plan);
    p->release = process->release;
    list_init(&p->waiting);
    loop_task_init(&p->free_task, free_preload);
    list_push_back(&g->preloads, &p->link);
    return p;
}

/* One that is ending forks nobody any more. */
static struct preload *find_living(struct generation *g, const struct plan *plan)
{
    LIST_EACH(link, &g->preloads) {
        struct preload *p = CONTAINER_OF(link, struct preload, link);

        if (p->plan == plan && (p->child.state == CHILD_BOOTING || p->child.state == CHILD_UP))
            return p;
    }
    return NULL;
}

int preload_fork(struct worker_process *process, const int fds[FORK_FDS])
{
    struct generation *g = ((struct worker *)process->child.owner)->generation;
    struct preload *p = find_living(g, process->plan);
    bool first = p == NULL;
    int error = keep(process, fds);

    if (error != 0)
        return error;
    if (first)
        p = preload_new(g, process);
    list_push_back(&p->waiting, &process->fork_turn);
    if (first)
        child_start(&p->child); /* the last step: should it fail, p is gone, and the worker's channel with it */
    else if (p->child.state == CHILD_UP)
        send_waiting(p);
    return 0;
}

static bool is_used(const struct preload *p)
{
    const struct generation *g = p->generation;

    for (uint32_t i = 0; i < g->n_workers; i++)
        for (size_t j = 0; j < ARRAY_LEN(g->workers[i].processes); j++) {
            const struct worker_process *process = &g->workers[i].processes[j];

            if (process->plan == p->plan && process->child.state != CHILD_DOWN)
                return true;
        }
    return false;
}

void preload_sweep(struct generation *g)
{
    LIST_EACH(link, &g->preloads) {
        struct preload *p = CONTAINER_OF(link, struct preload, link);

        if (p->child.wanted && !is_used(p))
            child_stop(&p->child, GENERATION_IDLE_GRACE_NS);
    }
}

void preload_stop_all(struct generation *g, uint64_t grace_ns)
{
    LIST_EACH(link, &g->preloads)
        child_stop(&CONTAINER_OF(link, struct preload, link)->child, grace_ns);
}

struct child *preload_find(struct generation *g, pid_t pid)
{
    LIST_EACH(link, &g->preloads) {
        struct preload *p = CONTAINER_OF(link, struct preload, link);

        if (p->child.pid == pid)
            return &p->child;
    }
    return NULL;
}
