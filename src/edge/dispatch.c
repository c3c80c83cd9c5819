/* The queue and the slots, under one lock. */
#include "edge/dispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "pool/wake.h"
#include "wire/message.h"

#define MESSAGES_MAX 512 /* taken off a worker's channel at a time */

void dispatch_init(struct dispatch *d, struct edge *edge)
{
    memset(d, 0, sizeof(*d));
    pthread_mutex_init(&d->lock, NULL);
    list_init(&d->queue);
    list_init(&d->generations);
    d->edge = edge;
}

void dispatch_fini(struct dispatch *d)
{
    must(list_empty(&d->queue));
    pthread_mutex_destroy(&d->lock);
}

void dispatch_limit(struct dispatch *d, uint32_t queue_max)
{
    pthread_mutex_lock(&d->lock);
    d->queue_max = queue_max;
    pthread_mutex_unlock(&d->lock);
}

/* ---- slots (the lock is held) ---- */

static void hand_over(struct dispatch *d, struct generation *g, struct job *job)
{
    uint32_t number = g->free[--g->n_free];
    struct slot *s = &g->slots[number];

    g->used++;
    s->free = s->begun = s->lost = false;
    s->job = job;
    s->lane = job->lane->index;
    job->state = JOB_HANDED;
    job->generation = g;
    job->ticket = (struct pool_ticket){ .slot = number, .serial = s->serial };
    memset(&job->reader, 0, sizeof(job->reader));
    /* The app handler refuses (431) what could not fit. */
    must(pool_request_write(g->pool, job->ticket, job->request) == 0);
    pool_publish(g->pool, job->ticket, s->lane);
    atomic_fetch_add_explicit(&d->unwoken, 1, memory_order_relaxed);
}

/* While requests wait for a slot, and while a generation is being emptied, every slot that comes free is news. The other lanes look at once: a bit set
 * before this may have woken nobody. */
static void set_hungry(struct dispatch *d, struct generation *g, bool hungry)
{
    if (g->hungry == hungry)
        return;
    g->hungry = hungry;
    pool_set_hungry(g->pool, hungry);
    if (hungry)
        edge_wake_lanes(d->edge);
}

static void feed(struct dispatch *d)
{
    struct generation *g = d->active;

    while (g != NULL && g->n_free > 0 && !list_empty(&d->queue)) {
        struct list *link = list_pop_front(&d->queue);

        d->n_queued--;
        d->handed++;
        hand_over(d, g, CONTAINER_OF(link, struct job, link));
    }
    if (g != NULL)
        set_hungry(d, g, d->n_queued > 0);
}

static void slot_free(struct dispatch *d, struct generation *g, uint32_t number, uint32_t serial)
{
    struct slot *s = &g->slots[number];

    must(!s->free);
    if (s->file >= 0)
        close(s->file);
    *s = (struct slot){ .serial = serial, .free = true, .file = -1 };
    g->free[g->n_free++] = number;
    g->used--;
    if (g->retired && g->used == 0 && !g->idle_told)
        edge_check_idle(d->edge);
    feed(d);
}

