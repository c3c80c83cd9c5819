/* CONF to START: what the edge serves by. */
#include "edge/setup.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/bounds.h"
#include "edge/edge_process.h"
#include "edge/lanes.h"
#include "edge/listen.h"
#include "os/proc.h"
#include "wire/tls_blob.h"

#define CONF_BLOB_MAX (1u << 20)
#define SECRET_MAX (256u << 10)
#define RESERVED_FDS 64 /* for files, spools and messages */
#define SPARE_FDS 16    /* for ourselves: what later generations bring, beside a channel for each worker */
#define ACCESS_GATHER_NS (10 * NS_PER_MS)
#define FEWEST 16 /* connections that there may be in any case */

/* ---- what arrives before START ---- */

void setup_conf(struct edge *edge, struct wire_message *m)
{
    struct str text;
    int error = wire_blob_read(m->fds[0], CONF_BLOB_MAX, &text);

    snapshot_unref(edge->building);
    edge->building = NULL;
    if (error == 0) {
        error = snapshot_new(text, &edge->building);
        mem_free((void *)text.p);
    }
    if (error != 0)
        log_event(&edge->log, LOG_ALERT, "the supervisor's configuration cannot be read", LOG_N("error", error));
    else if (edge->phase == EDGE_CONFIGURING) /* for what is said before START */
        edge->log.format = edge->building->conf->log_format == CONF_LOG_JSON ? LOG_JSON : LOG_TEXT;
}

void setup_logs(struct edge *edge, struct wire_message *m)
{
    struct sink *access;

    if (edge->error_sink != NULL)
        sink_reopen(edge->error_sink, m->fds[0]);
    else if (sink_new(m->fds[0], &edge->error_sink) == 0) {
        edge->log.sink_arg = edge->error_sink;
        edge->log.sink = sink_log;
    }
    m->fds[0] = -1;
    if (m->n_fds < 2)
        return;
    if (edge->access_sink != NULL)
        sink_reopen(edge->access_sink, m->fds[1]);
    else if (sink_new(m->fds[1], &access) == 0) {
        sink_gather(access, ACCESS_GATHER_NS);
        edge->access_sink = access;
    } else
        return;
    m->fds[1] = -1;
}

void setup_listener(struct edge *edge, struct wire_message *m)
{
    if (edge->n_listeners == EDGE_LISTENERS_MAX || m->number >= STATS_LISTENERS)
        return;
    edge->listeners[edge->n_listeners++] =
        (struct edge_listener){ .fd = m->fds[0], .kind = (enum stats_listener)m->number };
    edge->watch_late = m->generation != 0;
    m->fds[0] = -1;
}

void setup_root(struct edge *edge, struct wire_message *m)
{
    struct str rest = m->text, first = str_split(&rest, '\n'), real = str_split(&rest, '\n');
    struct str prefix = first, kind = str_split(&prefix, ' ');
    int dir = m->fds[0];

    if (edge->building == NULL || prefix.n == 0)
        return;
    m->fds[0] = -1;
    if (str_eq(kind, STR("dir"))) {
        if (snapshot_add_dir(edge->building, prefix, real, dir, &edge->log) != 0)
            log_event(&edge->log, LOG_ALERT, "too many directories of routes", LOG_S("directory", prefix));
        return;
    }
    if (snapshot_add_root(edge->building, prefix, str_eq(kind, STR("media")), dir) != 0)
        log_event(&edge->log, LOG_ALERT, "too many static and media directories", LOG_S("prefix", prefix));
    else
        snapshot_name_root(edge->building, real, rest);
}

static void wipe_blob(struct str blob)
{
    if (blob.p == NULL)
        return;
    mem_wipe((void *)(uintptr_t)blob.p, blob.n);
    mem_free((void *)(uintptr_t)blob.p);
}

