/* Generations: from the pool to the last worker's end. */
#include "super/generation.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "super/roles.h"
#include "super/super.h"

#define POOL_WAIT_NS (10 * NS_PER_SEC)

static const char *const state_names[] = {
    [GENERATION_OPENING] = "opening", [GENERATION_BOOTING] = "booting",   [GENERATION_READY] = "ready",
    [GENERATION_SERVING] = "serving", [GENERATION_DRAINING] = "draining", [GENERATION_STOPPING] = "stopping",
    [GENERATION_ENDED] = "ended",
};

const char *generation_state_name(enum generation_state state)
{
    return state_names[state];
}

static void free_generation(struct loop_task *task)
{
    struct generation *g = CONTAINER_OF(task, struct generation, free_task);

    for (uint32_t i = 0; i < g->n_workers; i++)
        child_fini(&g->workers[i].child);
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
    log_event(g->super->log, LOG_WARNING, "requests of the old generation did not end in time: cut off",
              LOG_N("generation", g->number));
    generation_stop(g, CHILD_LEAVE_NS);
}

static void set_state(struct generation *g, enum generation_state state)
{
    g->state = state;
    loop_timer_stop(g->super->loop, &g->timer);
}

struct generation *generation_new(struct super *super, struct plan *plan)
{
    struct generation *g = mem_zalloc(sizeof(*g));

    g->super = super;
    g->edge = super->edge;
    g->number = ++super->last_generation;
    g->plan = plan;
    g->n_workers = plan->workers;
    g->workers = mem_calloc(g->n_workers, sizeof(*g->workers));
    loop_timer_init(&g->timer, on_timer);
    loop_task_init(&g->free_task, free_generation);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        struct worker *w = &g->workers[i];

        w->generation = g;
        w->index = i;
        (void)snprintf(w->title, sizeof(w->title), "worker %u", i + 1);
        child_init(&w->child, &role_worker, super->loop, super->log);
        w->child.owner = w;
        w->child.title = w->title;
    }
    list_push_back(&super->generations, &g->link);
    generation_introduce(g);
    return g;
}

void generation_join(struct worker *w, int edge_end)
{
    struct wire_message join = { .type = WIRE_WORKER_JOIN,
                                 .generation = w->generation->number,
                                 .worker = w->index,
                                 .pid = w->child.pid,
                                 .n_fds = 1,
                                 .fds = { edge_end } };

    if (w->generation->edge->channel.fd >= 0)
        channel_send(&w->generation->edge->channel, &join);
}

/* A worker that lived before this edge: both get an end of a new channel. */
static void join_again(struct worker *w)
{
    struct wire_message edge = { .type = WIRE_EDGE, .n_fds = 1 };
    int pair[2];
    int error = wire_pair(pair);

    if (error != 0) {
        log_event(w->child.log, LOG_ERROR, "cannot connect a worker to the edge", LOG_N("worker", w->index + 1),
                  LOG_Z("why", why_errno(error)));
        child_kill(&w->child, "no channel to the edge");
        return;
    }
    generation_join(w, pair[0]);
    edge.fds[0] = pair[1];
    channel_send(&w->child.channel, &edge);
    close(pair[0]);
    close(pair[1]);
}

static void send_open(struct generation *g)
{
    struct wire_message m = { .type = WIRE_POOL_OPEN,
                              .generation = g->number,
                              .number = (uint64_t)g->plan->workers << 32 | g->plan->threads };

    channel_send(&g->edge->channel, &m);
    loop_timer_set(g->super->loop, &g->timer, POOL_WAIT_NS);
}

static void send_adopt(struct generation *g)
{
    struct wire_message m = { .type = WIRE_POOL_ADOPT, .generation = g->number, .n_fds = g->n_pool_fds };

    memcpy(m.fds, g->pool_fds, g->n_pool_fds * sizeof(int));
    m.number = (uint64_t)g->plan->workers << 32 | g->plan->threads;
    channel_send(&g->edge->channel, &m);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        struct child *child = &g->workers[i].child;

        /* One that is ending has closed its seats: the edge must not open them again. */
        if (child->state == CHILD_BOOTING || child->state == CHILD_UP)
            join_again(&g->workers[i]);
    }
}

void generation_introduce(struct generation *g)
{
    if (g->edge->channel.fd < 0)
        return;
    if (g->state == GENERATION_OPENING)
        send_open(g);
    else if (g->state == GENERATION_BOOTING || g->state == GENERATION_SERVING)
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
        child_start(&g->workers[i].child);
    return true;
}

void generation_worker_ready(struct generation *g)
{
    if (g->state != GENERATION_BOOTING)
        return;
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (g->workers[i].child.state != CHILD_UP)
            return;
    set_state(g, GENERATION_READY);
    super_generation_ready(g->super, g);
}

void generation_serve(struct generation *g)
{
    set_state(g, GENERATION_SERVING);
    channel_tell(&g->edge->channel, WIRE_SWITCH, g->number, 0);
}

void generation_drain(struct generation *g)
{
    set_state(g, GENERATION_DRAINING);
    loop_timer_set(g->super->loop, &g->timer, g->plan->conf->graceful_timeout + 1);
}

void generation_idle(struct generation *g)
{
    generation_stop(g, GENERATION_IDLE_GRACE_NS);
}

static bool all_down(const struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (g->workers[i].child.state != CHILD_DOWN)
            return false;
    return true;
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
    for (uint32_t i = 0; i < g->n_workers; i++)
        child_stop(&g->workers[i].child, grace_ns);
    if (all_down(g))
        end(g);
}

void generation_worker_down(struct generation *g)
{
    if (g->state == GENERATION_STOPPING && all_down(g))
        end(g);
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
