/* THE table of metrics. A new one: a counter in struct lane_stats, or a function here, and a row. */
#include "edge/metrics.h"

#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"
#include "edge/edge_process.h"
#include "edge/leave.h"
#include "os/proc.h"

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

/* A row is a family: its samples come from one counter of the lanes, or from a function that writes them. */
struct metric {
    const char *name, *help;
    enum metric_type type;
    size_t offset; /* of an atomic_ullong in struct lane_stats */
    int (*write)(const struct metric *m, struct edge *edge, struct buf *out);
    bool locked; /* written with the dispatch lock; the others may take their time */
};

static const char *const handler_names[STATS_HANDLERS] = {
    [STATS_EDGE] = "edge",     [STATS_APP] = "app",         [STATS_FILE] = "file",
    [STATS_HEALTH] = "health", [STATS_OPTIONS] = "options", [STATS_ROUTE] = "route",
};
static const char *const status_names[STATS_STATUSES] = {
    [STATS_NONE] = "none", [STATS_2XX] = "2xx", [STATS_3XX] = "3xx", [STATS_4XX] = "4xx", [STATS_5XX] = "5xx",
};
static const char *const listener_names[STATS_LISTENERS] = {
    [STATS_HTTP] = "http", [STATS_HTTPS] = "https", [STATS_METRICS] = "metrics"
};
static const char *const bound_names[STATS_BUCKETS] = {
#define X(ns, text) text,
    STATS_BOUNDS(X)
#undef X
        "+Inf",
};

static unsigned long long sum_at(const struct edge *edge, size_t offset)
{
    unsigned long long total = 0;

    for (uint32_t i = 0; i < edge->n_lanes; i++) {
        const char *stats = (const char *)&edge->lanes[i].stats;

        total += stats_get((const atomic_ullong *)(const void *)(stats + offset));
    }
    return total;
}

#define SUM(edge, field) sum_at(edge, offsetof(struct lane_stats, field))

/* ---- families with labels ---- */

static int write_sum(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s %llu\n", m->name, sum_at(edge, m->offset));
}

static const char *const tls_version_names[STATS_TLS_VERSIONS] = { [STATS_TLS_1_2] = "1.2", [STATS_TLS_1_3] = "1.3" };
static const char *const tls_failure_names[TLS_FAILURES] = {
    [TLS_GONE] = "gone",
    [TLS_NOT_TLS] = "not_tls",
    [TLS_VERSION] = "version",
    [TLS_CIPHER] = "cipher",
    [TLS_NAME] = "name",
    [TLS_ALPN] = "protocol",
    [TLS_CLIENT_CERT] = "client_certificate",
    [TLS_ALERT] = "alert",
    [TLS_OTHER] = "other",
};

static int write_handshakes(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t v = 0; v < STATS_TLS_VERSIONS && error == 0; v++)
        error = buf_printf(out, "%s{version=\"%s\",resumed=\"no\"} %llu\n%s{version=\"%s\",resumed=\"yes\"} %llu\n",
                           m->name, tls_version_names[v], SUM(edge, handshakes[v][0]), m->name, tls_version_names[v],
                           SUM(edge, handshakes[v][1]));
    return error;
}

static int write_handshake_failures(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t f = TLS_OK + 1; f < TLS_FAILURES && error == 0; f++)
        error = buf_printf(out, "%s{reason=\"%s\"} %llu\n", m->name, tls_failure_names[f],
                           SUM(edge, handshake_failures[f]));
    return error;
}

/* As the value of a label. */
static int write_escaped(struct buf *out, const char *text)
{
    int error = 0;

    for (const char *p = text; *p != '\0' && error == 0; p++) {
        if (*p == '\n')
            error = buf_add_str(out, STR("\\n"));
        else if (*p == '"' || *p == '\\')
            error = buf_printf(out, "\\%c", *p);
        else
            error = buf_add_char(out, *p);
    }
    return error;
}

/* A file that is configured twice is one certificate. */
static bool is_repeated(const struct tls_ctx *ctx, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(tls_ctx_cert(ctx, i)->label, tls_ctx_cert(ctx, n)->label) == 0)
            return true;
    return false;
}

static int write_certificates(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t i = 0; edge->tls != NULL && i < tls_ctx_certs(edge->tls) && error == 0; i++) {
        const struct tls_cert_info *info = tls_ctx_cert(edge->tls, i);

        if (is_repeated(edge->tls, i))
            continue;
        error = buf_printf(out, "%s{name=\"%s\",file=\"", m->name, info->name);
        if (error == 0)
            error = write_escaped(out, info->label);
        if (error == 0)
            error = buf_printf(out, "\"} %lld\n", (long long)info->expires);
    }
    return error;
}

