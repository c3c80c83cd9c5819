/* Reloads: from the request to the old generation's end. */
#include "super/reload.h"

#include <stdio.h>

#include "base/mem.h"
#include "super/certs.h"
#include "super/roles.h"
#include "super/script.h"
#include "super/secrets.h"
#include "super/super.h"

#define LOOK_NS (1 * NS_PER_SEC)         /* between two looks at what is left of a drain */
#define FAILED_GRACE_NS (1 * NS_PER_SEC) /* for the other workers of a generation that did not boot */

static const char *const state_names[] = {
    [RELOAD_IDLE] = "idle",       [RELOAD_WAITING] = "waiting", [RELOAD_INSPECTING] = "inspecting",
    [RELOAD_BOOTING] = "booting", [RELOAD_ROLLING] = "rolling", [RELOAD_DRAINING] = "draining",
};

const char *reload_state_name(enum reload_state state)
{
    return state_names[state];
}

uint64_t reload_next_round(const struct reload *reload)
{
    return reload->round + 1;
}

static double seconds_since(uint64_t ns)
{
    return (double)((clock_mono_ns() - ns) / NS_PER_MS) / 1000.0;
}

/* ---- what people hear ---- */

void reload_progress(struct super *super, uint32_t release, const char *message, const char *text)
{
    log_event(super->log, LOG_INFO, message, LOG_N("generation", release));
    control_reload_progress(&super->control, super->reload.round, text != NULL ? text : message);
}

/* The last line of the command: what serves, and what became of what served before. */
static void summary(const struct super *super, char *out, size_t size)
{
    const struct reload *reload = &super->reload;
    bool kept = false;

    LIST_EACH(link, &super->generations)
        kept = kept || CONTAINER_OF(link, struct generation, link)->state == GENERATION_KEPT;
    if (reload->kind == RELOAD_EDGE)
        (void)snprintf(out, size,
                       "the edge has the configuration and certificates that are there now; no worker was touched");
    else if (reload->state == RELOAD_ROLLING)
        (void)snprintf(out, size, "reloaded: all workers have been replaced by generation %u, in %.1f s",
                       super->serving->release, seconds_since(reload->started_ns));
    else
        (void)snprintf(out, size, "generation %u serves, the one before is %s, after %.1f s", super->serving->release,
                       kept ? "kept for `quintet rollback`" : "gone", seconds_since(reload->started_ns));
}

static void begin(struct super *super);

static void go_on(struct super *super)
{
    struct reload *reload = &super->reload;

    if (reload->again == RELOAD_NOTHING)
        return;
    reload->kind = reload->again;
    reload->again = RELOAD_NOTHING;
    begin(super);
}

void reload_finish(struct super *super, const char *error)
{
    struct reload *reload = &super->reload;
    char text[256] = "";

    if (error == NULL)
        summary(super, text, sizeof(text));
    reload->state = RELOAD_IDLE;
    reload->next = NULL;
    loop_timer_stop(super->loop, &reload->timer);
    if (error != NULL)
        logs_block(&super->logs, LOG_ERROR, "reload failed: the serving generation stays", error);
    else
        log_event(super->log, LOG_INFO, "reload done", LOG_N("ms", (clock_mono_ns() - reload->started_ns) / NS_PER_MS));
    control_reload_done(&super->control, reload->round, error, text);
    roll_end(super); /* after the last use of its words */
    systemd_ready(super);
    go_on(super);
    if (super->serving != NULL && reload->state == RELOAD_IDLE)
        recycle_step(super->serving); /* it has waited */
}

/* ---- the plan ---- */

