/* Answers the edge gives by itself, without a worker: liveness (--health-path) and OPTIONS *. */
#include "edge/edge_process.h"
#include "edge/handler/handlers.h"
#include "edge/report.h"

struct health {
    struct str left;
};

static enum piece_kind health_peek(struct exchange *ex, struct piece *piece)
{
    struct health *h = ex->state;

    if (h->left.n == 0)
        return PIECE_END;
    piece->iov[0] = (struct iovec){ (void *)h->left.p, h->left.n };
    piece->n_iov = 1;
    piece->size = h->left.n;
    return PIECE_DATA;
}

static void health_consume(struct exchange *ex, size_t n)
{
    struct health *h = ex->state;

    h->left = str_cut(h->left, n, h->left.n);
}

static void answer(struct exchange *ex, unsigned status, struct str body)
{
    struct health *h = arena_zalloc(&ex->arena, sizeof(*h));

    must(h != NULL);
    h->left = body;
    ex->state = h;
    exchange_respond(ex, status);
    ex->response.length = (int64_t)body.n;
}

static void health_start(struct exchange *ex)
{
    report_watched(ex->lane);
    if (!atomic_load_explicit(&ex->lane->edge->has_served, memory_order_relaxed)) {
        exchange_page(ex, 503, STR("the application is starting"));
        return;
    }
    if (atomic_load_explicit(&ex->lane->edge->unready, memory_order_relaxed)) {
        exchange_page(ex, 503, STR("the server is stopping"));
        return;
    }
    answer(ex, 200, STR("ok\n"));
    exchange_add(ex, STR("Content-Type"), STR("text/plain; charset=utf-8"));
    exchange_add(ex, STR("Cache-Control"), STR("no-store"));
    exchange_ready(ex);
}

static void options_start(struct exchange *ex)
{
    answer(ex, 204, STR(""));
    exchange_add(ex, STR("Allow"), STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    exchange_ready(ex);
}

const struct handler health_handler = {
    .name = "health", .kind = STATS_HEALTH, .start = health_start, .peek = health_peek, .consume = health_consume
};

const struct handler options_handler = {
    .name = "options", .kind = STATS_OPTIONS, .start = options_start, .peek = health_peek, .consume = health_consume
};
