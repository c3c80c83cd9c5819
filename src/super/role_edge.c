/*
 * The edge: this same program under another name, without our memory, privileges and environment; all it needs arrives in messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/proc.h"
#include "super/certs.h"
#include "super/roles.h"
#include "super/secrets.h"
#include "super/super.h"
#include "wire/inherit.h"

#define CONF_MAX (1u << 20)
#define FIRST_TRIES 5 /* of the very first edge before we give up */
#define NOBODY 65534
#define ROOT_TEXT_MAX (2 * PATH_MAX + 512)

static struct super *super_of(const struct child *edge)
{
    return edge->owner;
}

static void send_blob(struct child *edge, enum wire_type type, int fd)
{
    struct wire_message m = { .type = type, .n_fds = 1, .fds = { fd } };

    channel_send(&edge->channel, &m);
    close(fd);
}

static void send_conf(struct child *edge, const struct plan *plan)
{
    struct buf text;
    int fd;

    buf_init(&text, CONF_MAX);
    fd = conf_write(plan->builder, &text);
    if (fd == 0)
        fd = wire_blob_make("quintet-conf", buf_str(&text));
    buf_fini(&text);
    if (fd >= 0)
        send_blob(edge, WIRE_CONF, fd);
    else
        log_event(edge->log, LOG_ALERT, "cannot hand the configuration to the edge", LOG_Z("why", why_errno(fd)));
}

static void send_logs(struct child *edge)
{
    const struct logs *logs = &super_of(edge)->logs;
    struct wire_message m = { .type = WIRE_LOGS, .n_fds = 1 };

    m.fds[0] = logs->error_fd;
    if (logs->access_fd >= 0)
        m.fds[m.n_fds++] = logs->access_fd;
    channel_send(&edge->channel, &m);
}

void role_edge_logs(struct super *super)
{
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++)
        if (super->edges[i].channel.fd >= 0)
            send_logs(&super->edges[i]);
}

static void send_listeners(struct child *edge, const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++) {
        const struct listener *l = &listeners->items[i];
        struct wire_message m = {
            .type = WIRE_LISTENER, .number = l->kind, .text = str_of(l->address), .n_fds = 1, .fds = { l->fd }
        };

        m.generation = edge != super_of(edge)->edge;

        channel_send(&edge->channel, &m);
    }
}

/* A map is URL=DIR. The edge gets the directory itself, so that it needs no right to any other, and cannot leave it; its paths are what the application
 * may call it by, no more. */
static void send_root(struct child *edge, const char *kind, const char *map, uint64_t nth)
{
    struct str dir = str_of(map), url = str_split(&dir, '=');
    struct wire_message m = { .type = WIRE_ROOT, .number = nth, .n_fds = 1 };
    char text[ROOT_TEXT_MAX], real[PATH_MAX] = "", *path = str_dup(dir);
    int n;

    if (realpath(path, real) == NULL)
        real[0] = '\0';
    n = snprintf(text, sizeof(text), "%s " STR_FMT "\n%s\n%s", kind, STR_ARG(url), real, path[0] == '/' ? path : "");
    m.text = str_make(text, n > 0 && (size_t)n < sizeof(text) ? (size_t)n : 0);
    m.fds[0] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (m.fds[0] >= 0 && m.text.n > 0) {
        channel_send(&edge->channel, &m);
        close(m.fds[0]);
    } else {
        log_event(edge->log, LOG_WARNING, "no files are served from a directory", LOG_Z("directory", path),
                  LOG_S("url", url), LOG_Z("why", why_errno(errno)));
    }
    mem_free(path);
}

/* Django makes MEDIA_ROOT with the first upload, which would then not be served before the next reload. */
static void make_media(const struct super *super, const struct plan *plan, const char *map)
{
    struct str dir = str_of(map);
    char *path;

    (void)str_split(&dir, '=');
    path = str_dup(dir);
    if (mkdir(path, 0755) == 0 && plan->uid != PROC_KEEP_ID && chown(path, plan->uid, plan->gid) != 0)
        log_event(super->log, LOG_WARNING, "cannot give a directory to the workers", LOG_Z("directory", path),
                  LOG_Z("why", why_errno(errno)));
    mem_free(path);
}

