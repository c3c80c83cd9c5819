/* HTTP/2 fields into a request head. */
#include "http/h2_head.h"

#include <errno.h>
#include <string.h>

#include "http/chars.h"
#include "http/h1_rules.h"
#include "http/uri.h"

#define FIELD_OVERHEAD 32         /* RFC 9113 10.5.1 */
#define REQUEST_LINE_OVERHEAD 10u /* what HTTP/1 has besides: two spaces and the version */

void h2_head_begin(struct h2_head *h, const struct h1_limits *limits, struct http_head *head, struct buf *bytes)
{
    memset(h, 0, sizeof(*h));
    memset(head, 0, offsetof(struct http_head, fields));
    head->major = 2;
    h->limits = limits;
    h->head = head;
    h->bytes = bytes;
    buf_clear(bytes);
}

/* The first finding counts. */
static void refuse(struct h2_head *h, uint16_t status, const char *reason)
{
    if (h->status != 0)
        return;
    h->status = status;
    h->reason = reason;
}

/* Where the bytes went; nothing (length 0) when they are not kept. */
static struct span keep(struct h2_head *h, struct str s)
{
    struct span span = { (uint32_t)h->bytes->len, (uint32_t)s.n };

    if (h->bytes->len + s.n > HTTP_HEAD_MAX)
        refuse(h, 431, "head too large");
    else if (buf_try_reserve(h->bytes, s.n) != 0)
        refuse(h, 503, "no memory for the request's fields");
    else if (buf_add(h->bytes, s.p, s.n) == 0)
        return span;
    return (struct span){ span.off, 0 };
}

/* ---- pseudo-fields (RFC 9113 8.3.1); each comes once and before the others, the session has seen to that ---- */

static void set_method(struct h2_head *h, struct str value)
{
    if (!http_is_token(value)) {
        refuse(h, 400, "malformed method");
        return;
    }
    h->head->method_text = keep(h, value);
    h->head->method = http_method_lookup(value);
}

static void set_path(struct h2_head *h, struct str value)
{
    if (value.n > h->limits->request_line)
        refuse(h, 414, "request target too long");
    else if (value.n == 0 || http_span(value, http_target_char) != value.n)
        refuse(h, 400, "malformed request target");
    else
        h->head->target = keep(h, value);
}

static void set_authority(struct h2_head *h, struct str value)
{
    struct uri_authority authority;

    if (value.n > h->limits->field_size)
        refuse(h, 431, "field too large");
    else if (uri_authority_parse(value, &authority) < 0) /* userinfo, too: 8.3.1 */
        refuse(h, 400, "bad :authority");
    else
        h->authority = keep(h, value);
}

static void take_pseudo(struct h2_head *h, struct str name, struct str value)
{
    if (str_eq(name, STR(":method")))
        set_method(h, value);
    else if (str_eq(name, STR(":path")))
        set_path(h, value);
    else if (str_eq(name, STR(":authority")))
        set_authority(h, value);
    else if (str_eq(name, STR(":scheme")))
        h->scheme = str_eq_nocase(value, STR("https")) || str_eq_nocase(value, STR("http"));
    else
        refuse(h, 400, "unknown pseudo-field");
}

/* ---- fields ---- */

static bool name_is_lower(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] >= 'A' && name.p[i] <= 'Z')
            return false;
    }
    return http_is_token(name);
}

/* RFC 9113 8.2.2: they are about a connection, and HTTP/2 says such things by frames. */
static bool is_connection_specific(enum http_field_id id, struct str value)
{
    switch (id) {
    case HTTP_F_CONNECTION:
    case HTTP_F_KEEP_ALIVE:
    case HTTP_F_PROXY_CONNECTION:
    case HTTP_F_TRANSFER_ENCODING:
    case HTTP_F_UPGRADE:
        return true;
    case HTTP_F_TE:
        return !str_eq_nocase(value, STR("trailers"));
    default:
        return false;
    }
}

/* The next crumb behind the others, which lie at the end of the bytes, or are brought there. */
static void join_cookie(struct h2_head *h, struct str crumb)
{
    struct http_field *field = &h->head->fields[h->cookie - 1];
    struct span more;

    if (field->value.len + crumb.n + 2 > h->limits->field_size) {
        refuse(h, 431, "field too large");
        return;
    }
    if (buf_try_reserve(h->bytes, field->value.len + crumb.n + 2) !=
        0) { /* now, so that what is copied does not move */
        refuse(h, 431, "head too large");
        return;
    }
    if (field->value.off + field->value.len != h->bytes->len)
        field->value = keep(h, http_str(h->bytes->data, field->value));
    more = keep(h, STR("; "));
    field->value.len += more.len;
    more = keep(h, crumb);
    field->value.len += more.len;
}

