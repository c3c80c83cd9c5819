/* The document, written and read. */
#include "super/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "super/super.h"

#define CONF_TEXT_MAX (1u << 20)
#define HEX_LEN ((size_t)2 * TLS_TICKET_KEY_LEN)

/* ---- writing ---- */

static json_t *process_document(const struct child *child)
{
    bool lives = child->pid > 0;

    return json_pack("{s:i, s:b, s:i, s:i, s:i, s:I, s:I, s:I, s:i}", "pid", (int)child->pid, "ready", child->was_ready,
                     "channel", lives ? child->channel.fd : -1, "output", lives ? child->output.fd : -1, "recorder",
                     lives ? child->recorder : -1, "started_ns", (json_int_t)child->started_ns, "ready_ns",
                     (json_int_t)child->ready_ns, "boot_ns", (json_int_t)child->boot_ns, "restarts",
                     (int)child->restarts);
}

static json_t *listeners_document(const struct listeners *listeners)
{
    json_t *list = json_array();

    for (size_t i = 0; i < listeners->n; i++) {
        const struct listener *l = &listeners->items[i];

        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:i}", "kind", (int)l->kind, "address", l->address,
                                              "shown", l->shown, "fd", l->fd));
    }
    return list;
}

static json_t *workers_document(const struct generation *g)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < g->n_workers; i++) {
        struct child *child = g->workers[i].child;
        json_t *process = process_document(child);

        json_object_set_new(process, "release", json_integer(worker_process_of(child)->release));
        json_array_append_new(list, process);
    }
    return list;
}

static json_t *pool_document(const struct generation *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->n_pool_fds; i++)
        json_array_append_new(list, json_integer(g->pool_fds[i]));
    return list;
}

static json_t *generation_document(const struct generation *g, const char *conf)
{
    const struct plan *plan = g->plan;

    return json_pack("{s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:o, s:o}", "number", (int)g->number, "release",
                     (int)g->release, "threads", (int)g->threads, "umask", plan->umask, "conf", conf, "directory",
                     plan->directory, "python", plan->python, "app", plan->app, "pool", pool_document(g), "workers",
                     workers_document(g));
}