static void warn_fixed(struct super *super, const struct plan *plan)
{
    struct buf names, text;

    buf_init(&names, 4096);
    buf_init(&text, 8192);
    if (conf_restart_needed(super->started->builder, plan->builder, &names) == 0 && names.len > 0) {
        log_event(super->log, LOG_WARNING, "changed options that take effect at the next start only",
                  LOG_S("options", buf_str(&names)));
        if (buf_printf(&text, "not applied before the next start: " STR_FMT, STR_ARG(buf_str(&names))) == 0 &&
            buf_add_char(&text, '\0') == 0)
            control_reload_progress(&super->control, super->reload.round, text.data);
    }
    buf_fini(&text);
    buf_fini(&names);
}

static void boot_beside(struct super *super, struct plan *plan)
{
    struct reload *reload = &super->reload;
    char text[96];

    (void)snprintf(text, sizeof(text), "generation %u boots with %u worker%s", super->last_generation + 1,
                   plan->workers, plan->workers == 1 ? "" : "s");
    reload->state = RELOAD_BOOTING;
    reload_progress(super, super->last_generation + 1, "the new generation boots", text);
    reload->next = generation_new(super, plan);
    second_edge_start(super, reload->next);
}

static void boot(struct super *super, struct plan *plan)
{
    if (super->second.wanted) {
        boot_beside(super, plan);
        return;
    }
    if (plan->conf->reload_strategy == CONF_RELOAD_ROLLING && roll_fits(super, plan)) {
        super->reload.state = RELOAD_ROLLING;
        roll_start(super, plan);
        return;
    }
    if (plan->conf->reload_strategy == CONF_RELOAD_ROLLING)
        reload_progress(super, super->last_generation + 1,
                        "the number of workers or threads changes: all new workers boot beside the old ones this time",
                        NULL);
    boot_beside(super, plan);
}

static void warn_not_applied(struct super *super, const struct plan *plan)
{
    struct buf names, text;

    buf_init(&names, 4096);
    buf_init(&text, 8192);
    if (conf_workers_needed(super->serving->plan->builder, plan->builder, &names) == 0 && names.len > 0 &&
        buf_printf(&text, "not applied, as they concern the workers: " STR_FMT "; `quintet reload` does",
                   STR_ARG(buf_str(&names))) == 0 &&
        buf_add_char(&text, '\0') == 0)
        reload_progress(super, super->serving->release, text.data, NULL);
    buf_fini(&text);
    buf_fini(&names);
}

/* The workers, and those that take their places, keep the plan they were started with. */
static void configure_edge(struct super *super, struct plan *plan)
{
    struct generation *g = super->serving;

    warn_not_applied(super, plan);
    plan_free(g->plan);
    g->plan = plan;
    super_configure_edge(super);
    if (super->edge->channel.fd >= 0)
        role_edge_start(super->edge);
    recycle_start(g);
    reload_finish(super, NULL);
}

/* Owns plan from here on. */
static void planned(struct super *super, struct plan *plan)
{
    struct why *why = mem_zalloc(sizeof(*why));
    struct tls_ctx *ctx = NULL;
    int r = plan_finish(plan, super->more_workers, why);

    if (r == 0)
        r = plan_check(plan, why);
    if (r == 0 && plan->conf->certfile.n > 0)
        r = certs_check(plan->conf, &ctx, why);
    tls_ctx_unref(ctx);
    if (r == 0)
        r = secrets_check(plan->conf, why);
    if (r == 0 && super->reload.kind != RELOAD_EDGE)
        r = second_edge_prepare(super, plan, why);
    if (r != 0) {
        plan_free(plan);
        reload_finish(super, why->text);
    } else {
        if (!super->second.wanted)
            warn_fixed(super, plan);
        if (super->reload.kind == RELOAD_EDGE)
            configure_edge(super, plan);
        else
            boot(super, plan);
    }
    mem_free(why);
}

static void inspected(void *arg, int result, const struct why *why)
{
    struct super *super = arg;
    struct plan *plan = super->reload.plan;

    super->reload.plan = NULL;
    if (result == 0) {
        planned(super, plan);
        return;
    }
    plan_free(plan);
    reload_finish(super, why->text);
}