static void add_field(struct h2_head *h, struct str name, struct str value, enum http_field_id id)
{
    struct http_head *head = h->head;
    struct http_field *field = &head->fields[head->n_fields];

    if (head->n_fields == h->limits->fields) {
        refuse(h, 431, "too many fields");
        return;
    }
    if (name.n + value.n + 2 > h->limits->field_size) {
        refuse(h, 431, "field too large");
        return;
    }
    field->id = id;
    field->name = keep(h, name);
    field->value = keep(h, value);
    head->n_fields++;
    if (id == HTTP_F_COOKIE)
        h->cookie = head->n_fields;
}

void h2_head_field(struct h2_head *h, struct str name, struct str value)
{
    enum http_field_id id;

    h->size += name.n + value.n + FIELD_OVERHEAD;
    if (h->status != 0)
        return;
    if (name.n > 0 && name.p[0] == ':') {
        take_pseudo(h, name, value);
        return;
    }
    if (!name_is_lower(name) || !http_is_field_value(value)) { /* 8.2.1 */
        refuse(h, 400, "malformed field");
        return;
    }
    id = http_field_lookup(name);
    if (is_connection_specific(id, value))
        refuse(h, 400, "a field that is about the connection");
    else if (id == HTTP_F_COOKIE && h->cookie != 0)
        join_cookie(h, value);
    else
        add_field(h, name, value, id);
}

/* ---- the whole head ---- */

/* Applications look for Host. Where both came, they must say the same (8.3.1), as whoever stands in front of us may have gone by the other. */
static void settle_host(struct h2_head *h)
{
    const struct http_field *host = http_head_find(h->head, HTTP_F_HOST, 0);
    struct http_head *head = h->head;
    struct span name;

    if (h->authority.len == 0)
        return;
    if (host != NULL) {
        if (!str_eq_nocase(http_str(h->bytes->data, host->value), http_str(h->bytes->data, h->authority)))
            refuse(h, 400, "Host differs from :authority");
        return;
    }
    if (head->n_fields == HTTP_FIELDS_MAX) {
        refuse(h, 431, "too many fields");
        return;
    }
    must(buf_add_str(h->bytes, STR("host")) == 0); /* there is room: H2_HEAD_SLACK */
    name = (struct span){ (uint32_t)h->bytes->len - 4, 4 };
    head->fields[head->n_fields++] = (struct http_field){ .name = name, .value = h->authority, .id = HTTP_F_HOST };
}

static void check_target(struct h2_head *h)
{
    struct http_head *head = h->head;
    struct str target = http_str(h->bytes->data, head->target);

    if (head->method_text.len == 0)
        refuse(h, 400, "no :method");
    else if (head->method == HTTP_CONNECT)
        refuse(h, 501, "CONNECT is for proxies");
    else if (!h->scheme)
        refuse(h, 400, "no :scheme, or one that is neither http nor https");
    else if (target.n == 0 || (target.p[0] != '/' && !(head->method == HTTP_OPTIONS && str_eq(target, STR("*")))))
        refuse(h, 400, "no :path, or one that is no path"); /* 8.3.1 */
    else if (target.n + head->method_text.len + REQUEST_LINE_OVERHEAD > h->limits->request_line)
        refuse(h, 414, "request line too long");
}

/* What HTTP/1 asks of a head. A body without a length is as one in chunks there. */
static void check_rules(struct h2_head *h, bool end)
{
    struct http_head *head = h->head;
    struct h1_parser rules = { .limits = h->limits };

    head->minor = 1;
    head->body = end ? HTTP_BODY_NONE : HTTP_BODY_CHUNKED;
    if (h1_check_target(&rules, h->bytes->data, head) == H1_ERROR ||
        h1_check_fields(&rules, h->bytes->data, head) == H1_ERROR)
        refuse(h, rules.status, rules.reason);
    else if (end && head->body == HTTP_BODY_LENGTH && head->content_length > 0)
        refuse(h, 400, "a Content-Length and no body"); /* 8.1.1 */
    head->minor = 0;
}

void h2_head_end(struct h2_head *h, bool end)
{
    if (buf_try_reserve(h->bytes, H2_HEAD_SLACK) != 0)
        refuse(h, 503, "no memory for the request's fields");
    else if (h->size > HTTP_HEAD_MAX)
        refuse(h, 431, "head too large");
    if (h->status == 0)
        check_target(h);
    if (h->status == 0)
        settle_host(h);
    if (h->status == 0)
        check_rules(h, end);
    h->head->length = (uint32_t)h->bytes->len;
}
