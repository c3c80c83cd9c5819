/*
 * The supervisor's whole: start order, signals, the end. Its parts have files of their own.
 *
 *   start   conf → sockets bound → control socket, pid file, logs → first generation + edge → POOL → workers READY → SWITCH, START
 *   leave   UNREADY to the edge → shutdown delay: whoever sends clients here learns of it, and those who come are served
 *   drain   DRAIN to the edge → DRAINED (or graceful_timeout) → STOP to the workers → all reaped → the edge's channel closed → end
 *   stop    all of that at once, SIGKILL after a second
 */
#include "super/super.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"
#include "os/proc.h"
#include "super/adoption.h"
#include "super/certs.h"
#include "super/reap.h"
#include "super/roles.h"
#include "super/secrets.h"

#define WATCHED_DELAY_NS (5 * NS_PER_SEC)   /* shutdown delay where somebody looks at readiness … */
#define WATCHED_WITHIN_NS (60 * NS_PER_SEC) /* … and has done so lately */
#define STOP_NOW_GRACE_NS (1 * NS_PER_SEC)
#define AFTER_DRAIN_GRACE_NS (5 * NS_PER_SEC)
#define STOP_LONGEST_NS                                                                                                \
    (15 * NS_PER_SEC) /* from the end of the drain to our own: the graces, and something for a busy machine */
#define EDGE_GRACE_NS (2 * NS_PER_SEC) /* for the edge to write its last log lines */

const struct plan *super_plan(const struct super *super)
{
    if (super->serving != NULL)
        return super->serving->plan;
    if (list_empty(&super->generations))
        return NULL;
    return CONTAINER_OF(super->generations.next, struct generation, link)->plan;
}

/* ---- the end ---- */

static void stop_loop_when_alone(struct super *super)
{
    bool alone = true;

    if (super->state != SUPER_STOPPING || !list_empty(&super->generations))
        return;
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++) {
        struct child *edge = &super->edges[i];

        alone = alone && edge->state == CHILD_DOWN;
        if (edge->state != CHILD_DOWN && edge->wanted)
            child_stop(edge, EDGE_GRACE_NS);
    }
    if (alone)
        loop_stop(super->loop);
}

static void stop_children(struct super *super, uint64_t grace_ns)
{
    super->state = SUPER_STOPPING;
    loop_timer_stop(super->loop, &super->timer);
    LIST_EACH(link, &super->generations)
        generation_stop(CONTAINER_OF(link, struct generation, link), grace_ns);
    stop_loop_when_alone(super);
}

static void begin_drain(struct super *super)
{
    const struct plan *plan = super_plan(super);

    super->state = SUPER_DRAINING;
    if (plan == NULL || super->edge->channel.fd < 0) { /* nobody has requests: it died a moment ago */
        listeners_close(&super->listeners);
        stop_children(super, AFTER_DRAIN_GRACE_NS);
        return;
    }
    /* Before the edge closes its own: the last to close one resets whoever has not been accepted. */
    listeners_deafen(&super->listeners);
    listeners_close(&super->listeners);
    channel_tell(&super->edge->channel, WIRE_DRAIN, 0, 0);
    second_edge_drain_other(super);
    loop_timer_set(super->loop, &super->timer, plan->conf->graceful_timeout + 1);
}

/* A phase of the end has lasted as long as it may. */
static void phase_over(struct loop_timer *timer)
{
    struct super *super = CONTAINER_OF(timer, struct super, timer);

    if (super->state == SUPER_LEAVING) {
        log_event(super->log, LOG_INFO, "drain");
        begin_drain(super);
        return;
    }
    log_event(super->log, LOG_WARNING, "requests did not end in time: cut off");
    stop_children(super, STOP_NOW_GRACE_NS);
}

/* Endpoints of Kubernetes and targets of load balancers are taken out of use while TERM is under way, not before it: until whoever watches
 * readiness has seen it fail, clients are still sent here. Where nobody watches there is nothing to wait for. */