static void read_plan(struct super *super)
{
    struct reload *reload = &super->reload;
    struct why *why = mem_zalloc(sizeof(*why));

    reload->state = RELOAD_INSPECTING;
    if (plan_read(&super->launch, &reload->plan, why) != 0) {
        reload_finish(super, why->text);
    } else if (inspect_wanted(reload->plan)) {
        int r = inspect_start(&reload->inspect, reload->plan, inspected, super);

        if (r != 0) {
            (void)script_cannot_run(reload->plan, r, why);
            inspected(super, EXIT_FAILED, why);
        }
    } else {
        inspected(super, 0, why);
    }
    mem_free(why);
}

/* ---- rounds ---- */

/* Reloads that fail in quick succession leave generations that take a second to end. */
static bool too_many(const struct super *super)
{
    size_t n = 0;

    LIST_EACH(link, &super->generations)
        n++;
    return n >= GENERATIONS_MAX;
}

static void begin(struct super *super)
{
    struct reload *reload = &super->reload;

    reload->round++;
    reload->started_ns = clock_mono_ns();
    systemd_reloading(super);
    if (reload->kind != RELOAD_EDGE && too_many(super)) {
        reload->state = RELOAD_WAITING;
        reload_progress(super, super->serving->release, "an older generation has to end first", NULL);
    } else {
        read_plan(super);
    }
}

void reload_request(struct super *super, enum reload_kind kind, const char *why)
{
    struct reload *reload = &super->reload;

    if (super->state >= SUPER_LEAVING)
        return;
    log_event(super->log, LOG_INFO, "reload", LOG_Z("why", why));
    reload->again = kind > reload->again ? kind : reload->again;
    if (super->state != SUPER_STARTING && reload->state == RELOAD_IDLE)
        go_on(super);
}

void reload_worker_ready(struct super *super, struct generation *generation)
{
    char text[96];

    if (super->reload.next != generation)
        return;
    (void)snprintf(text, sizeof(text), "worker %u of %u is ready after %.1f s", generation_workers_up(generation),
                   generation->n_workers, seconds_since(super->reload.started_ns));
    control_reload_progress(&super->control, super->reload.round, text);
}

/* ---- the drain ---- */

/* Everybody else is gone or kept. */
static bool is_settled(const struct super *super)
{
    LIST_EACH(link, &super->generations) {
        const struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g != super->serving && g->state != GENERATION_KEPT)
            return false;
    }
    return true;
}

void reload_settled(struct super *super)
{
    struct reload *reload = &super->reload;

    if (reload->state == RELOAD_DRAINING && is_settled(super))
        reload_finish(super, NULL);
    else if (reload->state == RELOAD_WAITING && !too_many(super))
        read_plan(super);
}

static void look(struct loop_timer *timer)
{
    struct super *super = CONTAINER_OF(CONTAINER_OF(timer, struct reload, timer), struct super, reload);

    control_ask_edge(&super->control);
    loop_timer_set(super->loop, timer, LOOK_NS);
}

void reload_edge_status(struct super *super, const json_t *edge)
{
    size_t i;
    json_t *item;
    char text[96];

    if (super->reload.state != RELOAD_DRAINING)
        return;
    json_array_foreach(json_object_get(edge, "generations"), i, item)
    {
        uint32_t number = (uint32_t)json_integer_value(json_object_get(item, "generation"));
        long long left = json_integer_value(json_object_get(item, "slots_used"));
        const struct generation *g = generation_find(super, number);

        if (g == NULL || g->state != GENERATION_DRAINING)
            continue;
        (void)snprintf(text, sizeof(text), "generation %u drains: %lld request%s left", g->release, left,
                       left == 1 ? "" : "s");
        control_reload_progress(&super->control, super->reload.round, text);
    }
}