static void hex_of(const unsigned char *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static json_t *document(const struct super *super, const char *conf)
{
    const struct tickets *tickets = &super->tls.tickets;
    char key[HEX_LEN + 1], older[(TICKETS_KEYS - 1) * HEX_LEN + 1] = "";
    json_t *whole;

    hex_of(tickets->keys[0], TLS_TICKET_KEY_LEN, key);
    hex_of(tickets->keys[1], (tickets->n - 1) * TLS_TICKET_KEY_LEN, older);
    whole = json_pack("{s:b, s:i, s:I, s:I, s:i, s:i, s:I, s:i, s:s, s:s, s:I, s:s?, s:i, s:s, s:o, s:o, s:o}",
                      "second_wanted", super->second.wanted, "format", HANDOVER_FORMAT, "started_ns",
                      (json_int_t)super->started_ns, "watched_ns", (json_int_t)super->watched_ns, "last_generation",
                      (int)super->last_generation, "more_workers", super->more_workers, "edge_asked",
                      (json_int_t)super->control.edge_asked, "pauses", (int)super->pause.number, "ticket_key", key,
                      "older_ticket_keys", older, "ticket_key_ns", (json_int_t)tickets->made_ns, "pid_file",
                      super->pid_file, "control", super->control.fd, "control_path", super->control.path, "listeners",
                      listeners_document(&super->listeners), "edge", process_document(super->edge), "generation",
                      generation_document(super->serving, conf));
    mem_wipe(key, sizeof(key));
    mem_wipe(older, sizeof(older));
    return whole;
}

static int make_blob(const struct super *super, const char *conf)
{
    json_t *whole = document(super, conf);
    char *text = whole != NULL ? json_dumps(whole, JSON_COMPACT) : NULL;
    int fd = -EINVAL;

    if (text != NULL) {
        fd = wire_blob_make("quintet-handover", str_of(text));
        mem_wipe(text, strlen(text));
    }
    free(text);
    json_decref(whole);
    return fd;
}

int handover_write(const struct super *super)
{
    struct buf conf;
    int r;

    buf_init(&conf, CONF_TEXT_MAX);
    r = conf_write(super->serving->plan->builder, &conf);
    if (r == 0)
        r = buf_add_char(&conf, '\0');
    if (r == 0)
        r = make_blob(super, conf.data);
    buf_fini(&conf);
    return r;
}

/* ---- reading ---- */

void handover_keep(int fd, bool keep)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

/* -1: none, unless one is needed. */
static int take_fd(json_t *value, bool needed, int *out)
{
    json_int_t fd = json_integer_value(value);

    *out = -1;
    if (!json_is_integer(value) || fd < 0)
        return needed ? -EPROTO : 0;
    if (fd > INT32_MAX || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return -EBADF;
    *out = (int)fd;
    return 0;
}

static char *take_text(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? mem_strdup(text) : NULL;
}

static uint64_t take_number(json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 ? (uint64_t)n : 0;
}

static int take_process(json_t *object, struct child_past *out)
{
    int r;

    *out = (struct child_past){ .pid = (pid_t)take_number(object, "pid"), .channel = -1, .output = -1, .recorder = -1 };
    out->ready = json_is_true(json_object_get(object, "ready"));
    out->started_ns = take_number(object, "started_ns");
    out->ready_ns = take_number(object, "ready_ns");
    out->boot_ns = take_number(object, "boot_ns");
    out->restarts = (uint32_t)take_number(object, "restarts");
    r = take_fd(json_object_get(object, "channel"), out->pid > 0, &out->channel);
    if (r == 0)
        r = take_fd(json_object_get(object, "output"), false, &out->output);
    return r == 0 ? take_fd(json_object_get(object, "recorder"), false, &out->recorder) : r;
}

static int take_listeners(json_t *list, struct listeners *out)
{
    size_t n = json_array_size(list);

    out->items = mem_calloc(n + 1, sizeof(*out->items));
    for (size_t i = 0; i < n; i++) {
        json_t *object = json_array_get(list, i);
        struct listener *l = &out->items[out->n++];
        uint64_t kind = take_number(object, "kind");

        *l = (struct listener){ .kind = (enum listener_kind)kind, .address = take_text(object, "address") };
        l->shown = take_text(object, "shown");
        if (l->address == NULL || l->shown == NULL || kind > LISTENER_METRICS)
            return -EPROTO;
        if (take_fd(json_object_get(object, "fd"), true, &l->fd) != 0)
            return -EBADF;
    }
    return 0;
}

static int take_pool(json_t *list, struct handover *h)
{
    size_t n = json_array_size(list);

    if (n < 2 || n > WIRE_FDS_MAX)
        return -EPROTO;
    for (h->n_pool_fds = 0; h->n_pool_fds < n; h->n_pool_fds++) {
        int r = take_fd(json_array_get(list, h->n_pool_fds), true, &h->pool_fds[h->n_pool_fds]);

        if (r != 0)
            return r;
    }
    return 0;
}

static int take_workers(json_t *list, struct handover *h)
{
    size_t n = json_array_size(list);

    if (n == 0 || n > HANDOVER_WORKERS_MAX)
        return -EPROTO;
    h->workers = (uint32_t)n;
    h->worker = mem_calloc(n, sizeof(*h->worker));
    for (size_t i = 0; i < n; i++) {
        json_t *object = json_array_get(list, i);
        int r = take_process(object, &h->worker[i].past);

        h->worker[i].release = (uint32_t)take_number(object, "release");
        if (r != 0)
            return r;
    }
    return 0;
}

static int take_generation(json_t *object, struct handover *h)
{
    json_t *mask = json_object_get(object, "umask");
    int r;

    h->generation = (uint32_t)take_number(object, "number");
    h->release = (uint32_t)take_number(object, "release");
    h->threads = (uint32_t)take_number(object, "threads");
    h->umask = json_is_integer(mask) ? (int)json_integer_value(mask) : -1;
    h->conf = take_text(object, "conf");
    h->directory = take_text(object, "directory");
    h->python = take_text(object, "python");
    h->app = take_text(object, "app");
    if (h->generation == 0 || h->threads == 0 || h->conf == NULL || h->directory == NULL || h->python == NULL ||
        h->app == NULL)
        return -EPROTO;
    r = take_pool(json_object_get(object, "pool"), h);
    return r == 0 ? take_workers(json_object_get(object, "workers"), h) : r;
}

static int take_key(const char *hex, unsigned char key[TLS_TICKET_KEY_LEN])
{
    for (size_t i = 0; i < TLS_TICKET_KEY_LEN; i++) {
        char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' }, *end;

        key[i] = (unsigned char)strtoul(two, &end, 16);
        if (*end != '\0')
            return -EPROTO;
    }
    return 0;
}

/* A program that knew one key only made it at its start: it is as if made now. */
static int take_tickets(json_t *whole, struct tickets *tickets)
{
    const char *newest = json_string_value(json_object_get(whole, "ticket_key"));
    const char *older = json_string_value(json_object_get(whole, "older_ticket_keys"));
    size_t n_older = older != NULL ? strlen(older) : 0;
    uint64_t now = clock_mono_ns(), made = take_number(whole, "ticket_key_ns");
    int r;

    if (newest == NULL || strlen(newest) != HEX_LEN || n_older % HEX_LEN != 0 || n_older > (TICKETS_KEYS - 1) * HEX_LEN)
        return -EPROTO;
    r = take_key(newest, tickets->keys[0]);
    for (tickets->n = 1; r == 0 && (tickets->n - 1) * HEX_LEN < n_older; tickets->n++)
        r = take_key(older + (tickets->n - 1) * HEX_LEN, tickets->keys[tickets->n]);
    tickets->made_ns = made != 0 && made < now ? made : now;
    return r;
}

static int take_all(json_t *whole, struct handover *h)
{
    int r = take_tickets(whole, &h->tickets);

    if (take_number(whole, "format") != HANDOVER_FORMAT)
        return -EPROTO;
    h->started_ns = take_number(whole, "started_ns");
    h->watched_ns = take_number(whole, "watched_ns");
    h->last_generation = (uint32_t)take_number(whole, "last_generation");
    h->edge_asked = take_number(whole, "edge_asked");
    h->pauses = (uint32_t)take_number(whole, "pauses");
    h->second_wanted = json_is_true(json_object_get(whole, "second_wanted"));
    h->more_workers = (int)json_integer_value(json_object_get(whole, "more_workers"));
    h->pid_file = take_text(whole, "pid_file");
    h->control_path = take_text(whole, "control_path");
    if (r == 0)
        r = h->control_path != NULL ? take_fd(json_object_get(whole, "control"), true, &h->control) : -EPROTO;
    if (r == 0)
        r = take_listeners(json_object_get(whole, "listeners"), &h->listeners);
    if (r == 0)
        r = take_process(json_object_get(whole, "edge"), &h->edge);
    return r == 0 ? take_generation(json_object_get(whole, "generation"), h) : r;
}

int handover_read(int fd, struct handover *out, struct why *why)
{
    struct str text = { NULL, 0 };
    json_t *whole;
    int r = wire_blob_read(fd, HANDOVER_MAX, &text);

    *out = (struct handover){ .control = -1, .umask = -1, .edge = { .channel = -1, .output = -1, .recorder = -1 } };
    if (r != 0)
        return why_set(why, r, "what the program before has left cannot be read: %s", why_errno(r));
    whole = json_loadb(text.p, text.n, 0, NULL);
    r = take_all(whole, out);
    json_decref(whole);
    mem_wipe((void *)(uintptr_t)text.p, text.n);
    mem_free((void *)(uintptr_t)text.p);
    if (r == 0)
        return 0;
    return why_set(why, r, "what the program before has left is not in the form that this one understands: %s",
                   why_errno(r));
}

void handover_fini(struct handover *h)
{
    for (size_t i = 0; i < h->listeners.n; i++) {
        mem_free(h->listeners.items[i].address);
        mem_free(h->listeners.items[i].shown);
    }
    mem_free(h->listeners.items);
    mem_free(h->pid_file);
    mem_free(h->control_path);
    mem_free(h->conf);
    mem_free(h->directory);
    mem_free(h->python);
    mem_free(h->app);
    mem_free(h->worker);
    tickets_wipe(&h->tickets);
}