static uint64_t shutdown_delay(const struct super *super)
{
    uint64_t delay = super_plan(super)->conf->shutdown_delay, now = clock_mono_ns();

    if (delay != CONF_AUTO)
        return delay;
    if (plan_getenv(super->launch.envp, "KUBERNETES_SERVICE_HOST") != NULL)
        return WATCHED_DELAY_NS;
    return super->watched_ns != 0 && now - super->watched_ns < WATCHED_WITHIN_NS ? WATCHED_DELAY_NS : 0;
}

void super_drained(struct super *super)
{
    super->edge_drained = true;
    if (super->state == SUPER_DRAINING && !second_edge_is_draining(super))
        stop_children(super, AFTER_DRAIN_GRACE_NS);
}

void super_stop_now(struct super *super, const char *why)
{
    if (super->state < SUPER_STOPPING) {
        log_event(super->log, LOG_INFO, "stop at once", LOG_Z("why", why));
        systemd_stopping(super, STOP_LONGEST_NS);
    }
    takeover_abort(super);
    reload_abort(super);
    listeners_close(&super->listeners);
    listeners_close_copies(&super->second.listeners);
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++)
        child_stop(&super->edges[i], STOP_NOW_GRACE_NS);
    stop_children(super, STOP_NOW_GRACE_NS);
}

void super_drain(struct super *super, const char *why)
{
    uint64_t delay;

    if (super->state >= SUPER_LEAVING || super->serving == NULL || super->edge->channel.fd < 0) {
        super_stop_now(super, why);
        return;
    }
    (void)pause_end(super, "the server stops", "the server is stopping");
    delay = shutdown_delay(super);
    log_event(super->log, LOG_INFO, "drain and stop", LOG_Z("why", why), LOG_N("delay_ms", delay / NS_PER_MS));
    systemd_stopping(super, delay + super->serving->plan->conf->graceful_timeout + STOP_LONGEST_NS);
    takeover_abort(super);
    reload_abort(super);
    generation_stop_kept(super);
    super->state = SUPER_LEAVING;
    channel_tell(&super->edge->channel, WIRE_UNREADY, 0, 0);
    if (delay > 0)
        loop_timer_set(super->loop, &super->timer, delay);
    else
        begin_drain(super);
}

void super_edge_down(struct super *super)
{
    stop_loop_when_alone(super);
}

/* ---- generations ---- */

/* At the start one ready worker is enough: the others join it as they come, and where there are more of them than cores nobody waits for the
 * last. If one of them does not boot, it all ends as if nothing had served (role_worker.c). */
bool super_waits_for(const struct super *super, const struct generation *generation)
{
    return super->state == SUPER_STARTING && super->serving == NULL && generation->edge == super->edge;
}

static void first_serves(struct super *super)
{
    super->state = SUPER_RUNNING;
    systemd_ready(super);
    log_event(super->log, LOG_INFO, "serving", LOG_N("generation", super->serving->release),
              LOG_N("workers", super->serving->n_workers),
              LOG_N("ms", (clock_mono_ns() - super->started_ns) / NS_PER_MS));
}

void super_reopen_logs(struct super *super, const struct plan *plan)
{
    struct why *why = mem_zalloc(sizeof(*why));

    if (plan_enter(plan, why) != 0 || logs_open(&super->logs, plan->conf, why) != 0)
        log_event(super->log, LOG_ERROR, why->text);
    mem_free(why);
}

void super_configure_edge(struct super *super)
{
    super_reopen_logs(super, super->serving->plan);
    role_edge_configure(super->edge, super->serving->plan);
}

/* Between two edges nobody is told: the next one hears it all when it is started. */
void super_switch(struct super *super, struct generation *generation)
{
    struct generation *old = super->serving;

    if (generation->edge != super->edge) { /* the old one is drained when the new edge listens */
        second_edge_serve(super, generation);
        return;
    }
    super->serving = generation;
    if (old != NULL)
        super_configure_edge(super);
    generation_serve(generation);
    if (super->edge->channel.fd >= 0 && (old != NULL || !super->early.open))
        role_edge_start(super->edge);
    if (old != NULL)
        generation_drain(old);
}

