/* Reloads: from the request to the old generation's end. */
#include "super/reload.h"

#include <stdio.h>

#include "base/mem.h"
#include "super/certs.h"
#include "super/script.h"
#include "super/super.h"

#define FAILED_GRACE_NS (1 * NS_PER_SEC) /* for the other workers of a generation that did not boot */

static const char *const state_names[] = {
    [RELOAD_IDLE] = "idle",
    [RELOAD_INSPECTING] = "inspecting",
    [RELOAD_BOOTING] = "booting",
    [RELOAD_DRAINING] = "draining",
};

const char *reload_state_name(enum reload_state state)
{
    return state_names[state];
}

void reload_init(struct super *super)
{
    inspect_init(&super->reload.inspect, super->loop);
}

uint64_t reload_next_round(const struct reload *reload)
{
    return reload->round + 1;
}

static void progress(struct super *super, const struct generation *generation, const char *text)
{
    log_event(super->log, LOG_INFO, text, LOG_N("generation", generation->number));
    control_reload_progress(&super->control, super->reload.round, text);
}

static void begin(struct super *super);

static void finish(struct super *super, const char *error)
{
    struct reload *reload = &super->reload;
    uint64_t round = reload->round;

    reload->state = RELOAD_IDLE;
    reload->next = NULL;
    if (error != NULL)
        logs_block(&super->logs, LOG_ERROR, "reload failed: the serving generation stays", error);
    else
        log_event(super->log, LOG_INFO, "reload done", LOG_N("ms", (clock_mono_ns() - reload->started_ns) / NS_PER_MS));
    control_reload_done(&super->control, round, error);
    systemd_ready(super);
    if (reload->again) {
        reload->again = false;
        begin(super);
    }
}

static void warn_fixed(struct super *super, const struct plan *plan)
{
    struct buf names;

    buf_init(&names, 4096);
    if (conf_restart_needed(super->serving->plan->builder, plan->builder, &names) == 0 && names.len > 0)
        log_event(super->log, LOG_WARNING, "changed options that take effect at the next start only",
                  LOG_S("options", buf_str(&names)));
    buf_fini(&names);
}

/* Owns plan from here on. */
static void boot(struct super *super, struct plan *plan)
{
    struct reload *reload = &super->reload;
    struct why *why = mem_zalloc(sizeof(*why));
    int64_t expires;
    int r = plan_finish(plan, super->more_workers, why);

    if (r == 0)
        r = plan_check(plan, why);
    if (r == 0 && plan->conf->certfile.n > 0)
        r = certs_check(plan->conf, &expires, why);
    if (r != 0) {
        plan_free(plan);
        finish(super, why->text);
        mem_free(why);
        return;
    }
    mem_free(why);
    warn_fixed(super, plan);
    reload->state = RELOAD_BOOTING;
    reload->next = generation_new(super, plan);
    progress(super, reload->next, "the new generation boots");
}

static void inspected(void *arg, int result, const struct why *why)
{
    struct super *super = arg;
    struct plan *plan = super->reload.plan;

    super->reload.plan = NULL;
    if (result == 0) {
        boot(super, plan);
        return;
    }
    plan_free(plan);
    finish(super, why->text);
}

static void begin(struct super *super)
{
    struct reload *reload = &super->reload;
    struct why *why = mem_zalloc(sizeof(*why));

    reload->round++;
    systemd_reloading(super);
    reload->started_ns = clock_mono_ns();
    if (plan_read(&super->launch, &reload->plan, why) != 0) {
        finish(super, why->text);
    } else if (inspect_wanted(reload->plan)) {
        int r = inspect_start(&reload->inspect, reload->plan, inspected, super);

        reload->state = RELOAD_INSPECTING;
        if (r != 0) {
            (void)script_cannot_run(reload->plan, r, why);
            inspected(super, EXIT_FAILED, why);
        }
    } else {
        struct plan *plan = reload->plan;

        reload->plan = NULL;
        boot(super, plan);
    }
    mem_free(why);
}

void reload_request(struct super *super, const char *why)
{
    struct reload *reload = &super->reload;

    if (super->state >= SUPER_LEAVING)
        return;
    log_event(super->log, LOG_INFO, "reload", LOG_Z("why", why));
    if (super->state == SUPER_STARTING || reload->state != RELOAD_IDLE)
        reload->again = true;
    else
        begin(super);
}

void reload_ready(struct super *super, struct generation *generation)
{
    struct reload *reload = &super->reload;

    if (reload->next == generation) {
        reload->next = NULL;
        reload->state = RELOAD_DRAINING;
        progress(super, generation, "the new generation serves; the old one drains");
    } else if (reload->again) { /* asked for while the first generation booted */
        reload->again = false;
        begin(super);
    }
}

void reload_failed(struct super *super, struct generation *generation, const char *text)
{
    if (super->reload.next != generation)
        return;
    generation_stop(generation, FAILED_GRACE_NS);
    finish(super, text);
}

void reload_ended(struct super *super)
{
    if (super->reload.state != RELOAD_DRAINING)
        return;
    LIST_EACH(link, &super->generations)
        if (CONTAINER_OF(link, struct generation, link) != super->serving)
            return;
    finish(super, NULL);
}

void reload_abort(struct super *super)
{
    struct reload *reload = &super->reload;

    inspect_cancel(&reload->inspect);
    plan_free(reload->plan);
    reload->plan = NULL;
    reload->again = false;
    if (reload->state != RELOAD_IDLE)
        control_reload_done(&super->control, reload->round, "the server is stopping");
    reload->state = RELOAD_IDLE;
    reload->next = NULL;
}
