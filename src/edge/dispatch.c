/* The one queue: requests in, waiting, handed over, out. */
#include "edge/dispatch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "edge/edge_process.h"
#include "edge/express.h"
#include "edge/slots.h"
#include "wire/message.h"

void dispatch_init(struct dispatch *d, struct edge *edge)
{
    memset(d, 0, sizeof(*d));
    pthread_mutex_init(&d->lock, NULL);
    list_init(&d->queue);
    list_init(&d->aside);
    usual_init(&d->usual);
    list_init(&d->generations);
    d->queue_timeout = UINT64_MAX;
    d->edge = edge;
}

void dispatch_fini(struct dispatch *d)
{
    must(list_empty(&d->queue) && list_empty(&d->aside));
    pthread_mutex_destroy(&d->lock);
}

void dispatch_limit(struct dispatch *d, uint32_t queue_max, uint64_t queue_timeout)
{
    pthread_mutex_lock(&d->lock);
    d->queue_max = queue_max;
    d->queue_timeout = queue_timeout;
    pthread_mutex_unlock(&d->lock);
}

void dispatch_pace(struct dispatch *d, uint64_t gap_ns)
{
    atomic_store_explicit(&d->ahead, (unsigned)(SLOTS_AHEAD_NS / (gap_ns > 0 ? gap_ns : 1)), memory_order_relaxed);
}

void dispatch_wake(struct dispatch *d)
{
    uint32_t n;

    if (atomic_load_explicit(&d->unwoken, memory_order_relaxed) == 0)
        return;
    pthread_mutex_lock(&d->lock);
    n = atomic_exchange_explicit(&d->unwoken, 0, memory_order_relaxed);
    if (d->active != NULL)
        pool_wake(d->active->pool, n);
    pthread_mutex_unlock(&d->lock);
}

/* ---- requests ---- */

/* Those who have a slot and no worker yet are in front of the queue: they wait for a worker as it does. */
static uint64_t n_ahead(const struct dispatch *d)
{
    const struct pool_geometry *g = &d->active->geometry;
    uint32_t used = g->slots - d->active->n_free, running = g->workers * g->threads;

    return d->n_queued + (uint64_t)(used > running ? used - running : 0);
}

/* To wait for nothing is worse than to be told at once: the client can go elsewhere, and the queue holds those who will be served. At nine tenths of
 * the time, so that under overload those who were let in are served before theirs is over. A short queue is no ground for a forecast. */
static bool is_hopeless(const struct dispatch *d, const struct job *job)
{
    uint64_t patience = job->patience_ns != 0 ? job->patience_ns : d->queue_timeout;

    if (d->active == NULL || d->n_queued < slots_usual(d->active) || hold_on(&d->hold))
        return false;
    return rate_wait(&d->rate, n_ahead(d) + 1) > patience - patience / 10;
}

/* 0: it may wait. */
static int may_wait(struct dispatch *d, const struct job *job)
{
    if (d->n_queued > 0 && !hold_on(&d->hold))
        rate_busy(&d->rate, job->queued_ns);
    if (d->n_queued >= d->queue_max)
        return -ENOBUFS;
    return is_hopeless(d, job) ? -ETIME : 0;
}

static void enqueue(struct dispatch *d, struct job *job, bool front)
{
    job->state = JOB_QUEUED;
    d->n_queued++;
    if (front)
        list_push_front(&d->queue, &job->link);
    else
        list_push_back(&d->queue, &job->link);
    if (d->active != NULL)
        slots_set_hungry(d, d->active, true);
}

/* At once: there is a slot, and nobody is before it. */
static bool may_go(const struct dispatch *d, const struct job *job)
{
    return d->active != NULL && slots_open(d, d->active) && !hold_on(&d->hold) && list_empty(&d->queue) &&
           (job->usual_ns == 0 || (list_empty(&d->aside) && express_may_go(d, d->active, job)));
}

int dispatch_submit(struct dispatch *d, struct job *job, bool front)
{
    int error = 0;

    pthread_mutex_lock(&d->lock);
    job->held_ns = hold_total(&d->hold, job->waits_ns);
    express_judge(d, job);
    if (may_go(d, job)) {
        d->handed++;
        slots_hand_over(d, d->active, job);
    } else {
        error = front ? 0 : may_wait(d, job);
        if (error == 0) {
            enqueue(d, job, front);
            slots_feed(d); /* a slow one may have to step aside, and then another can go */
        } else {
            d->refused++;
        }
    }
    if (job->replayed)
        d->replayed++;
    pthread_mutex_unlock(&d->lock);
    return error;
}