/* The first one is complete: from here on the server can be told to reload. */
void super_generation_grew(struct super *super, struct generation *generation)
{
    if (super->state != SUPER_STARTING || !generation_is_whole(generation))
        return;
    first_serves(super);
    reload_ready(super, generation);
}

void super_generation_ready(struct super *super, struct generation *generation)
{
    bool first = super->serving == NULL;

    if (!first && super->state >= SUPER_LEAVING) { /* too late */
        generation_stop(generation, STOP_NOW_GRACE_NS);
        return;
    }
    super_switch(super, generation);
    if (first)
        super_generation_grew(super, generation);
    else
        reload_ready(super, generation);
}

void super_generation_kept(struct super *super)
{
    reload_settled(super);
}

void super_generation_failed(struct super *super, struct generation *generation, const char *text)
{
    if (super->state != SUPER_STARTING) {
        reload_failed(super, generation, text);
        return;
    }
    logs_block(&super->logs, LOG_ERROR, "the application failed to boot", text);
    super->exit_code = EXIT_BOOT;
    super_stop_now(super, "the application failed to boot");
}

void super_generation_ended(struct super *super, struct generation *generation)
{
    if (super->serving == generation)
        super->serving = NULL;
    second_edge_release(super, generation);
    pause_generation_ended(super);
    reload_settled(super);
    if (super->edge_drained)
        super_drained(super);
    stop_loop_when_alone(super);
}

/* ---- signals ---- */

static void change_workers(struct super *super, int by)
{
    const struct plan *plan = super_plan(super);
    uint32_t now;

    if (super->serving == NULL || plan == NULL)
        return;
    /* Of what has been asked for until now: the reload that brings it may still be under way. */
    now = plan_workers(plan->conf, super->more_workers);
    if (plan_workers(plan->conf, super->more_workers + by) == now) {
        log_event(super->log, LOG_WARNING, "the number of workers stays", LOG_N("workers", now));
        return;
    }
    super->more_workers += by;
    reload_request(super, RELOAD_ALL, by > 0 ? "SIGTTIN: one worker more" : "SIGTTOU: one worker fewer");
}

static void on_usr1(struct super *super)
{
    const struct plan *plan = super_plan(super);

    if (plan == NULL)
        return;
    super_reopen_logs(super, plan);
    role_edge_logs(super);
    log_event(super->log, LOG_INFO, "logs reopened");
}

static void on_signal(void *arg, int signal)
{
    struct super *super = arg;

    switch (signal) {
    case SIGCHLD:
        reap_all(super);
        break;
    case SIGTERM:
        super_drain(super, "SIGTERM");
        break;
    case SIGINT:
    case SIGQUIT:
        super_stop_now(super, signal == SIGINT ? "SIGINT" : "SIGQUIT");
        break;
    case SIGHUP:
        reload_request(super, RELOAD_ALL, "SIGHUP");
        break;
    case SIGUSR1:
        on_usr1(super);
        break;
    case SIGUSR2:
        takeover_request(super);
        break;
    case SIGTTIN:
    case SIGTTOU:
        change_workers(super, signal == SIGTTIN ? 1 : -1);
        break;
    default:
        break;
    }
}

/* ---- the start ---- */

static void log_map(struct super *super, const char *message, const struct conf_list *maps)
{
    for (size_t i = 0; i < maps->n; i++)
        log_event(super->log, LOG_INFO, message, LOG_Z("map", maps->items[i]));
}

/* What a person who never runs `quintet check` must see: DEBUG, no STATIC_ROOT and the like. */
static void warn_unfit(struct super *super, const struct django_answer *django)
{
    for (size_t i = 0; i < django->n_findings; i++)
        if (django->findings[i].error)
            log_event(super->log, LOG_WARNING, "unfit for production: see `quintet check`",
                      LOG_Z("what", django->findings[i].what));
}

