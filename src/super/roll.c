/* The rolling reload: one worker after the other, or back. */
#include "super/roll.h"

#include <stdio.h>

#include "base/mem.h"
#include "super/roles.h"
#include "super/super.h"

bool roll_fits(const struct super *super, const struct plan *plan)
{
    return plan->workers == super->serving->n_workers && plan->threads == super->serving->threads;
}

void roll_end(struct super *super)
{
    struct roll *roll = &super->reload.roll;

    plan_free(roll->plan);
    mem_free(roll->error);
    *roll = (struct roll){ 0 };
}

void roll_start(struct super *super, struct plan *plan)
{
    super->reload.roll = (struct roll){ .plan = plan, .release = ++super->last_generation };
    roll_step(super);
}

/* Where we are going: on, or back to what the generation has. */
static struct plan *target(const struct super *super, uint32_t *release)
{
    const struct roll *roll = &super->reload.roll;

    *release = roll->error == NULL ? roll->release : super->serving->release;
    return roll->error == NULL ? roll->plan : super->serving->plan;
}

static void arrived(struct super *super)
{
    struct roll *roll = &super->reload.roll;
    struct generation *g = super->serving;
    struct plan *old = g->plan;

    if (roll->error == NULL) {
        g->plan = plan_ref(roll->plan);
        g->release = roll->release;
        plan_free(old);
        super_configure_edge(super);
        role_edge_start(super->edge);
        recycle_start(g);
    }
    reload_finish(super, roll->error);
}

static void replace(struct super *super, struct worker *w, struct plan *plan, uint32_t release)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "worker %u of %u is replaced", w->index + 1, super->serving->n_workers);
    reload_progress(super, release, "the next worker is replaced", text);
    worker_succeed_with(w, plan, release);
}

void roll_step(struct super *super)
{
    struct generation *g = super->serving;
    struct plan *plan;
    uint32_t release;

    if (super->reload.state != RELOAD_ROLLING)
        return;
    plan = target(super, &release);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        struct worker *w = &g->workers[i];
        bool there = worker_process_of(w->child)->release == release;

        if (!there && w->next == NULL)
            replace(super, w, plan, release);
        if (!there || w->next != NULL || w->child->state != CHILD_UP)
            return;
    }
    arrived(super);
}

/* The successor that boots now, if it is of the release we no longer want, ends; its end is the next step. */
void roll_back(struct super *super, const char *why)
{
    struct roll *roll = &super->reload.roll;
    struct generation *g = super->serving;

    if (roll->error != NULL)
        return;
    roll->error = mem_strdup(why);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        struct worker *w = &g->workers[i];

        if (w->next != NULL && worker_process_of(w->next)->release == roll->release)
            worker_cancel(w);
    }
    roll_step(super);
}

static void cannot_go_back(struct super *super, const char *text)
{
    struct buf all;

    buf_init(&all, 2 * WIRE_TEXT_MAX);
    if (buf_printf(&all,
                   "%s\nAnd what served before does not boot any more, so that some workers run the new code:\n%s",
                   super->reload.roll.error, text) == 0 &&
        buf_add_char(&all, '\0') == 0)
        reload_finish(super, all.data);
    else
        reload_finish(super, text);
    buf_fini(&all);
}

bool roll_boot_failed(struct child *child, const char *text, bool *again)
{
    struct worker *w = child->owner;
    struct super *super = w->generation->super;
    struct roll *roll = &super->reload.roll;
    uint32_t release;

    if (super->reload.state != RELOAD_ROLLING)
        return false;
    (void)target(super, &release);
    if (worker_process_of(child)->release != release)
        return false;
    *again = child != w->next;
    if (roll->error != NULL) {
        cannot_go_back(super, text);
        return true;
    }
    roll->error = mem_strdup(text);
    reload_progress(super, super->serving->release, "a new worker does not boot: back to the old code", NULL);
    if (*again) /* its predecessor has died meanwhile: the old code in its place */
        worker_set_release(child, super->serving->plan, super->serving->release);
    return true;
}