static struct pool_ticket slot_ticket(const struct generation *g, uint32_t number)
{
    return (struct pool_ticket){ .slot = number, .serial = g->slots[number].serial };
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

int dispatch_submit(struct dispatch *d, struct job *job, bool front)
{
    int error = 0;

    pthread_mutex_lock(&d->lock);
    if (list_empty(&d->queue) && d->active != NULL && d->active->n_free > 0) {
        d->handed++;
        hand_over(d, d->active, job);
    } else if (d->n_queued >= d->queue_max && !front) {
        d->refused++;
        error = -ENOBUFS;
    } else {
        job->state = JOB_QUEUED;
        d->n_queued++;
        if (front)
            list_push_front(&d->queue, &job->link);
        else
            list_push_back(&d->queue, &job->link);
        if (d->active != NULL)
            set_hungry(d, d->active, true);
    }
    if (job->replayed)
        d->replayed++;
    pthread_mutex_unlock(&d->lock);
    return error;
}

static bool withdraw_handed(struct dispatch *d, struct job *job)
{
    struct generation *g = job->generation;
    uint32_t serial;

    if (g->slots[job->ticket.slot].lost) { /* nobody would hear of the orphan's end */
        pool_reap(g->pool, job->ticket, &serial);
        slot_free(d, g, job->ticket.slot, serial);
        return false;
    }
    if (pool_take_back(g->pool, job->ticket, &serial) || pool_release(g->pool, job->ticket, &serial) == 0) {
        slot_free(d, g, job->ticket.slot, serial);
        return true;
    }
    pool_cancel(g->pool, job->ticket);
    g->slots[job->ticket.slot].job = NULL;
    return false;
}

bool dispatch_withdraw(struct dispatch *d, struct job *job)
{
    bool unseen = true;

    pthread_mutex_lock(&d->lock);
    if (job->state == JOB_QUEUED) {
        list_remove(&job->link);
        d->n_queued--;
    } else if (job->state == JOB_HANDED) {
        unseen = withdraw_handed(d, job);
    }
    job->state = JOB_ENDED;
    pthread_mutex_unlock(&d->lock);
    return unseen;
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
        slot_free(d, g, job->ticket.slot, serial);
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
    slot_free(d, job->generation, job->ticket.slot, serial);
    job->state = JOB_NEW;
    pthread_mutex_unlock(&d->lock);
}

/* From here on the job stays where it is until its own lane says so: the lane may read it without the lock. */
static bool has_begun(struct generation *g, uint32_t slot)
{
    struct pool_look look;

    if (!g->slots[slot].begun && pool_look(g->pool, slot_ticket(g, slot), &look) == 0)
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
        }
    }
    pthread_mutex_unlock(&d->lock);
    return job;
}

void dispatch_orphan(struct dispatch *d, struct generation *g, uint32_t slot)
{
    uint32_t serial;

    pthread_mutex_lock(&d->lock);
    if (!g->slots[slot].free && g->slots[slot].job == NULL && pool_release(g->pool, slot_ticket(g, slot), &serial) == 0)
        slot_free(d, g, slot, serial);
    pthread_mutex_unlock(&d->lock);
}

/* ---- descriptors ---- */

static bool worker_of(const struct generation *g, struct pool_ticket ticket, uint32_t *worker)
{
    struct pool_look look;

    if (pool_look(g->pool, ticket, &look) != 0 || (look.phase != POOL_RUNNING && look.phase != POOL_DONE))
        return false;
    *worker = look.seat / g->geometry.threads;
    return true;
}

/* What this worker has sent: each descriptor to the slot it names, if the worker has that slot. Not more than a socket holds, as a
 * worker that never stops sending must not keep the lock. */
static void receive_files(struct generation *g, uint32_t worker)
{
    char text[WIRE_TEXT_MAX];
    struct wire_message m;

    if (g->workers[worker].channel < 0)
        return;
    for (int i = 0; i < MESSAGES_MAX && wire_receive(g->workers[worker].channel, "WE", MSG_DONTWAIT, text, &m) == 1;
         i++) {
        struct pool_ticket ticket = { .slot = (uint32_t)(m.number >> 32), .serial = (uint32_t)m.number };
        uint32_t owner;

        if (m.type == WIRE_FILE_BODY && ticket.slot < g->geometry.slots && !g->slots[ticket.slot].free &&
            worker_of(g, ticket, &owner) && owner == worker && g->slots[ticket.slot].file < 0) {
            g->slots[ticket.slot].file = m.fds[0];
            m.fds[0] = -1;
        }
        wire_close_fds(&m);
    }
}

int dispatch_take_file(struct dispatch *d, struct job *job)
{
    struct generation *g = job->generation;
    struct slot *s = &g->slots[job->ticket.slot];
    uint32_t worker;
    int fd = -ENOENT;

    pthread_mutex_lock(&d->lock);
    if (s->file < 0 && worker_of(g, job->ticket, &worker))
        receive_files(g, worker);
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
    if (worker_of(g, job->ticket, &worker) && g->workers[worker].channel >= 0)
        error = wire_send(g->workers[worker].channel, &m);
    pthread_mutex_unlock(&d->lock);
    return error;
}