void setup_tickets(struct edge *edge, struct wire_message *m)
{
    struct str blob = { NULL, 0 };
    int error = wire_blob_read(m->fds[0], (size_t)TLS_TICKET_KEYS_MAX * TLS_TICKET_KEY_LEN, &blob);

    if (error == 0 && (blob.n == 0 || blob.n % TLS_TICKET_KEY_LEN != 0))
        error = -EPROTO;
    if (error == 0)
        tls_tickets_set(edge->tickets, (const unsigned char(*)[TLS_TICKET_KEY_LEN])(const void *)blob.p,
                        blob.n / TLS_TICKET_KEY_LEN);
    else
        log_event(&edge->log, LOG_ERROR, "the ticket keys cannot be used", LOG_N("error", error));
    wipe_blob(blob);
}

/* What TLS is to be, out of the blob. 0, or an error with its reason. */
static int build_tls(struct edge *edge, struct str bytes, struct tls_ctx **out, char why[TLS_ERROR_MAX])
{
    struct tls_blob *blob = mem_zalloc(sizeof(*blob));
    struct tls_pair *pairs = mem_calloc(TLS_BLOB_PAIRS_MAX, sizeof(*pairs));
    int error = tls_blob_read(bytes, blob);

    if (error == 0 && blob->n == 0)
        error = -EPROTO;
    for (size_t i = 0; error == 0 && i < blob->n; i++)
        pairs[i] = (struct tls_pair){ .cert_pem = blob->pairs[i].cert_pem,
                                      .key_pem = blob->pairs[i].key_pem,
                                      .label = blob->pairs[i].label };
    if (error == 0)
        error = tls_ctx_new(&(struct tls_settings){ .pairs = pairs,
                                                    .n = blob->n,
                                                    .tickets = edge->tickets,
                                                    .auth = (enum tls_client_auth)blob->client_auth,
                                                    .client_ca_pem = blob->client_ca.cert_pem,
                                                    .client_ca_label = blob->client_ca.label },
                            out, why);
    mem_free(blob);
    mem_free(pairs);
    return error;
}

void setup_secret(struct edge *edge, struct wire_message *m)
{
    struct str bytes = { NULL, 0 };
    int error = edge->building != NULL ? wire_blob_read(m->fds[0], SECRET_MAX, &bytes) : -EPROTO;

    if (error == 0)
        error = snapshot_add_secret(edge->building, m->text, bytes);
    if (error != 0)
        log_event(&edge->log, LOG_ALERT, "a file of passwords or keys cannot be taken over", LOG_S("file", m->text),
                  LOG_N("error", error));
}

void setup_tls(struct edge *edge, struct wire_message *m)
{
    char why[TLS_ERROR_MAX] = "";
    struct tls_ctx *ctx = NULL;
    struct str bytes = { NULL, 0 };
    int error = wire_blob_read(m->fds[0], TLS_BLOB_MAX, &bytes);

    if (error == 0)
        error = build_tls(edge, bytes, &ctx, why);
    wipe_blob(bytes);
    if (error != 0) {
        log_event(&edge->log, LOG_ERROR, "the certificates cannot be used", LOG_Z("reason", why));
        return;
    }
    tls_ctx_unref(edge->tls);
    edge->tls = ctx;
}

/* ---- START ---- */

static void lane_adopt_snapshot(struct lane *lane, void *arg)
{
    struct snapshot *s = arg;

    lane_set_snapshot(lane, s);
    snapshot_unref(s);
}

static void tell_ready(struct lane *lane, struct lane_job *job)
{
    (void)job;
    channel_tell(&lane->edge->super, WIRE_READY, 0, 0);
}

/* The listeners for clients, or that of metrics, which is lane 0's alone: who watches is no load. */
static void listen_to(struct lane *lane, bool metrics)
{
    struct edge *edge = lane->edge;

    for (uint32_t i = 0; i < edge->n_listeners; i++) {
        if ((edge->listeners[i].kind == STATS_METRICS) != metrics)
            continue;
        if (listen_add(lane, &edge->listeners[i]) != 0)
            log_event(&edge->log, LOG_ALERT, "cannot listen", LOG_N("descriptor", edge->listeners[i].fd));
    }
}