static int write_answers(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t h = 0; h < STATS_HANDLERS; h++) {
        for (size_t s = 0; s < STATS_STATUSES && error == 0; s++)
            error = buf_printf(out, "%s{handler=\"%s\",status=\"%s\"} %llu\n", m->name, handler_names[h],
                               status_names[s], SUM(edge, answers[h][s]));
    }
    return error;
}

/* The histogram at this offset; `label` is empty or ends with a comma. */
static int write_histogram(const char *name, const char *label, const struct edge *edge, size_t offset, struct buf *out)
{
    unsigned long long n = 0, sum_ns = sum_at(edge, offset + offsetof(struct stats_histogram, sum_ns));
    int comma = label[0] != '\0', error = 0;

    for (size_t i = 0; i < STATS_BUCKETS && error == 0; i++) {
        n += sum_at(edge, offset + offsetof(struct stats_histogram, buckets) + i * sizeof(atomic_ullong));
        error = buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, label, comma ? "," : "", bound_names[i], n);
    }
    if (error != 0)
        return error;
    return buf_printf(out, "%s_sum%s%s%s %.9f\n%s_count%s%s%s %llu\n", name, comma ? "{" : "", label, comma ? "}" : "",
                      (double)sum_ns / 1e9, name, comma ? "{" : "", label, comma ? "}" : "", n);
}

static int write_took(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t h = 0; h < STATS_HANDLERS && error == 0; h++) {
        struct buf label;

        buf_init(&label, 64);
        error = buf_printf(&label, "handler=\"%s\"", handler_names[h]);
        if (error == 0)
            error = buf_add_char(&label, '\0');
        if (error == 0)
            error = write_histogram(m->name, label.data, edge, offsetof(struct lane_stats, took[h]), out);
        buf_fini(&label);
    }
    return error;
}

static int write_queued(const struct metric *m, struct edge *edge, struct buf *out)
{
    return write_histogram(m->name, "", edge, m->offset, out);
}

static int write_refused(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out,
                      "%s{reason=\"queue_full\"} %llu\n%s{reason=\"queue_hopeless\"} %llu\n"
                      "%s{reason=\"queue_timeout\"} %llu\n%s{reason=\"memory\"} %llu\n"
                      "%s{reason=\"network\"} %llu\n%s{reason=\"rate\"} %llu\n%s{reason=\"concurrency\"} %llu\n"
                      "%s{reason=\"host\"} %llu\n%s{reason=\"proxies\"} %llu\n",
                      m->name, SUM(edge, queue_full), m->name, SUM(edge, queue_hopeless), m->name,
                      SUM(edge, queue_timeout), m->name, SUM(edge, shed), m->name, SUM(edge, outside), m->name,
                      SUM(edge, too_often), m->name, SUM(edge, crowded_out), m->name, SUM(edge, unknown_host), m->name,
                      SUM(edge, contradicted));
}

static int write_failed(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s{reason=\"timeout\"} %llu\n%s{reason=\"worker_died\"} %llu\n%s{reason=\"unfit\"} %llu\n",
                      m->name, SUM(edge, timeouts), m->name, SUM(edge, lost), m->name, SUM(edge, unfit));
}

static int write_accepted(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t l = 0; l < STATS_LISTENERS && error == 0; l++)
        error = buf_printf(out, "%s{listener=\"%s\"} %llu\n", m->name, listener_names[l], SUM(edge, accepted[l]));
    return error;
}

static int write_open(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t l = 0; l < STATS_LISTENERS && error == 0; l++) {
        unsigned long long ended = SUM(edge, ended[l]),
                           accepted = SUM(edge, accepted[l]); /* in this order: never below 0 */

        error = buf_printf(out, "%s{listener=\"%s\"} %llu\n", m->name, listener_names[l],
                           accepted > ended ? accepted - ended : 0);
    }
    return error;
}

static int write_closed(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s{reason=\"evicted\"} %llu\n%s{reason=\"crowded\"} %llu\n%s{reason=\"too_slow\"} %llu\n",
                      m->name, SUM(edge, evicted), m->name, SUM(edge, crowded), m->name, SUM(edge, too_slow));
}