/* By the worker's word: a time in the future or before the hand-over is read as "just now". */
static uint64_t plausible(uint64_t taken_ns, const struct job *job)
{
    uint64_t now = clock_mono_ns();

    return taken_ns >= job->queued_ns && taken_ns <= now ? taken_ns : now;
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

        *run = (struct dispatch_run){ g->number, worker, g->workers[worker].pid, plausible(look.taken_ns, job) };
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

/* ---- generations ---- */

static void close_channel(struct seat_owner *w)
{
    if (w->channel >= 0)
        close(w->channel);
    w->channel = -1;
}

static void generation_free(struct generation *g)
{
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        if (g->slots[i].file >= 0)
            close(g->slots[i].file);
    }
    for (uint32_t i = 0; i < POOL_WORKERS_MAX; i++)
        close_channel(&g->workers[i]);
    for (uint32_t i = 0; i < POOL_LANES_MAX; i++) {
        if (g->eventfd[i] >= 0)
            close(g->eventfd[i]);
    }
    close(g->memfd);
    if (g->pool != NULL)
        pool_unmap(g->pool);
    mem_free(g->slots);
    mem_free(g->free);
    mem_free(g);
}

static void generation_adopt(struct generation *g)
{
    uint32_t *serials = mem_calloc(g->geometry.slots, sizeof(*serials));
    bool *is_free = mem_calloc(g->geometry.slots, sizeof(*is_free));

    pool_adopt(g->pool, serials, is_free);
    for (uint32_t i = g->geometry.slots; i-- > 0;) {
        g->slots[i] = (struct slot){ .serial = serials[i], .free = is_free[i], .file = -1 };
        if (is_free[i])
            g->free[g->n_free++] = i;
        else
            g->used++;
    }
    mem_free(serials);
    mem_free(is_free);
}

int dispatch_open(struct dispatch *d, uint32_t number, const struct pool_fds *fds, struct generation **out)
{
    struct generation *g = mem_zalloc(sizeof(*g));
    int error = pool_map(fds->memfd, &g->pool);

    g->memfd = fds->memfd;
    for (uint32_t i = 0; i < POOL_LANES_MAX; i++)
        g->eventfd[i] = i < fds->lanes ? fds->eventfds[i] : -1;
    for (uint32_t i = 0; i < POOL_WORKERS_MAX; i++)
        g->workers[i].channel = -1;
    if (error != 0) {
        generation_free(g);
        return error;
    }
    if (pool_geometry(g->pool)->lanes != fds->lanes) { /* its workers could have changed the header */
        generation_free(g);
        return -EPROTO;
    }
    g->number = number;
    g->refs = 1;
    pool_set_lane_fds(g->pool, g->eventfd, POOL_LANES_MAX); /* pool_recover wakes the lanes */
    g->geometry = *pool_geometry(g->pool);
    g->slots = mem_calloc(g->geometry.slots, sizeof(*g->slots));
    g->free = mem_calloc(g->geometry.slots, sizeof(*g->free));
    generation_adopt(g);
    pthread_mutex_lock(&d->lock);
    list_push_back(&d->generations, &g->link);
    pthread_mutex_unlock(&d->lock);
    *out = g;
    return 0;
}

struct generation *dispatch_find(struct dispatch *d, uint32_t number)
{
    LIST_EACH(link, &d->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->number == number)
            return g;
    }
    return NULL;
}

/* A slot of a worker that is dead. With a job: its lane settles it. An orphan is free at once. */
static void slot_lost(struct dispatch *d, struct generation *g, uint32_t number)
{
    uint32_t serial;

    if (g->slots[number].job != NULL) {
        g->slots[number].lost = true;
        return;
    }
    pool_reap(g->pool, slot_ticket(g, number), &serial);
    slot_free(d, g, number, serial);
}

/* Whether a dead worker had the slot: it ran it, or had it DONE and may not have come to telling. A word that makes no sense, READY for what
 * was begun among them, could be anybody's: whoever dies first, it goes back. */
static bool was_lost(struct generation *g, uint32_t number, uint32_t worker)
{
    const struct slot *s = &g->slots[number];
    struct pool_look look;

    if (s->free)
        return false;
    if (pool_look(g->pool, slot_ticket(g, number), &look) != 0)
        return true;
    if (look.phase == POOL_READY)
        return s->begun || s->job == NULL;
    return look.seat / g->geometry.threads == worker;
}

