/* Going on with what another program has begun. */
#include "super/adoption.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"
#include "super/reap.h"
#include "super/super.h"

static bool take_two(struct str text, int *first, int *second)
{
    struct str rest = text, head = str_split(&rest, ':');
    uint64_t a, b;

    if (rest.p == NULL || str_to_u64(head, INT32_MAX, &a) != 0 || str_to_u64(rest, INT32_MAX, &b) != 0)
        return false;
    *first = (int)a;
    *second = (int)b;
    return true;
}

bool adoption_take(struct adoption *a)
{
    const char *text = getenv(TAKEOVER_ENV), *why = getenv(TAKEOVER_FAILED_ENV);

    *a = (struct adoption){ .state_fd = -1, .program_fd = -1 };
    if (text == NULL || !take_two(str_of(text), &a->state_fd, &a->program_fd))
        return false;
    a->failed = why != NULL ? mem_strdup(why) : NULL;
    (void)unsetenv(TAKEOVER_ENV);
    (void)unsetenv(TAKEOVER_FAILED_ENV);
    handover_keep(a->state_fd, false);
    handover_keep(a->program_fd, false);
    return true;
}

/* The configuration is the one in force, so that a new edge of the old generation gets what the old one had; what that does not tell
 * (environment, user, our own Python side) is read as a reload would. */
static void go_on_with(struct plan *plan, const struct handover *h)
{
    conf_builder_free(plan->builder);
    plan->builder = conf_read_old(str_of(h->conf));
    plan->conf = conf_of(plan->builder);
    mem_free(plan->directory);
    mem_free(plan->python);
    plan->directory = mem_strdup(h->directory);
    plan->python = mem_strdup(h->python);
    plan->app = mem_strdup(h->app);
    plan->workers = h->workers;
    plan->threads = h->threads;
    plan->umask = h->umask;
}

int adoption_read(struct adoption *a, const struct launch *launch, struct plan **out, struct why *why)
{
    struct plan *plan = NULL;
    int r;

    if (handover_read(a->state_fd, &a->handover, why) != 0)
        return EXIT_FAILED;
    r = plan_read(launch, &plan, why);
    if (r == 0 && plan->package == NULL) {
        plan_free(plan);
        r = why_set(why, EXIT_FAILED, "the Python side of this program is missing");
    }
    if (r != 0)
        return r;
    go_on_with(plan, &a->handover);
    if (plan->conf->django_settings != NULL)
        plan_env_default(&plan->env, "DJANGO_SETTINGS_MODULE", plan->conf->django_settings);
    *out = plan;
    return plan_enter(plan, why) == 0 ? 0 : EXIT_FAILED;
}

static void keep_process(const struct child_past *past, bool keep)
{
    handover_keep(past->channel, keep);
    handover_keep(past->output, keep);
    handover_keep(past->recorder, keep);
}

static void keep_everything(const struct handover *h, bool keep)
{
    handover_keep(h->control, keep);
    for (size_t i = 0; i < h->listeners.n; i++)
        handover_keep(h->listeners.items[i].fd, keep);
    keep_process(&h->edge, keep);
    for (size_t i = 0; i < h->n_pool_fds; i++)
        handover_keep(h->pool_fds[i], keep);
    for (uint32_t i = 0; h->worker != NULL && i < h->workers; i++)
        keep_process(&h->worker[i].past, keep);
}

void adoption_give_back(struct adoption *a, const struct launch *launch, const struct why *why)
{
    if (a->failed != NULL || a->program_fd < 0) /* it was given back to us */
        return;
    keep_everything(&a->handover, true);
    if (takeover_exec(launch, a->state_fd, &(struct takeover_program){ .fd = a->program_fd, .failed = why->text }) != 0)
        keep_everything(&a->handover, false);
}

static int restore_workers(struct generation *g, const struct handover *h)
{
    int r = 0;

    for (uint32_t i = 0; i < g->n_workers && r == 0; i++) {
        struct child *child = g->workers[i].child;

        if (h->worker[i].release != 0)
            worker_process_of(child)->release = h->worker[i].release;
        if (h->worker[i].past.pid > 0)
            r = child_restore(child, &h->worker[i].past, "WS");
    }
    return r;
}

int adoption_apply(struct super *super, struct adoption *a, struct plan *plan)
{
    struct handover *h = &a->handover;
    struct generation *g;
    int r;

    super->started_ns = h->started_ns;
    super->last_generation = h->last_generation;
    super->more_workers = h->more_workers;
    super->pid_file = h->pid_file;
    h->pid_file = NULL;
    super->tls.tickets = h->tickets;
    super->listeners = h->listeners;
    h->listeners = (struct listeners){ 0 };
    super->state = SUPER_RUNNING;
    g = generation_restore(super, plan, h);
    super->serving = g;
    super->watched_ns = h->watched_ns;
    super->pause.number = h->pauses;
    r = control_adopt(&super->control, super, h->control, h->control_path);
    super->control.edge_asked = h->edge_asked;
    if (r == 0)
        r = child_restore(super->edge, &h->edge, "ES");
    return r == 0 ? restore_workers(g, h) : r;
}

/* Who was pausing between two boots when the exec came. */
static void start_missing(struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (g->workers[i].child->state == CHILD_DOWN)
            child_start(g->workers[i].child);
}

void adoption_begin(struct super *super, struct adoption *a)
{
    struct generation *g = super->serving;

    reap_all(super);
    start_missing(g);
    generation_go_on(g);
    if (a->failed != NULL) {
        super->second.wanted = a->handover.second_wanted;
        logs_block(&super->logs, LOG_ERROR, "the program on disk could not take over: this one goes on", a->failed);
        return;
    }
    log_event(super->log, LOG_INFO, "Quintet " QUINTET_VERSION " has taken over", LOG_N("pid", getpid()),
              LOG_N("generation", g->number), LOG_N("edge", super->edge->pid));
    super->second.wanted = true;
    reload_request(super, RELOAD_ALL, "a new program has taken over");
}

void adoption_fini(struct adoption *a)
{
    if (a->state_fd >= 0)
        close(a->state_fd);
    if (a->program_fd >= 0)
        close(a->program_fd);
    mem_free(a->failed);
    handover_fini(&a->handover);
}
