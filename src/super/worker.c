/* Workers: succession. */
#include "super/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "os/proc.h"
#include "super/preload.h"
#include "super/roles.h"
#include "super/super.h"
#include "wire/recorder.h"

#define AFTER_TIMEOUT_NS (5 * NS_PER_SEC)      /* for what follows a request that ran past --timeout */
#define NO_TIMEOUT_NS (24 * 3600 * NS_PER_SEC) /* a request may take for ever, but not this worker */
#define CANCEL_GRACE_NS (1 * NS_PER_SEC)       /* for a successor that has served nobody */

void worker_init(struct worker *w, struct generation *g, uint32_t index)
{
    w->generation = g;
    w->index = index;
    (void)snprintf(w->title, sizeof(w->title), "worker %u", index + 1);
    for (size_t i = 0; i < ARRAY_LEN(w->processes); i++) {
        struct worker_process *p = &w->processes[i];

        child_init(&p->child, &role_worker, g->super->loop, g->super->log);
        p->child.owner = w;
        p->child.title = w->title;
        p->plan = plan_ref(g->plan);
        p->release = g->number;
        p->edge_end = -1;
        list_init(&p->fork_turn);
        for (size_t j = 0; j < FORK_FDS; j++)
            p->fork_fds[j] = -1;
        standstill_init(&p->still, &p->child);
        stuck_init(&p->stuck);
    }
    w->child = &w->processes[0].child;
    w->next = NULL;
    list_init(&w->turn);
}

static void close_edge_end(struct worker_process *p)
{
    if (p->edge_end >= 0)
        close(p->edge_end);
    p->edge_end = -1;
}

void worker_fini(struct worker *w)
{
    for (size_t i = 0; i < ARRAY_LEN(w->processes); i++) {
        close_edge_end(&w->processes[i]);
        standstill_over(&w->processes[i].still);
        child_fini(&w->processes[i].child);
        plan_free(w->processes[i].plan);
    }
}

bool worker_is_down(const struct worker *w)
{
    return w->child->state == CHILD_DOWN && w->next == NULL;
}

struct child *worker_find(struct worker *w, pid_t pid)
{
    for (size_t i = 0; i < ARRAY_LEN(w->processes); i++)
        if (w->processes[i].child.pid == pid)
            return &w->processes[i].child;
    return NULL;
}

/* ---- what the edge hears ---- */

static void join(struct worker *w, int edge_end)
{
    struct child *edge = w->generation->edge;
    struct wire_message m = { .type = WIRE_WORKER_JOIN,
                              .generation = w->generation->number,
                              .worker = w->index,
                              .pid = w->child->pid,
                              .n_fds = 1,
                              .fds = { edge_end } };

    if (edge->channel.fd >= 0)
        channel_send(&edge->channel, &m);
}

void worker_join_again(struct worker *w)
{
    struct wire_message edge = { .type = WIRE_EDGE, .n_fds = 1 };
    int pair[2];
    int error;

    if (w->child->pid == 0) /* it joins when it has been forked */
        return;
    error = wire_pair(pair);
    if (error != 0) {
        log_event(w->child->log, LOG_ERROR, "cannot connect a worker to the edge", LOG_N("worker", w->index + 1),
                  LOG_Z("why", why_errno(error)));
        child_kill(w->child, "no channel to the edge");
        return;
    }
    join(w, pair[0]);
    edge.fds[0] = pair[1];
    channel_send(&w->child->channel, &edge);
    close(pair[0]);
    close(pair[1]);
}

/* A worker looks for requests only when its application has been imported, so the edge hears of it first. */
void worker_spawned(struct child *child, int edge_end)
{
    struct worker *w = child->owner;

    close_edge_end(worker_process_of(child));
    if (child == w->child)
        join(w, edge_end);
    else
        worker_process_of(child)->edge_end = fcntl(edge_end, F_DUPFD_CLOEXEC, 0);
}

/* ---- succession ---- */

static void succeed(struct worker *w)
{
    struct worker_process *p = worker_process_of(w->next);

    w->next->restarts += w->child->restarts + 1;
    w->child = w->next;
    w->next = NULL;
    if (p->edge_end >= 0)
        join(w, p->edge_end);
    else if (w->child->pid > 0) /* out of descriptors when it was started */
        worker_join_again(w);
    close_edge_end(p);
}

bool worker_replace(struct worker *w, const char *why)
{
    struct worker_process *p = worker_process_of(w->child);

    if (!generation_takes_requests(w->generation))
        return false;
    if (w->next != NULL || w->child->state != CHILD_UP)
        return true;
    log_event(w->child->log, LOG_INFO, "a worker is replaced", LOG_N("worker", w->index + 1),
              LOG_N("generation", p->release), LOG_N("pid", w->child->pid),
              LOG_N("memory_mb", proc_rss(w->child->pid) >> 20),
              LOG_N("requests", recorder_count(w->child->recorder, w->generation->threads)),
              LOG_N("age_s", (clock_mono_ns() - w->child->ready_ns) / NS_PER_SEC), LOG_Z("why", why));
    worker_succeed_with(w, p->plan, p->release);
    return true;
}

void worker_set_release(struct child *child, struct plan *plan, uint32_t release)
{
    struct worker_process *p = worker_process_of(child);
    struct plan *old = p->plan;

    p->plan = plan_ref(plan);
    p->release = release;
    plan_free(old);
}

void worker_succeed_with(struct worker *w, struct plan *plan, uint32_t release)
{
    must(w->next == NULL);
    w->next = &w->processes[w->child == &w->processes[0].child].child;
    worker_set_release(w->next, plan, release);
    child_start(w->next);
}

void worker_cancel(struct worker *w)
{
    if (w->next != NULL)
        child_stop(w->next, CANCEL_GRACE_NS);
}

void worker_stop(struct worker *w, uint64_t grace_ns)
{
    worker_cancel(w);
    child_stop(w->child, grace_ns);
}

/* How long the incumbent may take for what it runs. A reload has an end; for any other reason nothing is cut off that the edge would wait
 * for. */
static uint64_t last_grace(struct worker *w)
{
    const struct conf *conf = w->generation->plan->conf;
    uint64_t all = conf->timeout > 0 ? conf->timeout + AFTER_TIMEOUT_NS : NO_TIMEOUT_NS;

    if (worker_process_of(w->next)->release != worker_process_of(w->child)->release || all < conf->graceful_timeout)
        return conf->graceful_timeout;
    return all;
}

void worker_booted(struct child *child)
{
    struct worker *w = child->owner;
    enum child_state before = w->child->state;

    w->booted = true;
    if (child == w->next && (before == CHILD_UP || before == CHILD_BOOTING || before == CHILD_PAUSED))
        child_stop(w->child, last_grace(w));
}

bool worker_wants_again(const struct child *child)
{
    const struct worker *w = child->owner;

    return child == w->next || w->next == NULL || !w->next->wanted;
}

void worker_went_down(struct child *child)
{
    struct worker *w = child->owner;

    if (child == w->next) {
        close_edge_end(worker_process_of(child));
        w->next = NULL;
        if (w->child->state == CHILD_DOWN && generation_needs_workers(w->generation))
            child_start(w->child); /* nobody was to follow while this one was there: see revive in generation.c */
    } else if (w->next != NULL && w->next->wanted) {
        succeed(w);
    } else if (!child->wanted && generation_needs_workers(w->generation)) {
        child_start(child); /* it made room for a successor that was not wanted after all */
    }
    preload_sweep(w->generation);
    generation_worker_down(w->generation);
}
