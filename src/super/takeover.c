/* USR2 up to the exec. */
#include "super/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "super/handover.h"
#include "super/preload.h"
#include "super/super.h"

#define LOOK_NS (20 * NS_PER_MS)
#define REASON_MAX 4096

static void set_state(struct takeover *takeover, enum takeover_state state)
{
    takeover->state = state;
    loop_timer_stop(takeover->super->loop, &takeover->timer);
}

static void failed(struct takeover *takeover, const char *why)
{
    logs_block(&takeover->super->logs, LOG_ERROR, "the program on disk cannot take over: this one goes on", why);
    set_state(takeover, TAKEOVER_NONE);
}

/* ---- is anything under way? ---- */

static bool child_is_settled(const struct child *child)
{
    bool lives = child->state == CHILD_UP || child->state == CHILD_BOOTING;

    /* Without a pid it is on its way from a preloader. */
    return (lives && child->pid > 0 && child->channel.fd >= 0 && child->channel.queued == 0) ||
           child->state == CHILD_PAUSED;
}

static bool workers_are_settled(const struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers; i++) {
        struct worker *w = &g->workers[i];

        if (w->next != NULL && w->next->state == CHILD_PAUSED)
            worker_cancel(w); /* it does not boot, and may never */
        if (w->next != NULL || !child_is_settled(w->child) || worker_process_of(w->child)->stuck.asked)
            return false;
        if (standstill_lasts(&worker_process_of(w->child)->still))
            return false; /* the kernel tells of it once, and not the program after us */
    }
    return true;
}

/* They would fork for nobody: a worker that is wanted afterwards starts another. Asked last, when no worker is on its way. */
static bool preloaders_are_gone(struct generation *g)
{
    LIST_EACH(link, &g->preloads) {
        struct child *child = &CONTAINER_OF(link, struct preload, link)->child;

        if (child->wanted)
            child_stop(child, GENERATION_IDLE_GRACE_NS);
    }
    return list_empty(&g->preloads);
}

/* There is no way back to them from another program's generation. */
static void stop_kept(const struct super *super)
{
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->state == GENERATION_KEPT)
            generation_stop(g, GENERATION_IDLE_GRACE_NS);
    }
}

static bool nothing_is_under_way(const struct super *super)
{
    const struct generation *g = super->serving;

    if (super->state != SUPER_RUNNING || super->reload.state != RELOAD_IDLE || g == NULL || pause_left(super) > 0)
        return false;
    stop_kept(super);
    if (super->generations.next != &g->link || g->link.next != &super->generations)
        return false;
    /* An edge that has been taken over from is told to end when its generation has: nobody would kill it after us. */
    if (second_edge_other(super)->state != CHILD_DOWN)
        return false;
    return super->edge->state == CHILD_UP && child_is_settled(super->edge) && workers_are_settled(g) &&
           preloaders_are_gone(super->serving);
}

/* ---- the exec ---- */

static void keep_child(const struct child *child, bool keep)
{
    if (child->pid <= 0)
        return;
    handover_keep(child->channel.fd, keep);
    handover_keep(child->output.fd, keep);
    handover_keep(child->recorder, keep);
}

static void keep_all(struct super *super, bool keep)
{
    const struct generation *g = super->serving;

    handover_keep(super->control.fd, keep);
    for (size_t i = 0; i < super->listeners.n; i++)
        handover_keep(super->listeners.items[i].fd, keep);
    keep_child(super->edge, keep);
    for (size_t i = 0; i < g->n_pool_fds; i++)
        handover_keep(g->pool_fds[i], keep);
    for (uint32_t i = 0; i < g->n_workers; i++)
        keep_child(g->workers[i].child, keep);
}

static char **make_argv(const struct launch *launch)
{
    char **argv = mem_calloc((size_t)launch->argc + 2, sizeof(char *));

    argv[0] = launch->program;
    argv[1] = (char *)"run";
    for (int i = 1; i < launch->argc; i++)
        argv[i + 1] = launch->argv[i];
    return argv;
}

/* The variables behind ours are borrowed. */
static char **make_envp(const struct launch *launch, char *first, char *second)
{
    size_t n = 0, k = 0;
    char **envp;

    while (launch->envp[n] != NULL)
        n++;
    envp = mem_calloc(n + 3, sizeof(char *));
    envp[k++] = first;
    if (second != NULL)
        envp[k++] = second;
    for (size_t i = 0; i < n; i++)
        envp[k++] = launch->envp[i];
    return envp;
}