static void drain(struct super *super, struct generation *generation)
{
    struct reload *reload = &super->reload;
    char text[96];

    reload->next = NULL;
    reload->state = RELOAD_DRAINING;
    (void)snprintf(text, sizeof(text), "generation %u serves after %.1f s; the one before drains", generation->release,
                   seconds_since(reload->started_ns));
    reload_progress(super, generation->release, "the new generation serves; the old one drains", text);
    loop_timer_set(super->loop, &reload->timer, LOOK_NS);
    reload_settled(super);
}

void reload_ready(struct super *super, struct generation *generation)
{
    if (super->reload.next == generation)
        drain(super, generation);
    else
        go_on(super); /* what was asked for while the first generation booted */
}

void reload_failed(struct super *super, struct generation *generation, const char *text)
{
    if (super->reload.next != generation)
        return;
    generation_stop(generation, FAILED_GRACE_NS);
    reload_finish(super, text);
}

/* Whoever waits for it is told why there will be none. */
static void drop_next_round(struct super *super, const char *why)
{
    super->reload.again = RELOAD_NOTHING;
    control_reload_done(&super->control, reload_next_round(&super->reload), why, NULL);
}

/* ---- rollback ---- */

/* Nobody rolls back to have it undone a moment later. */
static const char overtaken[] = "a rollback came before its turn";

const char *reload_give_up(struct super *super)
{
    static const char why[] = "given up: `quintet rollback`";
    struct reload *reload = &super->reload;

    if (reload->state == RELOAD_IDLE || reload->state == RELOAD_DRAINING)
        return NULL;
    drop_next_round(super, overtaken);
    if (reload->state == RELOAD_ROLLING) {
        roll_back(super, why);
        return "the rolling reload under way goes back to the old code";
    }
    inspect_cancel(&reload->inspect);
    plan_free(reload->plan);
    reload->plan = NULL;
    if (reload->next != NULL)
        generation_stop(reload->next, FAILED_GRACE_NS);
    reload_finish(super, why);
    return "the reload under way is given up: what serves goes on";
}

const char *reload_prepare_rollback(struct super *super)
{
    struct reload *reload = &super->reload;
    struct generation *g = super->state == SUPER_RUNNING ? generation_previous(super) : NULL;

    if (super->state != SUPER_RUNNING)
        return "the server is starting or stopping";
    if (g == NULL)
        return super->serving->plan->conf->keep_generation > 0
                   ? "no previous generation is kept: there was no reload yet, it was a rolling one, or the time of "
                     "--keep-generation is over"
                   : "no previous generation is kept: --keep-generation TIME keeps it for so long after a reload";
    if (generation_workers_up(g) == 0)
        return "the previous generation has no worker that is ready";
    drop_next_round(super, overtaken);
    if (reload->state == RELOAD_DRAINING)
        control_reload_done(&super->control, reload->round, "rolled back", NULL);
    reload->round++;
    reload->state = RELOAD_IDLE;
    return NULL;
}

void reload_rollback(struct super *super)
{
    struct reload *reload = &super->reload;
    struct generation *g = generation_previous(super);

    reload->round++;
    reload->kind = RELOAD_ALL;
    reload->started_ns = clock_mono_ns();
    log_event(super->log, LOG_INFO, "rollback", LOG_N("from", super->serving->release), LOG_N("to", g->release));
    systemd_reloading(super);
    super_switch(super, g);
    drain(super, g);
}

/* ---- life ---- */

void reload_init(struct super *super)
{
    inspect_init(&super->reload.inspect, super->loop);
    loop_timer_init(&super->reload.timer, look);
}

void reload_abort(struct super *super)
{
    struct reload *reload = &super->reload;

    inspect_cancel(&reload->inspect);
    plan_free(reload->plan);
    reload->plan = NULL;
    drop_next_round(super, "the server is stopping");
    roll_end(super);
    if (reload->state != RELOAD_IDLE)
        control_reload_done(&super->control, reload->round, "the server is stopping", NULL);
    reload->state = RELOAD_IDLE;
    reload->next = NULL;
    loop_timer_stop(super->loop, &reload->timer);
}
