/* h1 objects: made, kept, given up. */
#include "edge/h1_store.h"

#include <stddef.h>

#include "base/mem.h"
#include "edge/h1.h"

#define OUT_FIRST 256
#define IN_KEPT (32u << 10) /* a larger buffer is not kept for the next connection */
#define SPARE_MAX 256

static void ex_flush(struct exchange *ex)
{
    conn_advance(CONTAINER_OF(ex, struct h1, exchange)->conn);
}

static const struct exchange_ops h1_ops = { .flush = ex_flush };

static void h1_free(struct h1 *h1)
{
    exchange_fini(&h1->exchange);
    buf_fini(&h1->in);
    buf_fini(&h1->out);
    mem_free(h1);
}

/* What is said without a response's head (100 Continue, 503 without memory) fits OUT_FIRST, so that it never needs memory. */
static struct h1 *h1_new(struct lane *lane)
{
    struct h1 *h1 = mem_try_zalloc(sizeof(*h1));

    if (h1 == NULL)
        return NULL;
    list_init(&h1->link);
    buf_init(&h1->in, HTTP_HEAD_MAX + LANE_SCRATCH);
    buf_init(&h1->out, 2u * HTTP_HEAD_MAX);
    exchange_init(&h1->exchange, lane);
    h1->exchange.ops = &h1_ops;
    if (buf_try_reserve(&h1->out, OUT_FIRST) == 0)
        return h1;
    h1_free(h1);
    return NULL;
}

bool h1_acquire(struct conn *c)
{
    struct lane *lane = c->lane;
    struct list *spare = list_pop_front(&lane->spare_h1);

    if (spare != NULL) {
        lane->n_spare_h1--;
        c->h1 = CONTAINER_OF(spare, struct h1, link);
    } else {
        c->h1 = h1_new(lane);
    }
    if (c->h1 == NULL)
        return false;
    c->h1->conn = c;
    return true;
}

void h1_release(struct conn *c)
{
    struct lane *lane = c->lane;
    struct h1 *h1 = c->h1;

    exchange_end(&h1->exchange);
    c->h1 = NULL;
    h1->conn = NULL;
    if (lane->n_spare_h1 >= SPARE_MAX || h1->in.cap > IN_KEPT || h1->out.cap > IN_KEPT) {
        h1_free(h1);
        return;
    }
    buf_clear(&h1->in);
    list_push_front(&lane->spare_h1, &h1->link);
    lane->n_spare_h1++;
}

void h1_fini_spare(struct lane *lane)
{
    struct list *spare;

    while ((spare = list_pop_front(&lane->spare_h1)) != NULL)
        h1_free(CONTAINER_OF(spare, struct h1, link));
    lane->n_spare_h1 = 0;
}