static void banner(struct super *super, const struct plan *plan)
{
    log_event(super->log, LOG_INFO, "Quintet " QUINTET_VERSION, LOG_N("pid", getpid()), LOG_Z("app", plan->app),
              LOG_Z("python", plan->python), LOG_N("workers", plan->workers), LOG_N("threads", plan->threads),
              LOG_Z("control", plan->conf->control));
    for (size_t i = 0; i < super->listeners.n; i++) {
        struct buf url;

        buf_init(&url, 512);
        if (listener_url(&super->listeners.items[i], &url) == 0)
            log_event(super->log, LOG_INFO,
                      super->listeners.items[i].kind == LISTENER_METRICS ? "metrics" : "listening",
                      LOG_S("url", buf_str(&url)));
        buf_fini(&url);
    }
    if (plan->notice != NULL)
        logs_block(&super->logs, LOG_WARNING, "the Django settings could not be read: no files are served from them",
                   plan->notice);
    warn_unfit(super, &plan->django);
    log_map(super, "static files", &plan->conf->static_map);
    log_map(super, "media files", &plan->conf->media_map);
}

static int write_pid_file(struct super *super, const struct plan *plan, struct why *why)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    int fd;

    if (plan->conf->pid == NULL)
        return 0;
    fd = open(plan->conf->pid, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0 || write(fd, text, (size_t)n) != n)
        n = -errno;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return why_set(why, EXIT_FAILED, "cannot write the pid file %s: %s", plan->conf->pid, why_errno(n));
    super->pid_file = plan_absolute(plan->conf->pid);
    return 0;
}

static int make_plan(const struct launch *launch, struct plan **out, struct why *why)
{
    struct plan *plan = NULL;
    int r = plan_read(launch, &plan, why);

    if (r == 0 && inspect_wanted(plan))
        r = inspect_wait(plan, why);
    if (r == 0)
        r = plan_finish(plan, 0, why);
    if (r == 0)
        r = plan_check(plan, why);
    if (r == 0) {
        *out = plan;
        return 0;
    }
    plan_free(plan);
    return r;
}

static int check_certificates(const struct plan *plan, struct why *why)
{
    struct tls_ctx *ctx;

    if (plan->conf->certfile.n == 0)
        return 0;
    if (certs_check(plan->conf, &ctx, why) != 0)
        return EXIT_USAGE;
    tls_ctx_unref(ctx);
    return 0;
}

/* Everything that can fail for the user's sake, before the first process. 0; or the exit status with the reason. */
static int prepare(struct super *super, const struct plan *plan, struct why *why)
{
    int r = check_certificates(plan, why);

    if (r == 0 && secrets_check(plan->conf, why) != 0)
        r = EXIT_USAGE;
    if (r != 0)
        return r;
    if (control_open(&super->control, super, plan->conf->control, why) != 0)
        return EXIT_FAILED;
    if (listeners_open(&super->listeners, plan->conf, why) != 0)
        return EXIT_FAILED;
    r = write_pid_file(super, plan, why);
    if (r != 0)
        return r;
    return logs_open(&super->logs, plan->conf, why) == 0 ? 0 : EXIT_FAILED;
}

static void init(struct super *super, struct launch *launch)
{
    *super = (struct super){ .launch = *launch, .exit_code = EXIT_OK, .started_ns = clock_mono_ns() };
    super->control.fd = -1;
    super->signals.fd = -1;
    super->watch.fd = -1;
    list_init(&super->generations);
    logs_init(&super->logs);
    super->log = &super->logs.log;
    loop_timer_init(&super->timer, phase_over);
}

static void fini(struct super *super)
{
    watch_fini(&super->watch);
    control_close(&super->control);
    listeners_close(&super->listeners);
    listeners_close_copies(&super->second.listeners);
    if (super->pid_file != NULL)
        (void)unlink(super->pid_file);
    mem_free(super->pid_file);
    plan_free(super->started);
    takeover_fini(super);
    if (super->loop != NULL) {
        for (size_t i = 0; i < ARRAY_LEN(super->edges); i++)
            child_fini(&super->edges[i]);
        signals_fini(&super->signals);
        loop_free(super->loop); /* runs what was deferred */
    }
    logs_fini(&super->logs);
    tls_care_fini(super);
}

