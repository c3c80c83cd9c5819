/*
 * What is served on --metrics-bind, and there alone: /metrics, /healthz, /readyz, /status. No other path leads anywhere, least of all to the
 * application.
 */
#include <string.h>

#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/handler/handlers.h"
#include "edge/leave.h"
#include "edge/metrics.h"
#include "edge/report.h"
#include "edge/status.h"

#define BODY_MAX (1u << 20)

struct watch {
    struct buf body; /* owned */
    size_t sent;
};

static struct watch *begin(struct exchange *ex)
{
    struct watch *w = arena_zalloc(&ex->arena, sizeof(*w));

    must(w != NULL);
    buf_init(&w->body, BODY_MAX);
    ex->state = w;
    return w;
}

static void answer(struct exchange *ex, struct watch *w, struct str type, int error)
{
    if (error != 0) {
        exchange_page(ex, 500, STR("the answer is too long"));
        return;
    }
    exchange_respond(ex, 200);
    exchange_add(ex, STR("Content-Type"), type);
    exchange_add(ex, STR("Cache-Control"), STR("no-store"));
    ex->response.length = (int64_t)w->body.len;
    exchange_ready(ex);
}

static void metrics(struct exchange *ex)
{
    struct watch *w = begin(ex);

    answer(ex, w, STR(METRICS_TYPE), metrics_write(ex->lane->edge, &w->body));
}

static void status(struct exchange *ex)
{
    struct watch *w = begin(ex);
    int error = status_write(ex->lane->edge, &w->body);

    answer(ex, w, STR("application/json"), error != 0 ? error : buf_add_char(&w->body, '\n'));
}

static void alive(struct exchange *ex)
{
    struct watch *w = begin(ex);

    answer(ex, w, STR("text/plain; charset=utf-8"), buf_add_str(&w->body, STR("ok\n")));
}

static void ready(struct exchange *ex)
{
    struct edge *edge = ex->lane->edge;
    const char *why;

    report_watched(ex->lane);
    pthread_mutex_lock(&edge->dispatch.lock);
    why = leave_unready_why(edge);
    pthread_mutex_unlock(&edge->dispatch.lock);
    if (why != NULL)
        exchange_page(ex, 503, str_of(why));
    else
        alive(ex);
}

static const struct {
    struct str path;
    void (*serve)(struct exchange *ex);
} pages[] = {
    { STR_INIT("/metrics"), metrics },
    { STR_INIT("/healthz"), alive },
    { STR_INIT("/readyz"), ready },
    { STR_INIT("/status"), status },
};

static void watch_start(struct exchange *ex)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!str_eq(exchange_path(ex), pages[i].path))
            continue;
        if (ex->head.method == HTTP_GET || ex->head.method == HTTP_HEAD)
            pages[i].serve(ex);
        else
            exchange_page(ex, 405, STR(""));
        return;
    }
    exchange_page(ex, 404, STR("here are /metrics, /healthz, /readyz and /status"));
}

static enum piece_kind watch_peek(struct exchange *ex, struct piece *piece)
{
    struct watch *w = ex->state;

    if (w->sent == w->body.len)
        return PIECE_END;
    piece->iov[0] = (struct iovec){ w->body.data + w->sent, w->body.len - w->sent };
    piece->n_iov = 1;
    piece->size = w->body.len - w->sent;
    return PIECE_DATA;
}

static void watch_consume(struct exchange *ex, size_t n)
{
    struct watch *w = ex->state;

    w->sent += n;
}

static void watch_end(struct exchange *ex)
{
    struct watch *w = ex->state;

    buf_fini(&w->body);
}

const struct handler watch_handler = {
    .name = "metrics",
    .start = watch_start,
    .peek = watch_peek,
    .consume = watch_consume,
    .end = watch_end,
};