static int write_abuse(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (enum h2_guard g = 0; g < H2_GUARDS && error == 0; g++)
        error = buf_printf(out, "%s{kind=\"%s\"} %llu\n", m->name, h2_guard_name(g), SUM(edge, h2_abuse[g]));
    return error;
}

static int write_codings(const struct metric *m, struct edge *edge, struct buf *out)
{
    int error = 0;

    for (int c = CODING_IDENTITY + 1; c < CODINGS && error == 0; c++) {
        struct str coding = coding_name((enum coding)c);

        error = buf_printf(out, "%s{coding=\"" STR_FMT "\"} %llu\n", m->name, STR_ARG(coding),
                           sum_at(edge, m->offset + (size_t)c * sizeof(atomic_ullong)));
    }
    return error;
}

/* ---- queue and pools: under the dispatch lock ---- */

static int write_queue(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s %u\n", m->name, (unsigned)edge->dispatch.n_queued);
}

static int write_replayed(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s %llu\n", m->name, (unsigned long long)edge->dispatch.replayed);
}

static int write_paused(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s %d\n", m->name, hold_on(&edge->dispatch.hold));
}

static int write_serving(const struct metric *m, struct edge *edge, struct buf *out)
{
    const struct generation *g = edge->dispatch.active;

    return buf_printf(out, "%s %u\n", m->name, g != NULL ? (unsigned)g->number : 0);
}

static unsigned alive(const struct generation *g)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < g->geometry.workers; i++)
        n += g->workers[i].alive;
    return n;
}

typedef unsigned figure_fn(const struct generation *g);

static unsigned slots(const struct generation *g)
{
    return g->geometry.slots;
}

static unsigned slots_used(const struct generation *g)
{
    return g->used;
}

static int write_generations(const struct metric *m, struct edge *edge, figure_fn *figure, struct buf *out)
{
    int error = 0;

    LIST_EACH(link, &edge->dispatch.generations) {
        const struct generation *g = CONTAINER_OF(link, struct generation, link);

        if (error == 0)
            error = buf_printf(out, "%s{generation=\"%u\"} %u\n", m->name, (unsigned)g->number, figure(g));
    }
    return error;
}

static int write_workers(const struct metric *m, struct edge *edge, struct buf *out)
{
    return write_generations(m, edge, alive, out);
}

static int write_slots(const struct metric *m, struct edge *edge, struct buf *out)
{
    return write_generations(m, edge, slots, out);
}

static int write_used(const struct metric *m, struct edge *edge, struct buf *out)
{
    return write_generations(m, edge, slots_used, out);
}

static int write_ready(const struct metric *m, struct edge *edge, struct buf *out)
{
    return buf_printf(out, "%s %d\n", m->name, leave_unready_why(edge) == NULL);
}

/* ---- the process ---- */

static int write_build(const struct metric *m, struct edge *edge, struct buf *out)
{
    (void)edge;
    return buf_printf(out, "%s{version=\"%s\"} 1\n", m->name, QUINTET_VERSION);
}

static int write_start(const struct metric *m, struct edge *edge, struct buf *out)
{
    uint64_t age = clock_mono_ns() - edge->started_ns;

    return buf_printf(out, "%s %.3f\n", m->name, (double)(clock_wall_ns() - age) / 1e9);
}

static int write_cpu(const struct metric *m, struct edge *edge, struct buf *out)
{
    struct timespec t = { 0 };

    (void)edge;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return buf_printf(out, "%s %.3f\n", m->name, (double)t.tv_sec + (double)t.tv_nsec / 1e9);
}

static int write_memory(const struct metric *m, struct edge *edge, struct buf *out)
{
    (void)edge;
    return buf_printf(out, "%s %llu\n", m->name, (unsigned long long)proc_rss(getpid()));
}

static int write_descriptors(const struct metric *m, struct edge *edge, struct buf *out)
{
    (void)edge;
    return buf_printf(out, "%s %zu\n", m->name, proc_count_fds());
}

/* ---- the table ---- */

#define AT(field) .offset = offsetof(struct lane_stats, field)

