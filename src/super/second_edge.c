/* A second edge beside the first. */
#include "super/second_edge.h"

#include <stdio.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "super/roles.h"
#include "super/super.h"

#define EDGE_GRACE_NS (2 * NS_PER_SEC) /* for an edge to write its last log lines */

static struct child *other_edge(struct super *super)
{
    return &super->edges[super->edge == &super->edges[0]];
}

const struct child *second_edge_other(const struct super *super)
{
    return &super->edges[super->edge == &super->edges[0]];
}

/* The newest generation of an edge; NULL: none. */
static struct generation *generation_of(const struct super *super, const struct child *edge)
{
    struct generation *found = NULL;

    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->edge == edge)
            found = g;
    }
    return found;
}

/* ---- start ---- */

static void start_now(struct loop_task *task)
{
    struct super *super = CONTAINER_OF(task, struct second_edge, start_task)->super;
    struct generation *g = generation_of(super, other_edge(super));

    if (g != NULL && g->state == GENERATION_OPENING)
        second_edge_start(super, g);
}

void second_edge_init(struct super *super)
{
    super->second = (struct second_edge){ .super = super };
    loop_task_init(&super->second.start_task, start_now);
}

int second_edge_prepare(struct super *super, const struct plan *plan, struct why *why)
{
    if (!super->second.wanted)
        return 0;
    listeners_close_copies(&super->second.listeners); /* of an attempt that failed */
    return listeners_copy(&super->second.listeners, plan->conf, &super->listeners, why);
}

struct child *second_edge_choose(struct super *super)
{
    return super->second.wanted ? other_edge(super) : super->edge;
}

void second_edge_start(struct super *super, struct generation *g)
{
    /* The edge of an attempt that failed may be about to end: second_edge_down goes on then. */
    if (g->edge != super->edge && g->edge->state == CHILD_DOWN)
        child_start(g->edge);
}

const struct plan *second_edge_plan(const struct super *super, const struct child *edge)
{
    const struct generation *g = edge == super->edge ? NULL : generation_of(super, edge);

    return g != NULL ? g->plan : super_plan(super);
}

const struct listeners *second_edge_listeners(const struct super *super, const struct child *edge)
{
    return edge == super->edge ? &super->listeners : &super->second.listeners;
}

/* ---- the switch ---- */

void second_edge_serve(struct super *super, struct generation *g)
{
    struct listeners before = super->listeners;

    super->edge = g->edge;
    super->serving = g;
    super->second.wanted = false;
    super->listeners = super->second.listeners;
    super->second.listeners = (struct listeners){ 0 };
    listeners_close_others(&before, &super->listeners);
    super_reopen_logs(super, g->plan);
    role_edge_logs(super);
    generation_serve(g);
    role_edge_start(super->edge);
    log_event(super->log, LOG_INFO, "new connections go to a new edge", LOG_N("pid", super->edge->pid));
}

void second_edge_drain_other(struct super *super)
{
    struct wire_message drain = { .type = WIRE_DRAIN, .number = 1 };
    struct child *edge = other_edge(super);
    struct generation *g = generation_of(super, edge);

    if (g == NULL || g->state != GENERATION_SERVING || g == super->serving)
        return;
    log_event(super->log, LOG_INFO, "the edge before finishes its connections", LOG_N("pid", edge->pid));
    channel_send(&edge->channel, &drain);
    generation_drain(g);
}

bool second_edge_is_draining(const struct super *super)
{
    LIST_EACH(link, &super->generations) {
        const struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->edge != super->edge && g->state == GENERATION_DRAINING)
            return true;
    }
    return false;
}

/* ---- ends ---- */

/* Nobody waits for what these were doing any more. */
static void end_generations(struct super *super, const struct child *edge)
{
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->edge == edge && (g->state == GENERATION_DRAINING || g->state == GENERATION_SERVING))
            generation_stop(g, GENERATION_IDLE_GRACE_NS);
    }
}

void second_edge_drained(struct super *super, struct child *edge)
{
    end_generations(super, edge);
}

void second_edge_gone(struct super *super, struct child *edge, int status)
{
    struct generation *g = generation_of(super, edge);
    char how[128], text[160];

    if (!edge->wanted || g == NULL)
        return;
    if (g->state < GENERATION_SERVING) {
        child_describe_end(status, how, sizeof(how));
        (void)snprintf(text, sizeof(text), "the new edge: %s", how);
        super_generation_failed(super, g, text);
        return;
    }
    log_event(super->log, LOG_ERROR, "the edge before died: what it had not finished is lost", LOG_N("pid", edge->pid));
    end_generations(super, edge);
}

void second_edge_down(struct super *super, struct child *edge)
{
    struct generation *g = generation_of(super, edge);

    if (edge != super->edge && g != NULL && g->state == GENERATION_OPENING && super->state <= SUPER_LEAVING)
        loop_defer(super->loop, &super->second.start_task);
}

void second_edge_release(struct super *super, struct generation *g)
{
    if (g->edge == super->edge || generation_of(super, g->edge) != NULL)
        return;
    if (super->second.wanted) /* an attempt that failed: nobody will accept what it has bound */
        listeners_close_copies(&super->second.listeners);
    child_stop(g->edge, EDGE_GRACE_NS);
}
