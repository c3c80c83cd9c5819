/* Generations: from the pool to the last worker's end. */
#include "super/generation.h"

#include <unistd.h>

#include "base/mem.h"
#include "super/handover.h"
#include "super/preload.h"
#include "super/super.h"

#define POOL_WAIT_NS (10 * NS_PER_SEC)

static const char *const state_names[] = {
    [GENERATION_OPENING] = "opening", [GENERATION_BOOTING] = "booting",   [GENERATION_READY] = "ready",
    [GENERATION_SERVING] = "serving", [GENERATION_DRAINING] = "draining", [GENERATION_STOPPING] = "stopping",
    [GENERATION_KEPT] = "kept",       [GENERATION_ENDED] = "ended",
};

const char *generation_state_name(enum generation_state state)
{
    return state_names[state];
}

static void free_generation(struct loop_task *task)
{
    struct generation *g = CONTAINER_OF(task, struct generation, free_task);

    for (uint32_t i = 0; i < g->n_workers; i++)
        worker_fini(&g->workers[i]);
    for (size_t i = 0; i < g->n_pool_fds; i++)
        close(g->pool_fds[i]);
    plan_free(g->plan);
    mem_free(g->workers);
    mem_free(g);
}

/* The edge gave no pool, or the drain took too long: then what runs now is cut off. */
static void on_timer(struct loop_timer *timer)
{
    struct generation *g = CONTAINER_OF(timer, struct generation, timer);

    if (g->state == GENERATION_OPENING) {
        super_generation_failed(g->super, g, "the edge has not made the pool: its log lines say why");
        return;
    }
    if (g->state == GENERATION_KEPT) {
        log_event(g->super->log, LOG_INFO, "the previous generation was kept long enough",
                  LOG_N("generation", g->release));
        generation_stop(g, GENERATION_IDLE_GRACE_NS);
        return;
    }
    log_event(g->super->log, LOG_WARNING, "requests of the old generation did not end in time: cut off",
              LOG_N("generation", g->release));
    generation_stop(g, CHILD_LEAVE_NS);
}

static void set_state(struct generation *g, enum generation_state state)
{
    g->state = state;
    loop_timer_stop(g->super->loop, &g->timer);
}

static struct generation *make(struct super *super, struct plan *plan, uint32_t number, struct child *edge)
{
    struct generation *g = mem_zalloc(sizeof(*g));

    g->super = super;
    g->edge = edge;
    g->number = g->release = number;
    g->plan = plan;
    g->n_workers = plan->workers;
    g->threads = plan->threads;
    g->workers = mem_calloc(g->n_workers, sizeof(*g->workers));
    list_init(&g->preloads);
    loop_timer_init(&g->timer, on_timer);
    recycle_init(g);
    loop_task_init(&g->free_task, free_generation);
    for (uint32_t i = 0; i < g->n_workers; i++)
        worker_init(&g->workers[i], g, i);
    list_push_back(&super->generations, &g->link);
    return g;
}

struct generation *generation_new(struct super *super, struct plan *plan)
{
    struct generation *g = make(super, plan, ++super->last_generation, second_edge_choose(super));

    generation_introduce(g);
    return g;
}

struct generation *generation_restore(struct super *super, struct plan *plan, const struct handover *h)
{
    struct generation *g = make(super, plan, h->generation, super->edge);

    memcpy(g->pool_fds, h->pool_fds, h->n_pool_fds * sizeof(int));
    g->n_pool_fds = h->n_pool_fds;
    g->state = GENERATION_SERVING;
    g->release = h->release != 0 ? h->release : h->generation;
    return g;
}

void generation_go_on(struct generation *g)
{
    recycle_start(g);
}

static void send_open(struct generation *g)
{
    struct wire_message m = { .type = WIRE_POOL_OPEN,
                              .generation = g->number,
                              .number = (uint64_t)g->n_workers << 32 | g->threads };

    channel_send(&g->edge->channel, &m);
    loop_timer_set(g->super->loop, &g->timer, POOL_WAIT_NS);
}

static void send_adopt(struct generation *g)
{
    struct wire_message m = { .type = WIRE_POOL_ADOPT, .generation = g->number, .n_fds = g->n_pool_fds };

    memcpy(m.fds, g->pool_fds, g->n_pool_fds * sizeof(int));
    m.number = (uint64_t)g->n_workers << 32 | g->threads;
    channel_send(&g->edge->channel, &m);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        enum child_state state = g->workers[i].child->state;

        /* One that is ending has closed its seats: the edge must not open them again. */
        if (state == CHILD_BOOTING || state == CHILD_UP)
            worker_join_again(&g->workers[i]);
    }
}

void generation_introduce(struct generation *g)
{
    if (g->edge->channel.fd < 0)
        return;
    if (g->state == GENERATION_OPENING)
        send_open(g);
    else if (g->state == GENERATION_BOOTING || g->state == GENERATION_SERVING || g->state == GENERATION_KEPT)
        send_adopt(g);
}