static void send_dir(struct child *edge, const char *name, uint64_t nth)
{
    struct wire_message m = { .type = WIRE_ROOT, .number = nth, .n_fds = 1 };
    char real[PATH_MAX];
    struct buf text;

    buf_init(&text, WIRE_TEXT_MAX);
    if (realpath(name, real) == NULL)
        real[0] = '\0';
    m.fds[0] = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (m.fds[0] >= 0 && buf_printf(&text, "dir %s\n%s", name, real) == 0) {
        m.text = buf_str(&text);
        channel_send(&edge->channel, &m);
    } else {
        log_event(edge->log, LOG_WARNING, "no files are served from a directory that the configuration names",
                  LOG_Z("directory", name), LOG_Z("why", why_errno(errno)));
    }
    if (m.fds[0] >= 0)
        close(m.fds[0]);
    buf_fini(&text);
}

/* The directories of sites and routes, by the names that the configuration gives them. */
static void send_dirs(struct child *edge, const struct conf *conf)
{
    const char *names[CONF_SITE_FILES_MAX];
    size_t n = conf_sites_files(&conf->sites, CONF_FILES_DIRECTORY, names);
    bool has_pages = conf->error_pages == NULL;

    for (size_t i = 0; i < n; i++) {
        send_dir(edge, names[i], i);
        has_pages = has_pages || strcmp(names[i], conf->error_pages) == 0;
    }
    if (!has_pages)
        send_dir(edge, conf->error_pages, n);
}

/* Checked before any switch; without one that went bad since, nobody comes in where it is asked for. */
static void send_secrets(struct child *edge, const struct conf *conf)
{
    const char *names[CONF_SITE_FILES_MAX];
    size_t n = conf_sites_files(&conf->sites, CONF_FILES_SECRET, names);
    struct why *why = mem_zalloc(sizeof(*why));

    for (size_t i = 0; i < n; i++) {
        struct wire_message m = { .type = WIRE_SECRET, .text = str_of(names[i]), .n_fds = 1 };

        m.fds[0] = m.text.n <= WIRE_TEXT_MAX ? secrets_blob(names[i], conf, why) : -ENAMETOOLONG;
        if (m.fds[0] >= 0) {
            channel_send(&edge->channel, &m);
            close(m.fds[0]);
        } else {
            log_event(edge->log, LOG_ERROR, "a file of passwords or keys cannot be used", LOG_Z("why", why->text));
        }
    }
    mem_free(why);
}

static void send_roots(struct child *edge, const struct plan *plan)
{
    for (size_t i = 0; i < plan->conf->static_map.n; i++)
        send_root(edge, "static", plan->conf->static_map.items[i], i);
    for (size_t i = 0; i < plan->conf->media_map.n; i++) {
        make_media(super_of(edge), plan, plan->conf->media_map.items[i]);
        send_root(edge, "media", plan->conf->media_map.items[i], i);
    }
}

static void send_tickets(struct child *edge)
{
    int fd = tickets_blob(&super_of(edge)->tls.tickets);

    if (fd >= 0)
        send_blob(edge, WIRE_TICKETS, fd);
    else
        log_event(edge->log, LOG_ERROR, "cannot hand the ticket keys to the edge", LOG_Z("why", why_errno(fd)));
}

/* The edge of the program before keeps its keys: it may know no such message, and has not long to live. */
void role_edge_tickets(struct super *super)
{
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++) {
        struct child *edge = &super->edges[i];

        if (edge->channel.fd >= 0 && !(super->second.wanted && edge == super->edge))
            send_tickets(edge);
    }
}

/* An edge that has died has taken its certificates along; one that lives has these already. */
static void send_kept_tls(struct child *edge, const struct plan *plan, const struct why *why)
{
    int fd = tls_care_kept(&super_of(edge)->tls, plan->conf);

    if (fd >= 0)
        send_blob(edge, WIRE_TLS, fd);
    log_event(edge->log, LOG_ERROR, "the certificates cannot be used", LOG_Z("why", why->text),
              LOG_Z("instead", fd >= 0 ? "those that were used before" : "none"));
}

/* The pairs have been checked before any switch; if they went bad since, those that were good last stay in use. */
static void send_tls(struct child *edge, const struct plan *plan)
{
    struct super *super = super_of(edge);
    struct why *why = mem_zalloc(sizeof(*why));
    struct tls_ctx *ctx = NULL;
    int fd = certs_blob(plan->conf, &ctx, why);

    if (fd >= 0 || fd == -ENOENT)
        tls_care_keep(&super->tls, plan->conf, fd);
    else
        send_kept_tls(edge, plan, why);
    if (fd >= 0) {
        send_blob(edge, WIRE_TLS, fd);
        tls_care_certs(&super->tls, ctx);
        tls_care_warn(&super->tls, super->log, (int64_t)(clock_wall_ns() / NS_PER_SEC));
    }
    tls_ctx_unref(ctx);
    mem_free(why);
}