static void source_changed(void *arg)
{
    reload_request(arg, RELOAD_ALL, "a source file has changed");
}

/* For development: a machine whose watches are used up serves all the same. */
static void watch_sources(struct super *super, const struct plan *plan)
{
    int error;

    if (!plan->conf->reload || plan->directory == NULL)
        return;
    error = watch_init(&super->watch, super->loop, plan->directory, source_changed, super);
    if (error != 0)
        log_event(super->log, LOG_WARNING, "source files cannot be watched", LOG_Z("why", why_errno(error)));
    else
        log_event(super->log, LOG_INFO, "reloading when a source file changes",
                  LOG_N("directories", super->watch.n_directories));
}

/* What needs nothing of the outside but memory and a few descriptors. */
static int make_parts(struct super *super, struct why *why)
{
    int r = loop_new(&super->loop);

    if (r == 0)
        r = signals_init(&super->signals, super->loop, on_signal, super);
    if (r != 0)
        return why_set(why, EXIT_FAILED, "cannot start: %s", why_errno(r));
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++) {
        child_init(&super->edges[i], &role_edge, super->loop, super->log);
        super->edges[i].owner = super;
    }
    super->edge = &super->edges[0];
    reload_init(super);
    second_edge_init(super);
    takeover_init(super);
    systemd_init(super);
    pulse_init(super);
    pause_init(super);
    early_init(super);
    tls_care_init(super);
    return 0;
}

static int begin(struct super *super, struct plan *plan, struct why *why)
{
    int r = make_parts(super, why);

    if (r == 0)
        r = prepare(super, plan, why);
    if (r != 0)
        return r;
    proc_set_title("quintet: supervisor");
    banner(super, plan);
    watch_sources(super, plan);
    super->started = plan_ref(plan);
    (void)generation_new(super, plan);
    child_start(super->edge);
    return 0;
}

/* Another program has served until now, in this process. */
static int go_on(struct super *super, struct adoption *adoption, struct plan *plan, struct why *why)
{
    int r = make_parts(super, why);

    if (r == 0 && logs_open(&super->logs, plan->conf, why) != 0)
        r = EXIT_FAILED;
    if (r != 0)
        return r;
    proc_set_title("quintet: supervisor");
    watch_sources(super, plan);
    r = adoption_apply(super, adoption, plan);
    super->started = plan_ref(plan);
    must(r == 0); /* a loop that cannot watch what is open: nothing could be given back any more */
    adoption_begin(super, adoption);
    return 0;
}

/* 0: the loop can run. */
static int start(struct super *super, struct launch *launch, struct why *why)
{
    struct adoption adoption;
    bool adopted = adoption_take(&adoption);
    struct plan *plan = NULL;
    int r = adopted ? adoption_read(&adoption, launch, &plan, why) : make_plan(launch, &plan, why);

    init(super, launch);
    if (r == 0)
        r = adopted ? go_on(super, &adoption, plan, why) : begin(super, plan, why);
    if (r != 0)
        plan_free(plan);
    if (r != 0 && adopted)
        adoption_give_back(&adoption, launch, why);
    if (adopted)
        adoption_fini(&adoption);
    return r;
}

int super_run(struct launch *launch)
{
    struct super *super = mem_zalloc(sizeof(*super));
    struct why *why = mem_zalloc(sizeof(*why));
    int r = start(super, launch, why);

    if (r == 0) {
        loop_run(super->loop);
        r = super->exit_code;
        log_event(super->log, LOG_INFO, "stopped", LOG_N("status", r));
    } else {
        (void)fprintf(stderr, "quintet: %s\n", why->text);
    }
    fini(super);
    mem_free(why);
    mem_free(super);
    return r;
}
