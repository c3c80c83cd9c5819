/* A line for each exchange, built on the stack and given to the sink. */
#include "edge/access_log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
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

/* Printable ASCII as it is; quotes, backslashes and everything else as \xHH, as nginx does. */
static void add_escaped(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char out[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
            (void)!buf_add_char(b, (char)c);
        else
            (void)!buf_add(b, out, sizeof(out));
    }
}

static void add_local_time(struct buf *b)
{
    time_t now = (time_t)(clock_wall_ns() / NS_PER_SEC);
    struct tm tm;
    char text[40];

    localtime_r(&now, &tm);
    strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S %z", &tm);
    (void)!buf_add_str(b, str_of(text));
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void write_text(const struct exchange *ex, struct buf *b, uint64_t took_ns)
{
    (void)!buf_printf(b, STR_FMT " - - [", STR_ARG(ex->remote_addr.n > 0 ? ex->remote_addr : STR("-")));
    add_local_time(b);
    (void)!buf_add_str(b, STR("] \""));
    add_escaped(b, span_or_dash(ex, ex->head.method_text));
    (void)!buf_add_char(b, ' ');
    add_escaped(b, span_or_dash(ex, ex->head.target));
    (void)!buf_printf(b, " " STR_FMT "\" %u %llu \"", STR_ARG(http_version_text(&ex->head)), log_status(ex),
                      (unsigned long long)ex->sent);
    add_escaped(b, field_or_dash(ex, HTTP_F_REFERER));
    (void)!buf_add_str(b, STR("\" \""));
    add_escaped(b, field_or_dash(ex, HTTP_F_USER_AGENT));
    (void)!buf_printf(b, "\" " STR_FMT " %.3fms", STR_ARG(ex->id), ms(took_ns));
    if (ex->worker >= 0)
        (void)!buf_printf(b, " queue=%.3fms app=%.3fms worker=%d", ms(ex->queue_ns), ms(ex->app_ns), ex->worker + 1);
}

static void add_key(struct buf *b, const char *key, struct str value)
{
    (void)!buf_printf(b, ",\"%s\":", key);
    (void)!buf_add_json(b, value);
}

static void write_json(const struct exchange *ex, struct buf *b, uint64_t took_ns)
{
    char now[CLOCK_ISO_LEN + 1];

    clock_iso(clock_wall_ns(), now);
    (void)!buf_printf(b, "{\"time\":\"%s\",\"status\":%u,\"bytes\":%llu,\"duration\":%.6f", now, log_status(ex),
                      (unsigned long long)ex->sent, (double)took_ns / 1e9);
    add_key(b, "client", ex->remote_addr);
    add_key(b, "method", span_or_dash(ex, ex->head.method_text));
    add_key(b, "target", span_or_dash(ex, ex->head.target));
    add_key(b, "protocol", http_version_text(&ex->head));
    add_key(b, "host", ex->server_name);
    add_key(b, "scheme", ex->secure ? STR("https") : STR("http"));
    add_key(b, "referer", field_or_dash(ex, HTTP_F_REFERER));
    add_key(b, "user_agent", field_or_dash(ex, HTTP_F_USER_AGENT));
    add_key(b, "request_id", ex->id);
    if (ex->worker >= 0)
        (void)!buf_printf(b, ",\"queue_time\":%.6f,\"app_time\":%.6f,\"worker\":%d", (double)ex->queue_ns / 1e9,
                          (double)ex->app_ns / 1e9, ex->worker + 1);
    (void)!buf_add_char(b, '}');
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