void role_edge_configure(struct child *edge, const struct plan *plan)
{
    struct why *why = mem_zalloc(sizeof(*why));

    if (plan_enter(plan, why) != 0)
        log_event(edge->log, LOG_ERROR, why->text);
    mem_free(why);
    if (edge->channel.fd < 0)
        return;
    send_conf(edge, plan);
    send_logs(edge);
    send_roots(edge, plan);
    send_dirs(edge, plan->conf);
    send_secrets(edge, plan->conf);
    if (plan->conf->certfile.n > 0 && !(super_of(edge)->second.wanted && edge == super_of(edge)->edge))
        send_tickets(edge);
    send_tls(edge, plan);
}

void role_edge_start(struct child *edge)
{
    channel_tell(&edge->channel, WIRE_START, 0, 0);
}

/* The serving generation first, switch included: the edge retires all it knows of then but that one. */
static void introduce_all(struct child *edge)
{
    struct super *super = super_of(edge);

    pause_again(super, edge);
    if (super->state == SUPER_LEAVING)
        channel_tell(&edge->channel, WIRE_UNREADY, 0, 0);
    if (super->serving != NULL && super->serving->edge == edge) {
        generation_introduce(super->serving);
        generation_serve(super->serving);
        role_edge_start(edge);
    }
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g != super->serving && g->edge == edge)
            generation_introduce(g);
    }
    early_again(super);
}

/* No secret of ours or the application's is in its environment: only what sanitizers and the loader need. */
static char **make_env(char *const *envp)
{
    static const char *const names[] = { "PATH",         "LD_LIBRARY_PATH",  "LANG",          "TZ",
                                         "TMPDIR",       "ASAN_OPTIONS",     "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                         "TSAN_OPTIONS", "LLVM_PROFILE_FILE" };
    char **env = mem_calloc(ARRAY_LEN(names) + 1, sizeof(char *));
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = plan_getenv(envp, names[i]);
        size_t size;

        if (value == NULL)
            continue;
        size = strlen(names[i]) + strlen(value) + 2;
        env[n] = mem_alloc(size);
        (void)snprintf(env[n++], size, "%s=%s", names[i], value);
    }
    return env;
}

static pid_t run(struct super *super, int channel)
{
    char *argv[] = { (char *)"quintet: edge", NULL };
    struct proc_fd fds[] = { { super->logs.error_fd, 2 }, { channel, INHERIT_SUPERVISOR } };
    struct proc_spawn spawn = { .path = "/proc/self/exe",
                                .argv = argv,
                                .fds = fds,
                                .n_fds = ARRAY_LEN(fds),
                                .uid = PROC_KEEP_ID,
                                .gid = (gid_t)PROC_KEEP_ID,
                                .umask = -1,
                                .no_new_privs = true,
                                .own_group = true };
    char **env = make_env(super->launch.envp);
    pid_t pid;

    if (geteuid() == 0 && proc_find_user("nobody", &spawn.uid, &spawn.gid) != 0)
        spawn.uid = spawn.gid = NOBODY;
    spawn.envp = env;
    pid = proc_spawn(&spawn);
    plan_free_env(env);
    return pid;
}

static int spawn(struct child *child)
{
    struct super *super = child->owner;
    int pair[2];
    pid_t pid;
    int error = wire_pair(pair);

    if (error != 0)
        return error;
    error = child_set_channel(child, pair[0], "ES");
    if (error != 0) {
        close(pair[1]);
        return error;
    }
    pid = run(super, pair[1]);
    close(pair[1]);
    if (pid < 0)
        return (int)pid;
    child->pid = pid;
    role_edge_configure(child, second_edge_plan(super, child));
    send_listeners(child, second_edge_listeners(super, child));
    introduce_all(child);
    return 0;
}

static void ready(struct child *child, const struct wire_message *message)
{
    log_event(child->log, LOG_INFO, "edge is ready", LOG_N("pid", child->pid));
    if (child == super_of(child)->edge)
        second_edge_drain_other(super_of(child));
}

/* The generation a message is about. *valid false: there was never one; NULL with *valid: it has ended, the message is late. */
static struct generation *find(const struct child *edge, const struct wire_message *m, bool *valid)
{
    struct super *super = super_of(edge);
    struct generation *g = generation_find(super, m->generation);

    *valid = m->generation > 0 && m->generation <= super->last_generation && (g == NULL || g->edge == edge);
    return *valid ? g : NULL;
}

static bool take_pool(const struct child *edge, struct wire_message *m)
{
    bool valid;
    struct generation *g = find(edge, m, &valid);

    if (g == NULL || g->state == GENERATION_STOPPING)
        return valid;
    return generation_take_pool(g, m);
}

