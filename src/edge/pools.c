/* Generations: opened, joined by workers, switched to, emptied, closed. */
#include "edge/pools.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/report.h"
#include "edge/slots.h"
#include "edge/tally.h"
#include "pool/wake.h"

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
        mem_free(g->slots[i].what);
        tally_leave(g->slots[i].crowd);
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

/* A dead edge's clients have all left; by the worker's word, if that can be true. */
static uint64_t runs_since(const struct generation *g, uint32_t slot, uint64_t now)
{
    struct pool_look look;
    bool is_said = pool_look(g->pool, slots_ticket(g, slot), &look) == 0 && look.taken_ns != 0 && look.taken_ns < now;

    return is_said ? look.taken_ns : now;
}

static void generation_adopt(struct generation *g)
{
    uint32_t *serials = mem_calloc(g->geometry.slots, sizeof(*serials));
    bool *is_free = mem_calloc(g->geometry.slots, sizeof(*is_free));
    uint64_t now = clock_mono_ns();

    pool_adopt(g->pool, serials, is_free);
    for (uint32_t i = g->geometry.slots; i-- > 0;) {
        g->slots[i] = (struct slot){ .serial = serials[i], .free = is_free[i], .file = -1 };
        if (is_free[i])
            g->free[g->n_free++] = i;
        else
            g->used++;
        g->slots[i].orphan_ns = runs_since(g, i, now);
    }
    mem_free(serials);
    mem_free(is_free);
}

int pools_open(struct dispatch *d, uint32_t number, const struct pool_fds *fds, struct generation **out)
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
    if (g->used > 0)
        overdue_watch(d->edge);
    pthread_mutex_unlock(&d->lock);
    *out = g;
    return 0;
}

struct generation *pools_find(struct dispatch *d, uint32_t number)
{
    LIST_EACH(link, &d->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->number == number)
            return g;
    }
    return NULL;
}

/* A slot of a worker that is dead. With a job: its lane settles it. An orphan is free at once. */
static void slot_lost(struct dispatch *d, struct generation *g, uint32_t number, int32_t killer)
{
    uint32_t serial;

    if (g->slots[number].job != NULL) {
        g->slots[number].lost = true;
        g->slots[number].killer = killer;
        return;
    }
    pool_reap(g->pool, slots_ticket(g, number), &serial);
    slots_free(d, g, number, serial);
}

/* Whether a dead worker had the slot: it ran it, or had it DONE and may not have come to telling. A word that makes no sense, READY for what
 * was begun among them, could be anybody's: whoever dies first, it goes back. */
static bool was_lost(struct generation *g, uint32_t number, uint32_t worker)
{
    const struct slot *s = &g->slots[number];
    struct pool_look look;

    if (s->free)
        return false;
    if (pool_look(g->pool, slots_ticket(g, number), &look) != 0)
        return true;
    if (look.phase == POOL_READY)
        return s->begun || s->job == NULL;
    return look.seat / g->geometry.threads == worker;
}

static void lose_slots(struct dispatch *d, struct generation *g, uint32_t worker, int32_t pid)
{
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        if (was_lost(g, i, worker))
            slot_lost(d, g, i, pid);
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

bool pools_worker_joined(struct dispatch *d, struct generation *g, uint32_t worker, int32_t pid, int channel)
{
    struct seat_owner *w = &g->workers[worker];
    bool lost = false;

    (void)!fcntl(channel, F_SETFL, O_NONBLOCK);
    pthread_mutex_lock(&d->lock);
    close_channel(w);
    if (w->pid != pid) {
        lost = had_other_owner(g, worker, pid);
        if (lost)
            lose_slots(d, g, worker, w->pid);
        pool_reopen(g->pool, worker * g->geometry.threads, g->geometry.threads, pid);
    }
    *w = (struct seat_owner){ .channel = channel, .pid = pid, .alive = true };
    pthread_mutex_unlock(&d->lock);
    return lost;
}

void pools_worker_gone(struct dispatch *d, struct generation *g, uint32_t worker)
{
    pthread_mutex_lock(&d->lock);
    slots_receive_files(g, worker); /* what it sent before it died still counts */
    close_channel(&g->workers[worker]);
    lose_slots(d, g, worker, g->workers[worker].pid);
    g->workers[worker] = (struct seat_owner){ .channel = -1 };
    pthread_mutex_unlock(&d->lock);
}

static void retire(struct dispatch *d, struct generation *g)
{
    g->retired = true;
    slots_set_hungry(d, g, true);
    slots_take_back(d, g);
}

void pools_switch(struct dispatch *d, struct generation *g)
{
    struct generation *before;

    pthread_mutex_lock(&d->lock);
    before = d->active;
    d->active = NULL; /* nothing is handed over while the old ones are emptied */
    g->retired = g->idle_told = false;
    LIST_EACH(link, &d->generations) {
        struct generation *other = CONTAINER_OF(link, struct generation, link);

        /* Another newer one is still booting, or kept. */
        if (other != g && !other->retired && (other->number < g->number || other == before))
            retire(d, other);
    }
    d->active = g;
    slots_feed(d);
    pthread_mutex_unlock(&d->lock);
    report_idle(d->edge);
}

void pools_each_idle(struct dispatch *d, void (*fn)(void *arg, struct generation *g), void *arg)
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

void pools_ref(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    g->refs++;
    pthread_mutex_unlock(&d->lock);
}

void pools_unref(struct dispatch *d, struct generation *g)
{
    bool last;

    pthread_mutex_lock(&d->lock);
    last = --g->refs == 0;
    pthread_mutex_unlock(&d->lock);
    if (last)
        generation_free(g);
}

void pools_abandon(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    if (d->active == g)
        d->active = NULL;
    retire(d, g);
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        if (!g->slots[i].free)
            slot_lost(d, g, i, 0);
    }
    pthread_mutex_unlock(&d->lock);
}

void pools_close(struct dispatch *d, struct generation *g)
{
    pthread_mutex_lock(&d->lock);
    list_remove(&g->link);
    if (d->active == g)
        d->active = NULL;
    pthread_mutex_unlock(&d->lock);
    pools_unref(d, g);
}
