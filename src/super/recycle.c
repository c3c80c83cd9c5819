/* Recycling: whose turn it is. */
#include "super/recycle.h"

#include <stdio.h>

#include "os/proc.h"
#include "super/super.h"

#define LOOK_NS (1 * NS_PER_SEC)

uint64_t recycle_pause(uint32_t early)
{
    uint64_t pause = RECYCLE_PAUSE_NS;

    if (early <= RECYCLE_EARLY_FREE)
        return 0;
    for (uint32_t i = RECYCLE_EARLY_FREE + 1; i < early && pause < RECYCLE_PAUSE_MAX_NS; i++)
        pause *= 2;
    return pause < RECYCLE_PAUSE_MAX_NS ? pause : RECYCLE_PAUSE_MAX_NS;
}

static uint64_t memory_limit(const struct generation *g)
{
    return g->plan->conf->max_worker_memory;
}

/* The process that asked: the one after it has done nothing wrong. */
static bool still_asks(const struct worker *w)
{
    return w->child->state == CHILD_UP && w->child->pid == w->turn_pid && w->next == NULL;
}

static void replace(struct worker *w)
{
    struct generation *g = w->generation;

    list_remove(&w->turn);
    if (still_asks(w) && worker_replace(w, w->turn_why))
        g->recycle.now = w;
}

void recycle_step(struct generation *g)
{
    struct recycle *r = &g->recycle;
    struct list *link = r->queue.next;

    if (r->now != NULL && r->now->next == NULL)
        r->now = NULL;
    if (g->super->reload.state == RELOAD_ROLLING)
        return; /* all are replaced anyhow, one at a time */
    while (r->now == NULL && link != &r->queue) {
        struct worker *w = CONTAINER_OF(link, struct worker, turn);

        link = link->next;
        if (!still_asks(w) || clock_mono_ns() >= w->child->ready_ns + recycle_pause(w->early_recycles))
            replace(w);
    }
}

static void warn_early(const struct worker *w)
{
    log_event(w->child->log, LOG_WARNING,
              "a worker asks to be replaced again and again soon after its start: raise --max-worker-memory or "
              "--max-requests",
              LOG_N("worker", w->index + 1), LOG_N("pid", w->child->pid), LOG_Z("why", w->turn_why),
              LOG_N("replaced_after_s", recycle_pause(w->early_recycles) / NS_PER_SEC));
}

static void arm(struct generation *g)
{
    if (!loop_timer_armed(&g->recycle.timer) && (memory_limit(g) > 0 || !list_empty(&g->recycle.queue)))
        loop_timer_set(g->super->loop, &g->recycle.timer, LOOK_NS);
}

void recycle_request(struct worker *w, struct str why)
{
    struct generation *g = w->generation;
    bool early = clock_mono_ns() - w->child->ready_ns < RECYCLE_YOUNG_NS;

    if (!generation_takes_requests(g) || list_linked(&w->turn) || w->next != NULL || w->child->state != CHILD_UP)
        return;
    w->early_recycles = early ? w->early_recycles + 1 : 0;
    w->turn_pid = w->child->pid;
    (void)snprintf(w->turn_why, sizeof(w->turn_why), STR_FMT, STR_ARG(str_cut(why, 0, sizeof(w->turn_why) - 1)));
    if (recycle_pause(w->early_recycles) > 0)
        warn_early(w);
    list_push_back(&g->recycle.queue, &w->turn);
    recycle_step(g);
    arm(g);
}

static void weigh(struct worker *w)
{
    uint64_t limit = memory_limit(w->generation), bytes;
    char why[96];

    if (limit == 0 || w->child->state != CHILD_UP || list_linked(&w->turn) || w->next != NULL)
        return;
    bytes = proc_private(w->child->pid);
    if (bytes <= limit)
        return;
    (void)snprintf(why, sizeof(why), "it has grown to %llu MiB, --max-worker-memory is %llu MiB",
                   (unsigned long long)(bytes >> 20), (unsigned long long)(limit >> 20));
    recycle_request(w, str_of(why));
}

static void on_timer(struct loop_timer *timer)
{
    struct generation *g = CONTAINER_OF(CONTAINER_OF(timer, struct recycle, timer), struct generation, recycle);

    for (uint32_t i = 0; i < g->n_workers; i++)
        weigh(&g->workers[i]);
    recycle_step(g);
    arm(g);
}

void recycle_init(struct generation *g)
{
    list_init(&g->recycle.queue);
    loop_timer_init(&g->recycle.timer, on_timer);
}

void recycle_start(struct generation *g)
{
    arm(g);
}

void recycle_stop(struct generation *g)
{
    while (list_pop_front(&g->recycle.queue) != NULL)
        ;
    g->recycle.now = NULL;
    loop_timer_stop(g->super->loop, &g->recycle.timer);
}