void setup_watch_early(struct edge *edge)
{
    if (edge->watching || edge->watch_late || edge->building == NULL)
        return;
    edge->watching = true;
    lane_set_snapshot(&edge->lanes[0], edge->building);
    listen_to(&edge->lanes[0], true);
}

/* The last lane that listens makes the edge ready. */
static void lane_listen(struct lane *lane, void *arg)
{
    struct edge *edge = arg;

    if (lane->index < edge->n_homes)
        listen_to(lane, false);
    if (lane->index == 0 && !edge->watching)
        listen_to(lane, true);
    if (atomic_fetch_add(&edge->listening_lanes, 1) + 1 < edge->n_lanes)
        return;
    edge->ready_job.fn = tell_ready;
    lane_post(&edge->lanes[0], &edge->ready_job);
}

/* By default what descriptors and memory allow. What is open for clients at a reload is not in use for ourselves. */
static void limit_connections(struct edge *edge, const struct conf *conf)
{
    uint64_t fds = edge->fds_for_clients == 0 ? UINT32_MAX : edge->fds_for_clients, used = proc_count_fds();
    uint64_t clients = atomic_load(&edge->admit.open), max = conf->limit_connections;

    used = (used > clients ? used - clients : 0) + SPARE_FDS + 2 * (conf->workers != 0 ? conf->workers : proc_cores());
    fds = fds > used + FEWEST ? fds - used : FEWEST;
    if (max == 0)
        max = admit_rule(fds, proc_memory());
    if (max > fds)
        max = fds; /* those beyond would have to be closed as soon as they come */
    admit_limit(&edge->admit, (uint32_t)max, (uint32_t)conf->limit_connections_per_address);
}

/* The parts of a configuration that are the process's, not a request's. */
static void apply(struct edge *edge, struct snapshot *s)
{
    enum log_level level;

    if (s->conf->log_level != NULL && log_level_parse(str_of(s->conf->log_level), &level) == 0)
        edge->log.level = level;
    edge->log.format = s->conf->log_format == CONF_LOG_JSON ? LOG_JSON : LOG_TEXT;
    edge->access_json = s->conf->log_format == CONF_LOG_JSON;
    dispatch_limit(&edge->dispatch, (uint32_t)s->conf->queue_size, s->conf->queue_timeout);
    limit_connections(edge, s->conf);
}

static void first_start(struct edge *edge)
{
    edge->phase = EDGE_SERVING;
    lanes_each(edge, lane_listen, edge);
}

void setup_start(struct edge *edge, struct wire_message *m)
{
    struct snapshot *s = edge->building;

    (void)m;
    if (s == NULL) {
        log_event(&edge->log, LOG_ALERT, "START without a configuration");
        return;
    }
    lanes_ensure(edge, 0);
    edge->building = NULL;
    if (edge->snapshot != NULL)
        bounds_inherit(s->bounds, edge->snapshot->bounds);
    s->tls = edge->tls != NULL ? tls_ctx_ref(edge->tls) : NULL;
    apply(edge, s);
    snapshot_unref(edge->snapshot);
    edge->snapshot = s;
    for (uint32_t i = 0; i < edge->n_lanes; i++)
        (void)snapshot_ref(s); /* each lane gives its own back */
    lanes_each(edge, lane_adopt_snapshot, s);
    if (edge->phase == EDGE_CONFIGURING)
        first_start(edge);
}

void setup_descriptors(struct edge *edge)
{
    struct rlimit limit;
    rlim_t reserve;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    reserve = limit.rlim_cur / 4 < RESERVED_FDS ? limit.rlim_cur / 4 : RESERVED_FDS;
    edge->fds_for_clients = limit.rlim_cur - reserve;
}
