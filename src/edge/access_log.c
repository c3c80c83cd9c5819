/* A line for each exchange, built on the stack and given to the sink. */
#include "edge/access_log.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "edge/edge_process.h"
#include "edge/handler/handlers.h"

#define VALUE_MAX 1024 /* of one client-sent value */

/* Status for the log: 499 (as nginx) when the client left, or had to, before anything was sent. */
static unsigned log_status(const struct exchange *ex)
{
    if (!ex->response.started && (ex->client_gone || ex->response.status == 0))
        return 499;
    return ex->response.status;
}

static struct str field_or_dash(const struct exchange *ex, enum http_field_id id)
{
    struct str s = ex->bytes == NULL ? str_make(NULL, 0) : exchange_field(ex, id);

    return s.n == 0 ? STR("-") : str_cut(s, 0, VALUE_MAX);
}

static struct str span_or_dash(const struct exchange *ex, struct span span)
{
    return ex->bytes == NULL || span.len == 0 ? STR("-") : str_cut(http_str(ex->bytes, span), 0, VALUE_MAX);
}

/* A line has some forty pieces, most of known length. Inlined, such a one is a few moves and no call. */
#define INLINED __attribute__((always_inline)) static inline

INLINED void add(struct buf *b, struct str s)
{
    if (s.n == 0 || s.n > b->cap - b->len)
        return; /* an empty one may be at NULL; none is too long: LANE_LINE_MAX is there, and enough for all */
    memcpy(b->data + b->len, s.p, s.n);
    b->len += s.n;
}

/* Printable ASCII as it is; quotes, backslashes and everything else as \xHH, as nginx does. */
static void add_escaped(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";

    while (s.n > 0) {
        size_t n = json_plain(s);

        add(b, str_make(s.p, n));
        if (n < s.n) {
            unsigned char c = (unsigned char)s.p[n++];

            add(b, str_make((const char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4));
        }
        s = str_make(s.p + n, s.n - n);
    }
}

/* The end of the exchange by the wall clock, which is read once a turn. */
static uint64_t ended_at(const struct exchange *ex)
{
    return lane_wall(ex->lane, ex->start_ns + ex->took_ns);
}

/* Kept for its second: the C library takes longer for it than the rest of the line does. */
static void add_local_time(struct lane *lane, struct buf *b, uint64_t wall_ns)
{
    time_t now = (time_t)(wall_ns / NS_PER_SEC);
    struct tm tm;

    if (now != lane->line_second) {
        localtime_r(&now, &tm);
        lane->line_time_n = strftime(lane->line_time, sizeof(lane->line_time), "%d/%b/%Y:%H:%M:%S %z", &tm);
        lane->line_second = now;
    }
    add(b, str_make(lane->line_time, lane->line_time_n));
}

/* Kept for its millisecond. */
static void add_iso_time(struct lane *lane, struct buf *b, uint64_t wall_ns)
{
    if (wall_ns / NS_PER_MS != lane->line_ms) {
        lane->line_ms = wall_ns / NS_PER_MS;
        clock_iso(wall_ns, lane->line_iso);
    }
    add(b, str_make(lane->line_iso, CLOCK_ISO_LEN));
}

static uint64_t rounded_us(uint64_t ns)
{
    return (ns + NS_PER_US / 2) / NS_PER_US;
}

INLINED void add_ms(struct buf *b, struct str key, uint64_t ns)
{
    add(b, key);
    (void)!buf_add_decimal(b, rounded_us(ns), 3);
    add(b, STR("ms"));
}

INLINED void add_number(struct buf *b, struct str key, uint64_t value)
{
    add(b, key);
    (void)!buf_add_u64(b, value);
}

/* No printf: it took two thirds of a line's time, and the line a third of a small file's by HTTP/2. */
static void write_text(const struct exchange *ex, struct buf *b, uint64_t took_ns)
{
    add(b, ex->remote_addr.n > 0 ? ex->remote_addr : STR("-"));
    add(b, STR(" - - ["));
    add_local_time(ex->lane, b, ended_at(ex));
    add(b, STR("] \""));
    add_escaped(b, span_or_dash(ex, ex->head.method_text));
    add(b, STR(" "));
    add_escaped(b, span_or_dash(ex, ex->head.target));
    add(b, STR(" "));
    add(b, http_version_text(&ex->head));
    add_number(b, STR("\" "), log_status(ex));
    add_number(b, STR(" "), ex->sent);
    add(b, STR(" \""));
    add_escaped(b, field_or_dash(ex, HTTP_F_REFERER));
    add(b, STR("\" \""));
    add_escaped(b, field_or_dash(ex, HTTP_F_USER_AGENT));
    add(b, STR("\" "));
    add(b, ex->id);
    add_ms(b, STR(" "), took_ns);
    if (ex->worker >= 0) {
        add_ms(b, STR(" queue="), ex->queue_ns);
        add_ms(b, STR(" app="), ex->app_ns);
        add_number(b, STR(" worker="), (uint64_t)ex->worker + 1);
    }
}

static void add_quoted(struct buf *b, struct str value)
{
    if (json_plain(value) < value.n) {
        (void)!buf_add_json(b, value);
        return;
    }
    add(b, STR("\""));
    add(b, value);
    add(b, STR("\""));
}

INLINED void add_text(struct buf *b, struct str key, struct str value)
{
    add(b, key);
    add_quoted(b, value);
}

INLINED void add_seconds(struct buf *b, struct str key, uint64_t ns)
{
    add(b, key);
    (void)!buf_add_decimal(b, rounded_us(ns), 6);
}

static void write_json(const struct exchange *ex, struct buf *b, uint64_t took_ns)
{
    add(b, STR("{\"time\":\""));
    add_iso_time(ex->lane, b, ended_at(ex));
    add_number(b, STR("\",\"status\":"), log_status(ex));
    add_number(b, STR(",\"bytes\":"), ex->sent);
    add_seconds(b, STR(",\"duration\":"), took_ns);
    add_text(b, STR(",\"client\":"), ex->remote_addr);
    add_text(b, STR(",\"method\":"), span_or_dash(ex, ex->head.method_text));
    add_text(b, STR(",\"target\":"), span_or_dash(ex, ex->head.target));
    add_text(b, STR(",\"protocol\":"), http_version_text(&ex->head));
    add_text(b, STR(",\"host\":"), ex->server_name);
    add_text(b, STR(",\"scheme\":"), ex->secure ? STR("https") : STR("http"));
    add_text(b, STR(",\"referer\":"), field_or_dash(ex, HTTP_F_REFERER));
    add_text(b, STR(",\"user_agent\":"), field_or_dash(ex, HTTP_F_USER_AGENT));
    add_text(b, STR(",\"request_id\":"), ex->id);
    if (ex->worker >= 0) {
        add_seconds(b, STR(",\"queue_time\":"), ex->queue_ns);
        add_seconds(b, STR(",\"app_time\":"), ex->app_ns);
        add_number(b, STR(",\"worker\":"), (uint64_t)ex->worker + 1);
    }
    add(b, STR("}"));
}

void access_log_write(const struct exchange *ex)
{
    struct edge *edge = ex->lane->edge;
    struct sink *sink = edge->access_sink;
    struct buf *b = &ex->lane->line;

    if (sink == NULL)
        return;
    buf_clear(b);
    if (edge->access_json)
        write_json(ex, b, ex->took_ns);
    else
        write_text(ex, b, ex->took_ns);
    if (b->len == b->max)
        b->len--;
    (void)!buf_add_char(b, '\n');
    sink_put(sink, buf_str(b));
}