uint32_t dispatch_retry_after(struct dispatch *d, uint64_t now)
{
    uint64_t rest;
    uint32_t after;

    pthread_mutex_lock(&d->lock);
    rest = d->hold.until_ns > now ? d->hold.until_ns - now : 0;
    after = hold_on(&d->hold) ? (uint32_t)(rest / NS_PER_SEC) + 1 : rate_retry_after(&d->rate, d->n_queued + 1ull, now);
    pthread_mutex_unlock(&d->lock);
    return after;
}

/* By the worker's word: a time in the future or before the hand-over is read as "just now". */
static uint64_t plausible(uint64_t taken_ns, const struct job *job, uint64_t now)
{
    return taken_ns >= job->queued_ns && taken_ns <= now ? taken_ns : now;
}

/* Whoever stood behind it aside may have waited for long enough. */
static void unqueue(struct dispatch *d, struct job *job)
{
    list_remove(&job->link);
    d->n_queued--;
    job->state = JOB_ENDED;
    if (!list_empty(&d->aside))
        slots_feed(d);
}

static bool withdraw_handed(struct dispatch *d, struct job *job)
{
    struct generation *g = job->generation;
    struct slot *s = &g->slots[job->ticket.slot];
    struct pool_look look;
    uint64_t now = clock_mono_ns();
    uint32_t serial;

    if (s->lost) { /* nobody would hear of the orphan's end */
        pool_reap(g->pool, job->ticket, &serial);
        slots_free(d, g, job->ticket.slot, serial);
        return false;
    }
    if (pool_take_back(g->pool, job->ticket, &serial) || pool_release(g->pool, job->ticket, &serial) == 0) {
        slots_free(d, g, job->ticket.slot, serial);
        return true;
    }
    pool_cancel(g->pool, job->ticket);
    s->job = NULL;
    s->crowd = job->crowd; /* it is with the application to its end */
    job->crowd = NULL;
    s->orphan_ns = pool_look(g->pool, job->ticket, &look) == 0 ? plausible(look.taken_ns, job, now) : now;
    s->orphan_timeout_ns = job->timeout_ns;
    if (now - s->orphan_ns > USUAL_SLOW_NS * 2) /* at least; who does not wait for it is often one of many */
        express_note(d, job, now - s->orphan_ns);
    s->what = s->reported ? NULL : overdue_describe(job);
    overdue_watch(d->edge);
    return false;
}

bool dispatch_withdraw(struct dispatch *d, struct job *job)
{
    bool unseen = true;

    pthread_mutex_lock(&d->lock);
    if (job->state == JOB_QUEUED)
        unqueue(d, job);
    else if (job->state == JOB_HANDED)
        unseen = withdraw_handed(d, job);
    job->state = JOB_ENDED;
    pthread_mutex_unlock(&d->lock);
    return unseen;
}

/* A slot whose word makes no sense is no worker's. */
static bool is_taken(const struct job *job)
{
    struct pool_look look;

    return pool_look(job->generation->pool, job->ticket, &look) == 0 && look.phase != POOL_READY;
}

uint64_t dispatch_aside_until(struct dispatch *d, const struct job *job)
{
    uint64_t until = UINT64_MAX;

    if (job->usual_ns == 0)
        return until;
    pthread_mutex_lock(&d->lock);
    until = job->waits_ns + express_patience(d, job); /* also with a slot: it may be taken back, and step aside then */
    pthread_mutex_unlock(&d->lock);
    return until;
}

void dispatch_look(struct dispatch *d)
{
    pthread_mutex_lock(&d->lock);
    slots_feed(d);
    pthread_mutex_unlock(&d->lock);
}

bool dispatch_recall(struct dispatch *d, struct job *job)
{
    uint32_t serial;
    bool taken = false;

    pthread_mutex_lock(&d->lock);
    if (job->state == JOB_QUEUED) {
        unqueue(d, job);
    } else if (job->state == JOB_HANDED && pool_take_back(job->generation->pool, job->ticket, &serial)) {
        slots_free(d, job->generation, job->ticket.slot, serial);
        job->state = JOB_ENDED;
    } else if (job->state == JOB_HANDED) {
        taken = is_taken(job);
    }
    pthread_mutex_unlock(&d->lock);
    return !taken;
}

/* By the loop's clock, which is not older than the news of its end. */
static void note_run(struct dispatch *d, const struct job *job)
{
    uint64_t now = loop_now(job->lane->loop);

    if (job->since_ns != 0 && now > job->since_ns)
        express_note(d, job, now - job->since_ns);
}

int dispatch_finish(struct dispatch *d, struct job *job)
{
    struct generation *g = job->generation;
    struct pool_look look;
    uint32_t serial;
    int error;

    pthread_mutex_lock(&d->lock);
    error = pool_release(g->pool, job->ticket, &serial);
    if (error == 0) {
        job->state = JOB_ENDED;
        d->rate.ended++;
        note_run(d, job);
        slots_free(d, g, job->ticket.slot, serial);
    } else if (pool_look(g->pool, job->ticket, &look) == 0) {
        error = -EAGAIN;
    }
    pthread_mutex_unlock(&d->lock);
    return error;
}

