/* The status document. */
#include "super/status.h"

#include <unistd.h>

#include "base/version.h"
#include "os/proc.h"
#include "super/preload.h"
#include "super/super.h"

static const char *const state_names[] = {
    [SUPER_STARTING] = "starting", [SUPER_RUNNING] = "running",   [SUPER_LEAVING] = "leaving",
    [SUPER_DRAINING] = "draining", [SUPER_STOPPING] = "stopping",
};

static double seconds_since(uint64_t ns)
{
    return ns == 0 ? 0.0 : (double)((clock_mono_ns() - ns) / NS_PER_MS) / 1000.0;
}

static json_t *child_document(const struct child *child)
{
    return json_pack("{s:i, s:s, s:f, s:i, s:f, s:I}", "pid", (int)child->pid, "state", child_state_name(child->state),
                     "uptime", child->pid > 0 ? seconds_since(child->started_ns) : 0.0, "restarts",
                     (int)child->restarts, "boot_seconds", (double)(child->boot_ns / NS_PER_MS) / 1000.0, "memory",
                     child->pid > 0 ? (json_int_t)proc_rss(child->pid) : (json_int_t)0);
}

static json_t *preloaders_document(const struct generation *g)
{
    json_t *list = json_array();

    LIST_EACH(link, &g->preloads)
        json_array_append_new(list, child_document(&CONTAINER_OF(link, struct preload, link)->child));
    return list;
}

/* How long it stays. */
static double kept_seconds(const struct generation *g)
{
    uint64_t now = clock_mono_ns();

    return g->state == GENERATION_KEPT && g->timer.deadline > now
               ? (double)((g->timer.deadline - now) / NS_PER_MS) / 1000.0
               : 0.0;
}

static json_t *generation_document(const struct generation *g)
{
    json_t *workers = json_array();

    for (uint32_t i = 0; i < g->n_workers; i++) {
        const struct worker *w = &g->workers[i];
        json_t *worker = child_document(w->child);

        json_object_set_new(worker, "worker", json_integer(i + 1));
        json_object_set_new(worker, "generation", json_integer(worker_process_of(w->child)->release));
        if (w->next != NULL)
            json_object_set_new(worker, "successor", child_document(w->next));
        json_array_append_new(workers, worker);
    }
    return json_pack("{s:f, s:i, s:i, s:s, s:i, s:s?, s:o, s:o}", "kept_seconds", kept_seconds(g), "generation",
                     (int)g->release, "pool", (int)g->number, "state", generation_state_name(g->state), "threads",
                     (int)g->threads, "app", g->plan->app, "preloaders", preloaders_document(g), "workers", workers);
}

static json_t *url_of(const struct listener *listener)
{
    json_t *shown = NULL;
    struct buf url;

    buf_init(&url, 512);
    if (listener_url(listener, &url) == 0)
        shown = json_stringn(url.data, url.len);
    buf_fini(&url);
    return shown;
}

static json_t *addresses(const struct super *super)
{
    json_t *list = json_array();

    for (size_t i = 0; i < super->listeners.n; i++)
        if (super->listeners.items[i].kind != LISTENER_METRICS)
            json_array_append_new(list, url_of(&super->listeners.items[i]));
    return list;
}

/* NULL: there is none. */
static json_t *metrics_address(const struct super *super)
{
    for (size_t i = 0; i < super->listeners.n; i++)
        if (super->listeners.items[i].kind == LISTENER_METRICS)
            return url_of(&super->listeners.items[i]);
    return NULL;
}

/* NULL: there is one edge. */
static json_t *edge_before(const struct super *super)
{
    const struct child *other = second_edge_other(super);

    return other->state == CHILD_DOWN || super->second.wanted ? NULL : child_document(other);
}

/* NULL: there are none. */
static json_t *certificates(const struct tls_care *care)
{
    json_t *list = care->n_certs > 0 ? json_array() : NULL;

    for (size_t i = 0; i < care->n_certs; i++) {
        const struct tls_care_cert *cert = &care->certs[i];

        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "file", cert->file, "name", cert->name, "key",
                                              cert->key, "expires", (json_int_t)cert->expires));
    }
    return list;
}

json_t *status_document(const struct super *super, json_t *edge)
{
    json_t *generations = json_array(), *own = child_document(super->edge);
    const struct plan *plan = super_plan(super);

    LIST_EACH(link, &super->generations)
        json_array_append_new(generations, generation_document(CONTAINER_OF(link, struct generation, link)));
    if (edge != NULL)
        json_object_update_missing(own, edge);
    return json_pack("{s:f, s:o*, s:o*, s:s, s:i, s:s, s:f, s:o, s:o*, s:s?, s:s?, s:s, s:o, s:o, s:I}", "paused",
                     (double)(pause_left(super) / NS_PER_MS) / 1000.0, "certificates", certificates(&super->tls),
                     "edge_before", edge_before(super), "version", QUINTET_VERSION, "pid", (int)getpid(), "state",
                     state_names[super->state], "uptime", seconds_since(super->started_ns), "addresses",
                     addresses(super), "metrics", metrics_address(super), "app", plan != NULL ? plan->app : NULL,
                     "python", plan != NULL ? plan->python : NULL, "reload", reload_state_name(super->reload.state),
                     "generations", generations, "edge", own, "memory", (json_int_t)proc_rss(getpid()));
}
