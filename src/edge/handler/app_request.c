/* The request as the worker will read it (pool/request.h). */
#include "base/digits.h"
#include "edge/client.h"
#include "edge/handler/app.h"
#include "http/uri.h"

static struct str port_text(struct exchange *ex, uint32_t port)
{
    char digits[DIGITS_U64];

    return port == 0 ? STR("") : arena_dup(&ex->arena, str_make(digits, digits_u64(digits, port)));
}

static struct str decoded_path(struct exchange *ex)
{
    struct str raw = exchange_path(ex);
    char *out;

    if (str_find(raw, '%') < 0)
        return raw;
    out = arena_alloc(&ex->arena, raw.n + 1);
    must(out != NULL);
    return str_make(out, uri_decode(raw, out));
}

static void fill_vars(struct exchange *ex, struct pool_request *r)
{
    const struct http_head *head = &ex->head;

    r->vars[POOL_METHOD] = http_str(ex->bytes, head->method_text);
    r->vars[POOL_TARGET] = http_str(ex->bytes, head->target);
    r->vars[POOL_PATH] = decoded_path(ex);
    r->vars[POOL_QUERY] = http_str(ex->bytes, head->query);
    r->vars[POOL_PROTOCOL] = http_version_text(head);
    r->vars[POOL_SCHEME] = ex->secure ? STR("https") : STR("http");
    r->vars[POOL_REMOTE_ADDR] = ex->remote_addr;
    r->vars[POOL_REMOTE_PORT] = port_text(ex, ex->remote_port);
    r->vars[POOL_SERVER_NAME] = ex->server_name;
    r->vars[POOL_SERVER_PORT] = port_text(ex, ex->server_port);
    r->vars[POOL_REQUEST_ID] = ex->id;
    r->vars[POOL_TLS_PROTOCOL] = ex->tls_info.protocol;
    r->vars[POOL_TLS_CIPHER] = ex->tls_info.cipher;
    r->vars[POOL_TLS_CLIENT_VERIFY] = ex->tls_info.client_verify;
    r->vars[POOL_TLS_CLIENT_SUBJECT] = ex->tls_info.client_subject;
    r->vars[POOL_TLS_CLIENT_ISSUER] = ex->tls_info.client_issuer;
    r->vars[POOL_TLS_CLIENT_SERIAL] = ex->tls_info.client_serial;
    r->vars[POOL_REMOTE_USER] = ex->remote_user;
}

static void fill_fields(struct exchange *ex, struct pool_request *r)
{
    const struct http_head *head = &ex->head;

    r->n_fields = 0;
    client_add_fields(ex, r);
    for (uint32_t i = 0; i < head->n_fields && r->n_fields < POOL_FIELDS_MAX; i++) {
        const struct http_field *f = &head->fields[i];

        if (client_field_passes(ex, f)) {
            r->fields[r->n_fields].name = http_str(ex->bytes, f->name);
            r->fields[r->n_fields++].value = http_str(ex->bytes, f->value);
        }
    }
}

static void fill_body(struct exchange *ex, struct pool_request *r)
{
    r->has_body = ex->head.body != HTTP_BODY_NONE;
    r->body_size = ex->body.size;
    r->body = POOL_BODY_NONE;
    if (ex->body.fd >= 0) {
        r->body = POOL_BODY_FD;
    } else if (ex->body.size > 0) {
        r->body = POOL_BODY_INLINE;
        r->body_data = buf_str(&ex->body.memory);
    }
}

void app_request_fill(struct exchange *ex, struct pool_request *request)
{
    fill_vars(ex, request);
    fill_fields(ex, request);
    fill_body(ex, request);
}