int takeover_exec(const struct launch *launch, int state_fd, const struct takeover_program *program)
{
    char handover[64], reason[REASON_MAX];
    char **argv = make_argv(launch), **envp;
    int r = 0;

    handover_keep(state_fd, true);
    handover_keep(program->fd, true);
    (void)snprintf(handover, sizeof(handover), TAKEOVER_ENV "=%d:%d", state_fd, program->fd);
    (void)snprintf(reason, sizeof(reason), TAKEOVER_FAILED_ENV "=%s", program->failed != NULL ? program->failed : "");
    envp = make_envp(launch, handover, program->failed != NULL ? reason : NULL);
    if (chdir(launch->origin) < 0) /* as at the first start, for relative names */
        r = -errno;
    else if (program->path != NULL)
        (void)execve(program->path, argv, envp);
    else
        (void)execveat(program->fd, "", argv, envp, AT_EMPTY_PATH);
    if (r == 0)
        r = -errno;
    handover_keep(state_fd, false);
    handover_keep(program->fd, false);
    mem_free(argv);
    mem_free(envp);
    return r;
}

/* What it has printed so far, a line that has no end yet too: the buffers are ours alone. */
static void drain_outputs(struct generation *g)
{
    for (uint32_t i = 0; i < g->n_workers; i++)
        output_drain(&g->workers[i].child->output);
}

/* Everything up to here can be taken back. Returns when it could not be done. */
static int hand_over(struct takeover *takeover, int state_fd)
{
    struct super *super = takeover->super;
    struct takeover_program program = { .path = takeover->path, .fd = open("/proc/self/exe", O_PATH | O_CLOEXEC) };
    int r;

    if (program.fd < 0)
        return -errno;
    drain_outputs(super->serving);
    logs_fini(&super->logs);
    keep_all(super, true);
    r = takeover_exec(&super->launch, state_fd, &program);
    keep_all(super, false);
    close(program.fd);
    super_reopen_logs(super, super->serving->plan);
    return r;
}

static void go(struct takeover *takeover)
{
    int fd = handover_write(takeover->super), r = fd;

    log_event(takeover->super->log, LOG_INFO, "the program on disk takes over", LOG_Z("path", takeover->path));
    if (fd >= 0) {
        r = hand_over(takeover, fd);
        close(fd);
    }
    failed(takeover, why_errno(r));
}

static void look(struct loop_timer *timer)
{
    struct takeover *takeover = CONTAINER_OF(timer, struct takeover, timer);

    if (nothing_is_under_way(takeover->super))
        go(takeover);
    else
        loop_timer_set(takeover->super->loop, timer, LOOK_NS);
}

static void probed(void *arg, const char *error)
{
    struct takeover *takeover = arg;

    if (error != NULL) {
        failed(takeover, error);
        return;
    }
    set_state(takeover, TAKEOVER_WAITING);
    loop_timer_set(takeover->super->loop, &takeover->timer, 1);
}

void takeover_init(struct super *super)
{
    super->takeover = (struct takeover){ .super = super };
    probe_init(&super->takeover.probe, super->loop, probed, &super->takeover);
    loop_timer_init(&super->takeover.timer, look);
}

void takeover_fini(struct super *super)
{
    mem_free(super->takeover.path);
    super->takeover.path = NULL;
}

void takeover_request(struct super *super)
{
    struct takeover *takeover = &super->takeover;
    int r;

    log_event(super->log, LOG_INFO, "SIGUSR2: the program on disk is asked to take over");
    if (super->state > SUPER_RUNNING || takeover->state == TAKEOVER_PROBING)
        return;
    /* While WAITING too: another program may have been put there since. */
    set_state(takeover, TAKEOVER_PROBING);
    mem_free(takeover->path);
    takeover->path = launch_find_program(&super->launch);
    r = takeover->path != NULL ? probe_start(&takeover->probe, &super->launch, takeover->path) : -ENOENT;
    if (r != 0)
        failed(takeover, why_errno(r));
}

void takeover_abort(struct super *super)
{
    probe_cancel(&super->takeover.probe);
    set_state(&super->takeover, TAKEOVER_NONE);
}