bool generation_take_pool(struct generation *g, struct wire_message *message)
{
    if (g->state != GENERATION_OPENING)
        return false;
    set_state(g, GENERATION_BOOTING);
    for (size_t i = 0; i < message->n_fds; i++) {
        g->pool_fds[i] = message->fds[i];
        message->fds[i] = -1;
    }
    g->n_pool_fds = message->n_fds;
    /* A worker that cannot even be spawned fails the generation on the way. */
    for (uint32_t i = 0; i < g->n_workers && g->state == GENERATION_BOOTING; i++)
        child_start(g->workers[i].child);
    return true;
}

bool generation_takes_requests(const struct generation *g)
{
    return g->state == GENERATION_SERVING && g->super->state < SUPER_STOPPING;
}

bool generation_needs_workers(const struct generation *g)
{
    return g->state == GENERATION_SERVING || g->state == GENERATION_KEPT;
}

uint32_t generation_workers_up(const struct generation *g)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->n_workers; i++)
        n += g->workers[i].child->state == CHILD_UP;
    return n;
}

bool generation_is_whole(const struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (!g->workers[i].booted)
            return false;
    return true;
}

void generation_worker_ready(struct generation *g)
{
    if (generation_takes_requests(g)) {
        roll_step(g->super);
        super_generation_grew(g->super, g);
    }
    if (g->state != GENERATION_BOOTING)
        return;
    reload_worker_ready(g->super, g);
    if (generation_workers_up(g) < g->n_workers && !super_waits_for(g->super, g))
        return;
    set_state(g, GENERATION_READY);
    super_generation_ready(g->super, g);
}

/* Workers that died while it drained were not replaced. One whose successor is still ending follows when that has ended. A kept generation ends
 * with the first that cannot even be started. */
static void revive(struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers && generation_needs_workers(g); i++)
        if (worker_is_down(&g->workers[i]))
            child_start(g->workers[i].child);
}

void generation_serve(struct generation *g)
{
    set_state(g, GENERATION_SERVING);
    revive(g);
    channel_tell(&g->edge->channel, WIRE_SWITCH, g->number, 0);
    recycle_start(g);
}

void generation_drain(struct generation *g)
{
    set_state(g, GENERATION_DRAINING);
    recycle_stop(g);
    for (uint32_t i = 0; i < g->n_workers; i++)
        worker_cancel(&g->workers[i]);
    loop_timer_set(g->super->loop, &g->timer, g->plan->conf->graceful_timeout + 1);
}

static uint64_t keep_time(const struct super *super)
{
    return super->state == SUPER_RUNNING && super->serving != NULL ? super->serving->plan->conf->keep_generation : 0;
}

void generation_stop_kept(struct super *super)
{
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->state == GENERATION_KEPT)
            generation_stop(g, GENERATION_IDLE_GRACE_NS);
    }
}

static void keep(struct generation *g, uint64_t time_ns)
{
    generation_stop_kept(g->super); /* one is kept */
    set_state(g, GENERATION_KEPT);
    loop_timer_set(g->super->loop, &g->timer, time_ns);
    revive(g);
    if (g->state != GENERATION_KEPT)
        return;
    log_event(g->super->log, LOG_INFO, "the previous generation is kept", LOG_N("generation", g->release),
              LOG_N("seconds", time_ns / NS_PER_SEC));
    super_generation_kept(g->super);
}

void generation_idle(struct generation *g)
{
    uint64_t time_ns = keep_time(g->super);

    if (time_ns > 0 && g->edge == g->super->edge)
        keep(g, time_ns);
    else
        generation_stop(g, GENERATION_IDLE_GRACE_NS);
}

struct generation *generation_previous(struct super *super)
{
    for (struct list *link = super->generations.prev; link != &super->generations; link = link->prev) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        /* One of a program that has been taken over from ends with its edge. */
        if (g->state == GENERATION_DRAINING && g->edge == super->edge && keep_time(super) > 0)
            return g;
    }
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->state == GENERATION_KEPT)
            return g;
    }
    return NULL;
}

static bool all_down(const struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (!worker_is_down(&g->workers[i]))
            return false;
    return list_empty(&g->preloads);
}

static void end(struct generation *g)
{
    if (g->state == GENERATION_ENDED)
        return;
    set_state(g, GENERATION_ENDED);
    list_remove(&g->link);
    channel_tell(&g->edge->channel, WIRE_POOL_CLOSE, g->number, 0);
    loop_defer(g->super->loop, &g->free_task);
    super_generation_ended(g->super, g);
}

void generation_stop(struct generation *g, uint64_t grace_ns)
{
    set_state(g, GENERATION_STOPPING);
    recycle_stop(g);
    for (uint32_t i = 0; i < g->n_workers; i++)
        worker_stop(&g->workers[i], grace_ns);
    preload_stop_all(g, grace_ns);
    if (all_down(g))
        end(g);
}

void generation_worker_down(struct generation *g)
{
    if (g->state == GENERATION_STOPPING && all_down(g))
        end(g);
    else if (generation_takes_requests(g))
        roll_step(g->super);
    recycle_step(g);
}

struct generation *generation_find(struct super *super, uint32_t number)
{
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->number == number)
            return g;
    }
    return NULL;
}

struct worker *generation_worker(struct super *super, uint32_t number, uint32_t index)
{
    struct generation *g = generation_find(super, number);

    return g != NULL && index < g->n_workers ? &g->workers[index] : NULL;
}
