/* One request and its response: beginning, end, and what handlers do with it. */
#include "edge/exchange.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/access_log.h"
#include "edge/client.h"
#include "edge/edge_process.h"
#include "edge/filter/compress.h"
#include "edge/filter/rate.h"
#include "edge/filter/security.h"
#include "edge/handler/handlers.h"
#include "http/response.h"

#define EXCHANGE_ARENA_MAX (1u << 20)
#define ARENA_NEED (22u << 10)

void exchange_init(struct exchange *ex, struct lane *lane)
{
    memset(ex, 0, sizeof(*ex));
    ex->lane = lane;
    ex->worker = -1;
    arena_init(&ex->arena, EXCHANGE_ARENA_MAX);
    spool_init(&ex->body, 0, 0);
}

void exchange_begin(struct exchange *ex)
{
    ex->bytes = NULL;
    ex->snapshot = NULL;
    ex->peer_text = ex->remote_addr = ex->host = ex->server_name = ex->id = ex->forwarded_for = str_make(NULL, 0);
    ex->distrust = NULL;
    ex->forwarded_proto = false;
    ex->remote_port = 0;
    ex->server_port = 0;
    ex->tls = ex->proxied_tls = ex->watch = ex->secure = ex->trusted = false;
    memset(&ex->tls_info, 0, sizeof(ex->tls_info));
    ex->body_complete = false;
    memset(&ex->response, 0, sizeof(ex->response));
    ex->handler = ex->routed = NULL;
    ex->route = NULL;
    ex->remote_user = STR("");
    ex->state = NULL;
    ex->body_filter = NULL;
    ex->body_state = NULL;
    ex->sent = ex->queue_ns = ex->app_ns = ex->took_ns = 0;
    ex->worker = -1;
    ex->refusal.n_fields = 0;
    ex->rate_state = str_make(NULL, 0);
    ex->retry_after = 0;
    ex->close = ex->client_gone = false;
}

/* The fields of the response, the application's table, ids and numbers, and a page; and paths and names of the request, copied or decoded.
 * With an ordinary head this is what the arena has kept from the last request. */
int exchange_reserve(struct exchange *ex)
{
    return arena_reserve(&ex->arena, ARENA_NEED + EXCHANGE_PAGE_ROOM + 4 * (size_t)ex->head.length);
}

void exchange_unfilter(struct exchange *ex)
{
    if (ex->body_filter != NULL)
        ex->body_filter->end(ex);
    ex->body_filter = NULL;
    ex->body_state = NULL;
}

void exchange_leave_handler(struct exchange *ex)
{
    const struct handler *handler = ex->handler;

    ex->handler = NULL;
    exchange_unfilter(ex);
    if (handler != NULL && handler->end != NULL && ex->state != NULL)
        handler->end(ex);
    ex->state = NULL;
}

/* Probes and scrapes come every few seconds for ever: no news for the log, and no part of what the site does. */
static void account(struct exchange *ex)
{
    if (ex->watch)
        return;
    ex->took_ns = clock_mono_ns() - ex->start_ns;
    stats_exchange(ex);
    access_log_write(ex);
}

void exchange_end(struct exchange *ex)
{
    if (ex->snapshot == NULL)
        return; /* never begun, or ended already */
    if (ex->id.p != NULL)
        account(ex);
    exchange_leave_handler(ex);
    spool_reuse(&ex->body, POOL_INLINE_BODY, 0);
    arena_reset(&ex->arena);
    snapshot_unref(ex->snapshot);
    ex->snapshot = NULL;
}

void exchange_fini(struct exchange *ex)
{
    exchange_end(ex);
    spool_fini(&ex->body);
    arena_fini(&ex->arena);
}

struct str exchange_field(const struct exchange *ex, enum http_field_id id)
{
    const struct http_field *f = http_head_find(&ex->head, id, 0);

    return f == NULL ? str_make(NULL, 0) : http_str(ex->bytes, f->value);
}

struct str exchange_path(const struct exchange *ex)
{
    return http_str(ex->bytes, ex->head.path);
}

void exchange_respond(struct exchange *ex, unsigned status)
{
    struct response *r = &ex->response;
    struct header *fields = r->fields;

    must(!r->started);
    memset(r, 0, sizeof(*r));
    r->fields = fields != NULL ? fields : arena_alloc(&ex->arena, EXCHANGE_FIELDS_MAX * sizeof(struct header));
    must(r->fields != NULL); /* the arena's maximum is far above what one exchange allocates */
    r->status = (uint16_t)status;
    r->length = -1;
}

void exchange_add(struct exchange *ex, struct str name, struct str value)
{
    struct response *r = &ex->response;

    if (r->n_fields < EXCHANGE_FIELDS_MAX)
        r->fields[r->n_fields++] = (struct header){ name, value };
}

void exchange_remove(struct exchange *ex, struct str name)
{
    struct response *r = &ex->response;
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (!str_eq_nocase(r->fields[i].name, name))
            r->fields[n++] = r->fields[i];
    }
    r->n_fields = n;
}

bool exchange_has(const struct exchange *ex, struct str name)
{
    const struct response *r = &ex->response;

    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (r->fields[i].name.n == name.n && str_eq_nocase(r->fields[i].name, name))
            return true;
    }
    return false;
}

void exchange_vary(struct exchange *ex, struct str name)
{
    struct response *r = &ex->response;
    struct header *last = NULL;
    struct str joined = str_make(NULL, 0);

    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (!str_eq_nocase(r->fields[i].name, STR("Vary")))
            continue;
        if (http_list_has(r->fields[i].value, name) || http_list_has(r->fields[i].value, STR("*")))
            return;
        last = &r->fields[i];
    }
    if (last != NULL)
        joined = arena_printf(&ex->arena, STR_FMT ", " STR_FMT, STR_ARG(last->value), STR_ARG(name));
    if (joined.p != NULL)
        last->value = joined;
    else
        exchange_add(ex, STR("Vary"), name);
}

/* Not on 1xx and 204; a 304 without a body of its own says nothing about the one it stands for (RFC 9110 8.6). */
bool exchange_tells_length(const struct exchange *ex)
{
    const struct response *r = &ex->response;

    return r->length >= 0 && http_status_may_have_length(r->status) && !(r->status == 304 && r->length == 0);
}

void exchange_ready(struct exchange *ex)
{
    if (!ex->response.server_id)
        exchange_add(ex, STR("X-Request-ID"), ex->id);
    security_filter(ex);
    rate_filter(ex);
    compress_filter(ex); /* the last: it goes by all that is said */
    ex->response.ready = true;
    exchange_flush(ex);
}

void exchange_flush(struct exchange *ex)
{
    ex->ops->flush(ex);
}

void exchange_page(struct exchange *ex, unsigned status, struct str detail)
{
    exchange_leave_handler(ex);
    exchange_respond(ex, status);
    page_begin(ex, detail);
}
