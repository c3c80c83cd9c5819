/* Decides by the head alone, so that a client that may have the body compressed and one that may not are told the same Vary. */
#include "edge/filter/compress.h"

#include "edge/edge_process.h"
#include "edge/encoders.h"
#include "edge/exchange.h"
#include "edge/filter/compress_body.h"
#include "edge/handler/handlers.h"
#include "http/encoding.h"
#include "http/response.h"
#include "pack/types.h"

/* What the head says that matters here. */
struct facts {
    struct header *etag;
    struct str type;
    bool as_it_is;  /* encoded already, a part, or not to be changed */
    bool by_cookie; /* it depends on who asks */
};

static void look_at(struct header *h, struct facts *facts)
{
    switch (http_field_lookup(h->name)) {
    case HTTP_F_CONTENT_TYPE:
        facts->type = h->value;
        break;
    case HTTP_F_CONTENT_ENCODING:
    case HTTP_F_CONTENT_RANGE:
        facts->as_it_is = true;
        break;
    case HTTP_F_CACHE_CONTROL:
        facts->as_it_is |= http_list_has(h->value, STR("no-transform"));
        break;
    case HTTP_F_ETAG:
        facts->etag = h;
        break;
    case HTTP_F_VARY:
        facts->by_cookie |= http_list_has(h->value, STR("Cookie")) || http_list_has(h->value, STR("*"));
        break;
    case HTTP_F_SET_COOKIE:
        facts->by_cookie = true;
        break;
    default: /* sums over the bytes as they are (RFC 9530; RFC 3230; RFC 1864) */
        facts->as_it_is |= str_eq_nocase(h->name, STR("Content-Digest")) || str_eq_nocase(h->name, STR("Digest")) ||
                           str_eq_nocase(h->name, STR("Repr-Digest")) || str_eq_nocase(h->name, STR("Content-MD5"));
    }
}

static struct facts facts_of(const struct response *r)
{
    struct facts facts = { 0 };

    for (uint32_t i = 0; i < r->n_fields; i++)
        look_at(&r->fields[i], &facts);
    return facts;
}

/* Would anybody get this compressed? */
static bool is_worth_it(const struct exchange *ex, const struct facts *facts)
{
    const struct response *r = &ex->response;
    int64_t most = ex->handler == &file_handler ? COMPRESS_FILE_MAX : COMPRESS_APP_MAX;

    return http_status_has_content(r->status) && r->status != 206 && !facts->as_it_is &&
           (r->length < 0 || (r->length >= (int64_t)PACK_LEAST && r->length <= most)) && pack_type_fits(facts->type);
}

/* Brotli makes pages an eighth smaller than zstd does. Of long bodies it makes hardly less, in four times the time. */
static enum coding choose(const struct exchange *ex)
{
    struct http_encodings encodings;
    enum coding coding;
    int64_t length = ex->response.length;

    http_encodings_read(&ex->head, ex->bytes, &encodings);
    coding = http_encodings_choose(&encodings, CODING_ALL);
    if (coding == CODING_BR && (length < 0 || length > (int64_t)ENCODER_SHORT) &&
        encodings.q[CODING_ZSTD] == encodings.q[CODING_BR])
        return CODING_ZSTD;
    return coding;
}

/* A page for one person may hold a secret, such as a CSRF token, and what a stranger put into the URL beside it: then its length must not tell
 * whether one is like the other (BREACH). */
static uint32_t padding(struct exchange *ex, const struct facts *facts)
{
    uint64_t random[2];

    if (ex->handler != &app_handler || (!facts->by_cookie && exchange_field(ex, HTTP_F_COOKIE).p == NULL &&
                                        exchange_field(ex, HTTP_F_AUTHORIZATION).p == NULL))
        return 0;
    lane_random(ex->lane, random);
    return (uint32_t)(random[0] % (COMPRESS_PADDING_MAX + 1));
}

static void drop_field(struct response *r, struct str name)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (!str_eq_nocase(r->fields[i].name, name))
            r->fields[n++] = r->fields[i];
    }
    r->n_fields = n;
}

/* The bytes are not those that the tag was made for, but they mean the same (8.8.1). */
static void weaken(struct exchange *ex, struct header *etag)
{
    struct str weak;

    if (etag == NULL || str_starts(etag->value, STR("W/")))
        return;
    weak = arena_printf(&ex->arena, "W/" STR_FMT, STR_ARG(etag->value));
    if (weak.p != NULL)
        etag->value = weak;
    else
        drop_field(&ex->response, STR("ETag")); /* no memory: no tag is better than a wrong one */
}

static void compress(struct exchange *ex, const struct facts *facts, enum coding coding)
{
    struct response *r = &ex->response;
    struct encoder_plan plan = { .length = r->length, .padding = padding(ex, facts) };

    if (ex->head.method != HTTP_HEAD && !compress_body_begin(ex, coding, &plan))
        return; /* as it is, then */
    weaken(ex, facts->etag);
    exchange_add(ex, STR("Content-Encoding"), coding_name(coding));
    drop_field(r, STR("Accept-Ranges"));
    r->length = -1;
}

/* Whoever asks whether a compressed body is still good names the weak tag that came with it; a strong one in the answer would be another body's
 * (RFC 9111 4.3.4). */
static void weaken_unchanged(struct exchange *ex, struct header *etag)
{
    const struct http_field *f;
    struct str list, weak;

    if (etag == NULL || str_starts(etag->value, STR("W/")))
        return;
    weak = arena_printf(&ex->arena, "W/" STR_FMT, STR_ARG(etag->value));
    f = http_head_find(&ex->head, HTTP_F_IF_NONE_MATCH, 0);
    if (weak.p == NULL || f == NULL)
        return;
    list = http_str(ex->bytes, f->value);
    while (list.p != NULL) {
        if (!str_eq(str_trim(str_split(&list, ',')), weak))
            continue;
        etag->value = weak;
        exchange_vary(ex, STR("Accept-Encoding"));
        return;
    }
}

/* It knows no chunks, and the length is known at the end only. */
static bool is_http_10(const struct exchange *ex)
{
    return ex->head.major == 1 && ex->head.minor == 0;
}

/* For Vary and Content-Encoding: a body that is not said to be compressed is lost. */
static bool has_room(const struct response *r)
{
    return r->n_fields + 2 <= EXCHANGE_FIELDS_MAX;
}

void compress_filter(struct exchange *ex)
{
    struct facts facts;
    enum coding coding;

    if (!ex->route->conf->compress || ex->watch || (ex->response.as_it_is && ex->route->n_headers == 0))
        return;
    facts = facts_of(&ex->response);
    if (ex->response.status == 304)
        weaken_unchanged(ex, facts.etag);
    if (!is_worth_it(ex, &facts) || !has_room(&ex->response))
        return;
    exchange_vary(ex, STR("Accept-Encoding"));
    coding = choose(ex);
    if (coding != CODING_IDENTITY && !is_http_10(ex))
        compress(ex, &facts, coding);
}
