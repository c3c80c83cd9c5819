/* Workers that are stuck: told of, closed, and given up when nobody needs them any more. */
#include "edge/overdue.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/report.h"
#include "edge/slots.h"
#include "edge/snapshot.h"

/* Also the time in which a thread that had looked before the seats closed has taken its last request. */
#define LOOK_STUCK_NS (50 * NS_PER_MS)
#define LOOK_ORPHANS_NS (500 * NS_PER_MS) /* how late an orphan's end of time may be noticed */
#define DESCRIBED_MAX 512
#define TARGET_MAX 300

char *overdue_describe(const struct job *job)
{
    const struct str *vars = job->request->vars;
    char *out = mem_alloc(DESCRIBED_MAX);

    (void)snprintf(out, DESCRIBED_MAX, STR_FMT " " STR_FMT " id=" STR_FMT, STR_ARG(str_cut(vars[POOL_METHOD], 0, 32)),
                   STR_ARG(str_cut(vars[POOL_TARGET], 0, TARGET_MAX)), STR_ARG(vars[POOL_REQUEST_ID]));
    return out;
}

/* With the lock. */
static void mark(struct edge *edge, struct generation *g, const struct dispatch_run *run, const char *what)
{
    struct seat_owner *w = &g->workers[run->worker];

    report_worker(edge, WIRE_WORKER_STUCK, run, str_of(what));
    if (!w->stuck)
        pool_close(g->pool, run->worker * g->geometry.threads, g->geometry.threads);
    w->stuck = true;
    overdue_watch(edge);
}

void overdue_job(struct edge *edge, struct job *job, const struct dispatch_run *run)
{
    struct dispatch *d = &edge->dispatch;
    char *what = overdue_describe(job);

    pthread_mutex_lock(&d->lock);
    if (run->pid != 0) { /* else it is dead, and its lane about to hear of it */
        job->generation->slots[job->ticket.slot].reported = true;
        mark(edge, job->generation, run, what);
    }
    pthread_mutex_unlock(&d->lock);
    mem_free(what);
}

/* ---- lane 0 looks ---- */

static bool is_running(struct generation *g, uint32_t slot, struct pool_look *look)
{
    return !g->slots[slot].free && pool_look(g->pool, slots_ticket(g, slot), look) == 0 && look->phase == POOL_RUNNING;
}

/* Runs a request that somebody waits for. */
static bool is_needed(struct generation *g, uint32_t worker)
{
    struct pool_look look;

    for (uint32_t i = 0; i < g->geometry.slots; i++)
        if (g->slots[i].job != NULL && is_running(g, i, &look) && look.seat / g->geometry.threads == worker)
            return true;
    return false;
}

/* True: at least one is not spent yet. */
static bool look_at_workers(struct edge *edge, struct generation *g)
{
    bool more = false;

    for (uint32_t i = 0; i < g->geometry.workers; i++) {
        struct seat_owner *w = &g->workers[i];
        struct dispatch_run run = { .generation = g->number, .worker = i, .pid = w->pid };

        if (!w->stuck || w->spent)
            continue;
        w->spent = !is_needed(g, i);
        if (w->spent)
            report_worker(edge, WIRE_WORKER_SPENT, &run, STR(""));
        more = more || !w->spent;
    }
    return more;
}

/* True: there are some whose time is not over. Those that have ended come free here: their DONE wakes no lane. */
static bool look_at_orphans(struct edge *edge, struct generation *g, uint64_t timeout_ns)
{
    uint64_t now = clock_mono_ns();
    struct pool_look look;
    bool more = false;

    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        struct slot *s = &g->slots[i];

        uint64_t limit_ns = s->orphan_timeout_ns != 0 ? s->orphan_timeout_ns : timeout_ns;

        slots_free_orphan(&edge->dispatch, g, i);
        if (s->job != NULL || s->reported || !is_running(g, i, &look))
            continue;
        if (now - s->orphan_ns < limit_ns) {
            more = true;
        } else {
            uint32_t worker = look.seat / g->geometry.threads;
            struct dispatch_run run = {
                g->number, worker, g->workers[worker].pid, s->orphan_ns, look.seat % g->geometry.threads, now
            };

            s->reported = true;
            if (run.pid != 0)
                mark(edge, g, &run, s->what != NULL ? s->what : "");
        }
    }
    return more;
}

static void look(struct loop_timer *timer)
{
    struct edge *edge = CONTAINER_OF(timer, struct edge, overdue.timer);
    struct dispatch *d = &edge->dispatch;
    uint64_t timeout_ns = edge->snapshot != NULL ? edge->snapshot->conf->timeout : 0;
    bool orphans = false, stuck = false;

    pthread_mutex_lock(&d->lock);
    LIST_EACH(link, &d->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        orphans = look_at_orphans(edge, g, timeout_ns != 0 ? timeout_ns : UINT64_MAX) || orphans;
        stuck = look_at_workers(edge, g) || stuck;
    }
    edge->overdue.on = stuck || orphans; /* what comes from now on starts it anew */
    pthread_mutex_unlock(&d->lock);
    if (stuck || orphans)
        loop_timer_set(edge->lanes[0].loop, timer, stuck ? LOOK_STUCK_NS : LOOK_ORPHANS_NS);
}

static void start_looking(struct lane *lane, struct lane_job *job)
{
    (void)job;
    loop_timer_set(lane->loop, &lane->edge->overdue.timer, LOOK_STUCK_NS);
}

void overdue_init(struct edge *edge)
{
    loop_timer_init(&edge->overdue.timer, look);
    edge->overdue.job.fn = start_looking;
}

void overdue_watch(struct edge *edge)
{
    if (edge->overdue.on)
        return;
    edge->overdue.on = true;
    lane_post(&edge->lanes[0], &edge->overdue.job);
}
