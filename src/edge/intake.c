/* Requests on their way to a handler: the part that HTTP versions share. */
#include "edge/intake.h"

#include <errno.h>
#include <string.h>

#include "edge/edge_process.h"
#include "edge/route.h"
#include "edge/site.h"

static const struct intake_refusal too_large = { 413, "the request body is larger than max_body_size" };

void intake_begin(struct exchange *ex, struct conn *c)
{
    exchange_begin(ex);
    ex->snapshot = snapshot_ref(c->lane->snapshot);
    ex->tls = c->tls;
    ex->proxied_tls = c->proxied_tls;
    ex->watch = c->watch;
    ex->start_ns = loop_now(c->lane->loop);
}

int intake_identify(struct exchange *ex, struct conn *c, const char *bytes)
{
    int error = exchange_reserve(ex);

    if (error != 0)
        return error;
    ex->bytes = bytes;
    exchange_identify(ex, &c->peer, c->stream.fd);
    (void)stream_tls_info(&c->stream, &ex->tls_info);
    return 0;
}

static bool has_no_body(const struct http_head *head)
{
    return head->body == HTTP_BODY_NONE || (head->body == HTTP_BODY_LENGTH && head->content_length == 0);
}

enum intake intake_route(struct exchange *ex, struct intake_refusal *refusal)
{
    const struct http_head *head = &ex->head;
    uint64_t max;

    ex->handler = ex->routed = route(ex);
    max = ex->route->conf->max_body_size;
    ex->body_complete = has_no_body(head);
    if (ex->body_complete || !ex->handler->wants_body)
        return INTAKE_START;
    if (head->body == HTTP_BODY_LENGTH && head->content_length > max) {
        *refusal = too_large;
        return INTAKE_REFUSE;
    }
    spool_reuse(&ex->body, POOL_INLINE_BODY, max);
    return INTAKE_BODY;
}

int intake_body(struct exchange *ex, const char *p, size_t n, struct intake_refusal *refusal)
{
    int error = spool_add(&ex->body, p, n);

    if (error == 0)
        return 0;
    if (error == -EMSGSIZE) {
        *refusal = too_large;
        return -1;
    }
    log_event(&ex->lane->edge->log, LOG_ERROR, "cannot keep a request body", LOG_Z("error", strerror(-error)),
              LOG_S("request_id", ex->id));
    *refusal = (struct intake_refusal){ 503, "no room for the request body" };
    return -1;
}

void intake_start(struct exchange *ex)
{
    if (ex->handler->start != NULL)
        ex->handler->start(ex);
}