static bool take_idle(const struct child *edge, const struct wire_message *m)
{
    bool valid;
    struct generation *g = find(edge, m, &valid);

    if (g == NULL || g->state == GENERATION_STOPPING)
        return valid;
    if (g->state == GENERATION_DRAINING)
        generation_idle(g);
    /* Else it serves again: our SWITCH back to it has crossed the message. */
    return g->state > GENERATION_READY;
}

/* The process that a message is about; NULL: it has ended, the message is older. *valid as above. */
static struct child *find_worker(const struct child *edge, const struct wire_message *m, bool *valid)
{
    struct worker *w = generation_worker(super_of(edge), m->generation, m->worker);

    if (find(edge, m, valid) == NULL)
        return NULL;
    *valid = w != NULL;
    return w != NULL && m->pid > 0 ? worker_find(w, m->pid) : NULL;
}

static bool take_stuck(const struct child *edge, const struct wire_message *m)
{
    bool valid;
    struct child *child = find_worker(edge, m, &valid);

    if (child != NULL && m->type == WIRE_WORKER_STUCK)
        stuck_told(child, (uint32_t)(m->number >> 32), (uint32_t)m->number, m->text);
    else if (child != NULL)
        stuck_spent(child);
    return valid;
}

static bool take_bad(const struct child *edge, const struct wire_message *m)
{
    bool valid;
    struct child *child = find_worker(edge, m, &valid);

    if (child == NULL)
        return valid;
    log_event(edge->log, LOG_ERROR, "a worker broke the rules of the pool", LOG_N("worker", m->worker + 1),
              LOG_N("generation", m->generation), LOG_N("pid", m->pid), LOG_S("rule", m->text));
    child_kill(child, "it broke the rules of the pool");
    return true;
}

static bool message(struct child *child, struct wire_message *m)
{
    struct super *super = child->owner;

    switch (m->type) {
    case WIRE_POOL:
        return take_pool(child, m);
    case WIRE_POOL_IDLE:
        return take_idle(child, m);
    case WIRE_POOL_BAD:
        return take_bad(child, m);
    case WIRE_WORKER_STUCK:
    case WIRE_WORKER_SPENT:
        return take_stuck(child, m);
    case WIRE_STATUS:
        return control_edge_status(&super->control, m->number, m->text);
    case WIRE_HELD:
        return pause_quiet(super, child, m->generation);
    case WIRE_WATCHED:
        super->watched_ns = clock_mono_ns();
        return true;
    case WIRE_PONG:
        pulse_answered(super, m->number);
        return true;
    case WIRE_DRAINED:
        if (child != super->edge) {
            second_edge_drained(super, child);
            return true;
        }
        if (super->state != SUPER_DRAINING)
            return super->state == SUPER_STOPPING;
        super_drained(super);
        return true;
    default:
        return false;
    }
}

/* Nothing to say: an edge ends when its channel does. */
static void stop(struct child *child)
{
    channel_fini(&child->channel);
}

static void log_death(struct super *super, const struct child *child, int status)
{
    char how[128];

    if (status < 0) {
        log_event(super->log, LOG_ERROR, "the edge cannot be started", LOG_Z("why", why_errno(status)));
        return;
    }
    child_describe_end(status, how, sizeof(how));
    log_event(super->log, LOG_ERROR, "the edge died: another is started", LOG_N("pid", child->pid), LOG_Z("how", how));
}

/* What it was draining went with it: nobody waits for those answers any more. */
static void end_drains(const struct child *edge)
{
    LIST_EACH(link, &super_of(edge)->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (g->edge == edge && g->state == GENERATION_DRAINING)
            generation_idle(g);
    }
}

static bool gone(struct child *child, int status, bool was_ready)
{
    struct super *super = child->owner;

    if (child != super->edge) {
        second_edge_gone(super, child, status);
        return false;
    }
    control_edge_gone(&super->control);
    if (super->state >= SUPER_DRAINING) {
        super_drained(super);
        return false;
    }
    log_death(super, child, status);
    end_drains(child);
    stuck_edge_gone(super, child);
    if (super->state == SUPER_STARTING && child->failed_boots >= FIRST_TRIES) {
        log_event(super->log, LOG_ERROR, "the edge does not start: giving up");
        super->exit_code = EXIT_FAILED;
        super_stop_now(super, "no edge");
        return false;
    }
    return true;
}

static void down(struct child *child)
{
    second_edge_down(super_of(child), child);
    super_edge_down(child->owner);
}

const struct role role_edge = {
    .name = "edge",
    .spawn = spawn,
    .ready = ready,
    .message = message,
    .stop = stop,
    .gone = gone,
    .down = down,
};