void dispatch_reap(struct dispatch *d, struct job *job)
{
    uint32_t serial;

    pthread_mutex_lock(&d->lock);
    pool_reap(job->generation->pool, job->ticket, &serial);
    slots_free(d, job->generation, job->ticket.slot, serial);
    job->state = JOB_NEW;
    pthread_mutex_unlock(&d->lock);
}

/* From here on the job stays where it is until its own lane says so: the lane may read it without the lock. */
static bool has_begun(struct generation *g, uint32_t slot)
{
    struct pool_look look;

    if (!g->slots[slot].begun && pool_look(g->pool, slots_ticket(g, slot), &look) == 0)
        g->slots[slot].begun = look.phase != POOL_READY;
    return g->slots[slot].begun;
}

struct job *dispatch_job(struct dispatch *d, const struct lane *lane, struct generation *g, uint32_t slot)
{
    struct job *job;

    pthread_mutex_lock(&d->lock);
    job = g->slots[slot].job;
    if (job != NULL && (job->lane != lane || !has_begun(g, slot)))
        job = NULL;
    pthread_mutex_unlock(&d->lock);
    return job;
}

struct job *dispatch_lost(struct dispatch *d, const struct lane *lane, struct generation *g)
{
    struct job *job = NULL;

    pthread_mutex_lock(&d->lock);
    for (uint32_t i = 0; i < g->geometry.slots && job == NULL; i++) {
        struct slot *s = &g->slots[i];

        if (!s->free && s->lost && s->job != NULL && s->job->lane == lane) {
            s->lost = false;
            job = s->job;
            if (s->killer != 0 && job->n_killed < ARRAY_LEN(job->killed))
                job->killed[job->n_killed++] = s->killer;
        }
    }
    pthread_mutex_unlock(&d->lock);
    return job;
}

void dispatch_orphan(struct dispatch *d, struct generation *g, uint32_t slot)
{
    pthread_mutex_lock(&d->lock);
    slots_free_orphan(d, g, slot);
    pthread_mutex_unlock(&d->lock);
}

/* ---- descriptors ---- */

int dispatch_take_file(struct dispatch *d, struct job *job)
{
    struct generation *g = job->generation;
    struct slot *s = &g->slots[job->ticket.slot];
    uint32_t worker;
    int fd = -ENOENT;

    pthread_mutex_lock(&d->lock);
    if (s->file < 0 && slots_worker(g, job->ticket, &worker))
        slots_receive_files(g, worker);
    if (s->file >= 0) {
        fd = s->file;
        s->file = -1;
    }
    pthread_mutex_unlock(&d->lock);
    return fd;
}

int dispatch_send_body(struct dispatch *d, struct job *job, int fd)
{
    struct generation *g = job->generation;
    struct wire_message m = { .type = WIRE_BODY, .generation = g->number, .n_fds = 1, .fds = { fd } };
    uint32_t worker;
    int error = -EPIPE;

    m.number = (uint64_t)job->ticket.slot << 32 | job->ticket.serial;
    pthread_mutex_lock(&d->lock);
    if (slots_worker(g, job->ticket, &worker) && g->workers[worker].channel >= 0)
        error = wire_send(g->workers[worker].channel, &m);
    pthread_mutex_unlock(&d->lock);
    return error;
}

bool dispatch_running(struct dispatch *d, struct job *job, struct dispatch_run *run)
{
    struct generation *g;
    struct pool_look look;
    bool running = false;

    pthread_mutex_lock(&d->lock);
    g = job->generation;
    if (job->state == JOB_HANDED && pool_look(g->pool, job->ticket, &look) == 0 && look.phase != POOL_READY) {
        uint32_t worker = look.seat / g->geometry.threads;
        uint64_t now = clock_mono_ns();

        *run = (struct dispatch_run){ .generation = g->number,
                                      .worker = worker,
                                      .pid = g->workers[worker].pid,
                                      .since_ns = plausible(look.taken_ns, job, now),
                                      .thread = look.seat % g->geometry.threads,
                                      .now_ns = now };
        running = true;
    }
    pthread_mutex_unlock(&d->lock);
    return running;
}

bool dispatch_is_done(struct dispatch *d, struct job *job)
{
    struct pool_look look;
    bool done;

    pthread_mutex_lock(&d->lock);
    done = job->state == JOB_HANDED && pool_look(job->generation->pool, job->ticket, &look) == 0 &&
           look.phase == POOL_DONE;
    pthread_mutex_unlock(&d->lock);
    return done;
}