static void lose_slots(struct dispatch *d, struct generation *g, uint32_t worker)
{
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        if (was_lost(g, i, worker))
            slot_lost(d, g, i);
    }
    pool_recover(g->pool, worker * g->geometry.threads, g->geometry.threads);
}

/* Another process had these seats, and this edge was never told of its end: it died together with the edge before. */
static bool had_other_owner(const struct generation *g, uint32_t worker, int32_t pid)
{
    struct pool_seat_view view;

    pool_seat_look(g->pool, worker * g->geometry.threads, &view);
    return view.owner != 0 && view.owner != pid;
}

bool dispatch_worker_joined(struct dispatch *d, struct generation *g, uint32_t worker, int32_t pid, int channel)
{
    struct seat_owner *w = &g->workers[worker];
    bool lost = false;

    (void)!fcntl(channel, F_SETFL, O_NONBLOCK);
    pthread_mutex_lock(&d->lock);
    close_channel(w);
    if (w->pid != pid) {
        lost = had_other_owner(g, worker, pid);
        if (lost)
            lose_slots(d, g, worker);
        pool_reopen(g->pool, worker * g->geometry.threads, g->geometry.threads, pid);
    }
    *w = (struct seat_owner){ .channel = channel, .pid = pid, .alive = true };
    pthread_mutex_unlock(&d->lock);
    return lost;
}

void dispatch_worker_gone(struct dispatch *d, struct generation *g, uint32_t worker)
{
    pthread_mutex_lock(&d->lock);
    receive_files(g, worker); /* what it sent before it died still counts */
    close_channel(&g->workers[worker]);
    g->workers[worker].alive = false;
    g->workers[worker].pid = 0;
    lose_slots(d, g, worker);
    pthread_mutex_unlock(&d->lock);
}

/* Back into the queue at its place: it has waited since queued_ns. */
static void requeue(struct dispatch *d, struct job *job)
{
    struct list *at = d->queue.next;

    while (at != &d->queue && CONTAINER_OF(at, struct job, link)->queued_ns <= job->queued_ns)
        at = at->next;
    job->state = JOB_QUEUED;
    list_insert_between(&job->link, at->prev, at);
    d->n_queued++;
}

static void retire(struct dispatch *d, struct generation *g)
{
    g->retired = true;
    set_hungry(d, g, true);
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        struct job *job = g->slots[i].job;
        uint32_t serial;

        if (g->slots[i].free || g->slots[i].begun || g->slots[i].lost || job == NULL)
            continue;
        if (!pool_take_back(g->pool, slot_ticket(g, i), &serial))
            continue;
        requeue(d, job);
        slot_free(d, g, i, serial);
    }
}

void dispatch_switch(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    d->active = NULL; /* nothing is handed over while the old ones are emptied */
    g->retired = g->idle_told = false;
    LIST_EACH(link, &d->generations) {
        struct generation *other = CONTAINER_OF(link, struct generation, link);

        if (other->number < g->number && !other->retired) /* a newer one is still booting */
            retire(d, other);
    }
    d->active = g;
    feed(d);
    pthread_mutex_unlock(&d->lock);
    edge_check_idle(d->edge);
}

void dispatch_idle(struct dispatch *d, void (*fn)(void *arg, struct generation *g), void *arg)
{
    pthread_mutex_lock(&d->lock);
    LIST_EACH(link, &d->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->retired && g->used == 0 && !g->idle_told) {
            g->idle_told = true;
            fn(arg, g);
        }
    }
    pthread_mutex_unlock(&d->lock);
}

void generation_ref(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    g->refs++;
    pthread_mutex_unlock(&d->lock);
}

void generation_unref(struct dispatch *d, struct generation *g)
{
    bool last;

    pthread_mutex_lock(&d->lock);
    last = --g->refs == 0;
    pthread_mutex_unlock(&d->lock);
    if (last)
        generation_free(g);
}

void dispatch_abandon(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    if (d->active == g)
        d->active = NULL;
    retire(d, g);
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        if (!g->slots[i].free)
            slot_lost(d, g, i);
    }
    pthread_mutex_unlock(&d->lock);
}

void dispatch_close(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    list_remove(&g->link);
    if (d->active == g)
        d->active = NULL;
    pthread_mutex_unlock(&d->lock);
    generation_unref(d, g);
}