/* clang-format off */
static const struct metric table[] = {
    { "quintet_build_info", "The version that runs.", GAUGE, .write = write_build },
    { "quintet_ready", "1 while a generation serves and the server is not about to stop.", GAUGE, .write = write_ready, .locked = true },
    { "quintet_generation", "Number of the generation that gets new requests; 0: none.", GAUGE, .write = write_serving, .locked = true },
    { "quintet_requests_total", "Requests that have ended, by who answered and the class of the status; none: without an answer.", COUNTER, .write = write_answers },
    { "quintet_request_duration_seconds", "From the first byte of a request to the last of its answer.", HISTOGRAM, .write = write_took },
    { "quintet_queue_time_seconds", "Wait for a worker, of the requests that got one.", HISTOGRAM, .write = write_queued, AT(queued) },
    { "quintet_queue_length", "Requests that wait for a worker now.", GAUGE, .write = write_queue, .locked = true },
    { "quintet_paused", "1 while requests are held by `quintet pause`.", GAUGE, .write = write_paused, .locked = true },
    { "quintet_requests_refused_total", "Requests refused before a worker saw them, for an unknown host or contradictory proxies (400, 421), by limits (403, 429) and for lack of room (503).", COUNTER, .write = write_refused },
    { "quintet_rate_limit_forgotten_total", "Clients near a rate limit that were forgotten because too many others came.", COUNTER, .write = write_sum, AT(forgotten) },
    { "quintet_requests_failed_total", "Requests that a worker had and that were answered 502 or 504, or broke off.", COUNTER, .write = write_failed },
    { "quintet_requests_replayed_total", "Requests given to another worker after theirs had died.", COUNTER, .write = write_replayed, .locked = true },
    { "quintet_request_body_bytes_total", "Bytes of request bodies received.", COUNTER, .write = write_sum, AT(body_in) },
    { "quintet_response_body_bytes_total", "Bytes of response bodies sent, without framing.", COUNTER, .write = write_sum, AT(body_out) },
    { "quintet_compression_input_bytes_total", "Bytes of response bodies compressed on the fly.", COUNTER, .write = write_codings, AT(packed_in) },
    { "quintet_compression_output_bytes_total", "What became of them.", COUNTER, .write = write_codings, AT(packed_out) },
    { "quintet_connections_total", "Connections accepted.", COUNTER, .write = write_accepted },
    { "quintet_connections_open", "Connections open now.", GAUGE, .write = write_open },
    { "quintet_connections_closed_total", "Connections given up: to make room, for their address had too many, out of time.", COUNTER, .write = write_closed },
    { "quintet_tls_handshakes_total", "TLS handshakes completed, by version and whether a session was resumed.", COUNTER, .write = write_handshakes },
    { "quintet_tls_handshake_failures_total", "TLS handshakes that failed.", COUNTER, .write = write_handshake_failures },
    { "quintet_certificate_expiry_timestamp_seconds", "When a certificate ends, by its first name and its file.", GAUGE, .write = write_certificates },
    { "quintet_http2_connections_total", "Connections that speak HTTP/2.", COUNTER, .write = write_sum, AT(h2_connections) },
    { "quintet_http2_abuse_total", "HTTP/2 connections ended for too many frames of one kind.", COUNTER, .write = write_abuse },
    { "quintet_workers", "Worker processes that live.", GAUGE, .write = write_workers, .locked = true },
    { "quintet_worker_exits_total", "Worker processes that have ended, whatever the reason.", COUNTER, .write = write_sum, AT(worker_ends) },
    { "quintet_slots", "Requests that can be with the workers at a time, those handed over ahead included.", GAUGE, .write = write_slots, .locked = true },
    { "quintet_slots_used", "Requests that are with the workers now.", GAUGE, .write = write_used, .locked = true },
    { "process_start_time_seconds", "When this edge process began, which is when its counters did.", GAUGE, .write = write_start },
    { "process_cpu_seconds_total", "CPU time of the edge process.", COUNTER, .write = write_cpu },
    { "process_resident_memory_bytes", "Memory of the edge process.", GAUGE, .write = write_memory },
    { "process_open_fds", "Descriptors of the edge process.", GAUGE, .write = write_descriptors },
};
/* clang-format on */

static int write_family(const struct metric *m, struct edge *edge, struct buf *out)
{
    static const char *const types[] = { [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram" };
    int error = buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, types[m->type]);

    if (error != 0 || !m->locked)
        return error != 0 ? error : m->write(m, edge, out);
    pthread_mutex_lock(&edge->dispatch.lock);
    error = m->write(m, edge, out);
    pthread_mutex_unlock(&edge->dispatch.lock);
    return error;
}

/* Family by family: with thousands of connections, to count the descriptors takes milliseconds, and every lane would wait for the queue. */
int metrics_write(struct edge *edge, struct buf *out)
{
    int error = 0;

    for (size_t i = 0; i < ARRAY_LEN(table) && error == 0; i++)
        error = write_family(&table[i], edge, out);
    return error;
}
