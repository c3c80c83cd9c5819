/*
 * A body is a list of parts, each a head of its own and a piece of the file. The usual answer is one part without a head; several ranges are
 * multipart/byteranges, a part each and a last one that only closes. Content-Length is the sum of what the list holds, so no second pass can come to
 * another result.
 */
#include "edge/handler/file_send.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "edge/edge_process.h"
#include "edge/shed.h"
#include "http/cond.h"
#include "http/encoding.h"
#include "http/range.h"
#include "pack/types.h"

#define TYPE_MAX 256 /* of a media type that each part repeats: the application may give a long one */

struct part {
    struct str head;
    uint64_t at, left; /* of the file */
};

struct file {
    struct file_entry *entry; /* what is sent: the file, or its precompressed sibling */
    const struct file_offer *offer;
    const struct mime_type *mime; /* of the file */
    struct str etag;
    enum coding coding;
    bool varies;        /* by Accept-Encoding */
    struct part *parts; /* in the arena */
    uint32_t n_parts, now;
};

/* ---- fields ---- */

/* What the application has said stands. */
static void add(struct exchange *ex, struct str name, struct str value)
{
    const struct file *f = ex->state;

    if (f->offer->n_fields == 0 || !exchange_has(ex, name))
        exchange_add(ex, name, value);
}

static void add_caching(struct exchange *ex, const struct file_offer *offer)
{
    if (offer->root->media || offer->fields != NULL || route_is_private(ex->route))
        add(ex, STR("Cache-Control"), STR("private, no-cache"));
    else if (offer->root->prefix.n > 0 && map_get(&ex->snapshot->immutable, offer->path) != NULL)
        add(ex, STR("Cache-Control"), STR("public, max-age=31536000, immutable"));
    else
        add(ex, STR("Cache-Control"), STR("public, max-age=60"));
}

static void add_validators(struct exchange *ex)
{
    const struct file *f = ex->state;

    add(ex, STR("ETag"), f->etag);
    add(ex, STR("Last-Modified"), str_make(f->entry->last_modified, HTTP_DATE_LEN));
    if (f->varies)
        exchange_vary(ex, STR("Accept-Encoding"));
}

/* Uploads: nothing of them may act as a page of this site. */
static void add_media_safety(struct exchange *ex, const struct mime_type *mime)
{
    add(ex, STR("Content-Security-Policy"), STR("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    if (!mime->inert)
        add(ex, STR("Content-Disposition"), STR("attachment"));
}

/* Of the content that a 304 or a 416 does not have. */
static bool describes_content(struct str name)
{
    return str_eq_nocase(name, STR("Content-Type")) || str_eq_nocase(name, STR("Content-Disposition")) ||
           str_eq_nocase(name, STR("Content-Encoding")) || str_eq_nocase(name, STR("Content-Language"));
}

static void add_offered(struct exchange *ex, const struct file_offer *offer, bool content)
{
    for (uint32_t i = 0; i < offer->n_fields; i++) {
        if (content || !describes_content(offer->fields[i].name))
            exchange_add(ex, offer->fields[i].name, offer->fields[i].value);
    }
}

static struct str offered(const struct file_offer *offer, struct str name)
{
    for (uint32_t i = 0; i < offer->n_fields; i++) {
        if (str_eq_nocase(offer->fields[i].name, name))
            return offer->fields[i].value;
    }
    return str_make(NULL, 0);
}

static void respond_without_content(struct exchange *ex, unsigned status)
{
    struct file *f = ex->state;

    exchange_respond(ex, status);
    ex->response.as_it_is = !f->varies;
    add_offered(ex, f->offer, false);
    if (status == 304) {
        add_validators(ex);
        add_caching(ex, f->offer);
    } else {
        exchange_add(ex, STR("Content-Range"),
                     arena_printf(&ex->arena, "bytes */%llu", (unsigned long long)f->entry->size));
        ex->response.length = 0;
    }
    exchange_ready(ex);
}

/* ---- parts ---- */

static struct part *new_parts(struct exchange *ex, uint32_t n)
{
    struct file *f = ex->state;

    f->parts = arena_zalloc(&ex->arena, n * sizeof(*f->parts));
    must(f->parts != NULL);
    f->n_parts = n;
    return f->parts;
}

static struct str content_range(struct exchange *ex, const struct http_range *r, uint64_t size)
{
    return arena_printf(&ex->arena, "bytes %llu-%llu/%llu", (unsigned long long)r->first, (unsigned long long)r->last,
                        (unsigned long long)size);
}

/* RFC 9110 14.6. The boundary is drawn anew each time, so that nobody can write a file that holds it. */
static void make_multipart(struct exchange *ex, const struct http_ranges *ranges, struct str type)
{
    struct file *f = ex->state;
    struct part *part = new_parts(ex, ranges->n + 1);
    struct str boundary;
    uint64_t r[2];

    lane_random(ex->lane, r);
    boundary = arena_printf(&ex->arena, "%016llx%016llx", (unsigned long long)r[0], (unsigned long long)r[1]);
    for (uint32_t i = 0; i < ranges->n; i++, part++) {
        struct str range = content_range(ex, &ranges->at[i], f->entry->size);

        part->head = arena_printf(&ex->arena,
                                  "%s--" STR_FMT "\r\nContent-Type: " STR_FMT "\r\nContent-Range: " STR_FMT "\r\n\r\n",
                                  i == 0 ? "" : "\r\n", STR_ARG(boundary), STR_ARG(type), STR_ARG(range));
        part->at = ranges->at[i].first;
        part->left = ranges->at[i].last - ranges->at[i].first + 1;
    }
    part->head = arena_printf(&ex->arena, "\r\n--" STR_FMT "--\r\n", STR_ARG(boundary));
    exchange_add(ex, STR("Content-Type"),
                 arena_printf(&ex->arena, "multipart/byteranges; boundary=" STR_FMT, STR_ARG(boundary)));
}

static uint64_t length_of(const struct file *f)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < f->n_parts; i++)
        n += f->parts[i].head.n + f->parts[i].left;
    return n;
}

/* ---- answers ---- */

static void respond_whole(struct exchange *ex, struct str type)
{
    struct file *f = ex->state;

    exchange_respond(ex, 200);
    new_parts(ex, 1)->left = f->entry->size;
    exchange_add(ex, STR("Content-Type"), type);
}

static void respond_ranges(struct exchange *ex, struct str type, const struct http_ranges *ranges)
{
    struct file *f = ex->state;
    struct part *part;

    exchange_respond(ex, 206);
    if (ranges->n > 1) {
        make_multipart(ex, ranges, type);
        return;
    }
    part = new_parts(ex, 1);
    part->at = ranges->at[0].first;
    part->left = ranges->at[0].last - ranges->at[0].first + 1;
    exchange_add(ex, STR("Content-Range"), content_range(ex, &ranges->at[0], f->entry->size));
    exchange_add(ex, STR("Content-Type"), type);
}

static void finish(struct exchange *ex)
{
    struct file *f = ex->state;

    for (uint32_t i = 0; i < f->offer->n_fields; i++) {
        if (!str_eq_nocase(f->offer->fields[i].name, STR("Content-Type")))
            exchange_add(ex, f->offer->fields[i].name, f->offer->fields[i].value);
    }
    ex->response.as_it_is = !f->varies;
    if (f->coding != CODING_IDENTITY)
        exchange_add(ex, STR("Content-Encoding"), coding_name(f->coding));
    add_validators(ex);
    add(ex, STR("Accept-Ranges"), STR("bytes"));
    add_caching(ex, f->offer);
    if (f->offer->root->media)
        add_media_safety(ex, f->mime);
    ex->response.length = (int64_t)length_of(f);
    if (ex->head.method == HTTP_HEAD)
        f->n_parts = 0;
    exchange_ready(ex);
}

/* The application's validators stand before the file's: what it calls unchanged is. */
static struct http_validators validators(const struct file *f)
{
    struct http_validators v = { .etag = offered(f->offer, STR("ETag")),
                                 .last_modified = f->entry->mtime,
                                 .now = (int64_t)(clock_wall_ns() / NS_PER_SEC) };
    struct str date = offered(f->offer, STR("Last-Modified"));

    if (v.etag.n == 0)
        v.etag = f->etag;
    if (date.n > 0 && http_date_parse(date, &v.last_modified) != 0)
        v.last_modified = -1;
    return v;
}

/* Content-Encoding would be said of the parts' frame, which is not encoded: who obeys it could not read the parts. */
static bool may_be_multipart(const struct file *f, struct str type)
{
    return type.n <= TYPE_MAX && f->coding == CODING_IDENTITY && offered(f->offer, STR("Content-Encoding")).n == 0;
}

static void respond(struct exchange *ex)
{
    struct file *f = ex->state;
    struct http_validators v = validators(f);
    struct str type = offered(f->offer, STR("Content-Type"));
    struct http_ranges ranges;
    bool reads = ex->head.method == HTTP_GET || ex->head.method == HTTP_HEAD;
    enum http_cond cond = reads ? http_cond_evaluate(&ex->head, ex->bytes, &v) : HTTP_COND_SEND;
    enum http_range_result kind;

    if (cond == HTTP_COND_NOT_MODIFIED) {
        respond_without_content(ex, 304);
        return;
    }
    if (cond == HTTP_COND_FAILED) {
        exchange_page(ex, 412, STR(""));
        return;
    }
    if (type.n == 0)
        type = f->mime->type;
    kind = http_range_evaluate(&ex->head, ex->bytes, &v, f->entry->size, &ranges);
    if (kind == HTTP_RANGE_UNSATISFIABLE) {
        respond_without_content(ex, 416);
        return;
    }
    if (kind == HTTP_RANGE_SOME && (ranges.n == 1 || may_be_multipart(f, type)))
        respond_ranges(ex, type, &ranges);
    else
        respond_whole(ex, type);
    finish(ex);
}

/* ---- precompressed siblings ---- */

/* Two siblings that were made together have one date, and may have one size: the tag names the coding. */
static void use_sibling(struct exchange *ex, struct file_entry *sibling, enum coding coding)
{
    struct file *f = ex->state;

    file_cache_put(ex->lane->files, f->entry);
    f->entry = sibling;
    f->coding = coding;
    f->etag = arena_printf(&ex->arena, STR_FMT "-" STR_FMT "\"", (int)sibling->etag_n - 1, sibling->etag,
                           STR_ARG(coding_name(coding)));
}

static bool is_packable(const struct file *f)
{
    struct str type = offered(f->offer, STR("Content-Type"));

    return type.n > 0 ? pack_type_fits(type) : f->entry->packable;
}

/* What lies precompressed beside the file, when the client takes it. Beside an upload other uploads may lie, and what the application sends is as it
 * says. */
static void choose_representation(struct exchange *ex)
{
    struct file *f = ex->state;
    struct http_encodings encodings;
    unsigned have = CODING_ALL;
    enum coding coding;

    f->mime = f->entry->mime;
    f->etag = str_make(f->entry->etag, f->entry->etag_n);
    if (!is_packable(f))
        return;
    f->varies = true; /* or is compressed on the fly: its 304 says so, too (RFC 9110 15.4.5) */
    if (f->offer->root->media || f->offer->fields != NULL)
        return;
    http_encodings_read(&ex->head, ex->bytes, &encodings);
    while ((coding = http_encodings_choose(&encodings, have)) != CODING_IDENTITY) {
        struct file_entry *sibling =
            file_cache_sibling(ex->lane->files, f->offer->root, f->offer->path, f->entry, coding);

        if (sibling != NULL) {
            use_sibling(ex, sibling, coding);
            return;
        }
        have &= ~CODING_BIT(coding);
    }
}

void file_send(struct exchange *ex, struct file_entry *entry, const struct file_offer *offer)
{
    struct file *f = arena_zalloc(&ex->arena, sizeof(*f));
    struct file_offer *copy = arena_alloc(&ex->arena, sizeof(*copy));

    must(f != NULL && copy != NULL);
    *copy = *offer;
    f->entry = entry;
    f->offer = copy;
    ex->handler = &file_handler;
    ex->state = f;
    choose_representation(ex);
    respond(ex);
}

void file_refuse(struct exchange *ex, int error, struct str path)
{
    switch (error) {
    case -ENOENT:
    case -EISDIR:
        exchange_page(ex, 404, STR(""));
        return;
    case -EXDEV:
    case -ELOOP:
        log_event(&ex->lane->edge->log, LOG_WARNING, "a symbolic link leaves its root", LOG_S("path", path),
                  LOG_S("request_id", ex->id));
        exchange_page(ex, 404, STR(""));
        return;
    case -EACCES:
    case -EPERM:
        log_event(&ex->lane->edge->log, LOG_WARNING, "no permission to read a file", LOG_S("path", path),
                  LOG_S("request_id", ex->id));
        exchange_page(ex, 403, STR(""));
        return;
    case -ENOMEM:
        shed_note(ex->lane, "a file");
        exchange_page(ex, 503, STR(""));
        return;
    default:
        log_event(&ex->lane->edge->log, LOG_ERROR, "cannot open a file", LOG_S("path", path),
                  LOG_Z("error", strerror(-error)), LOG_S("request_id", ex->id));
        exchange_page(ex, error == -EMFILE || error == -ENFILE ? 503 : 500, STR(""));
    }
}

/* ---- the body ---- */

enum piece_kind file_peek(struct exchange *ex, struct piece *piece)
{
    struct file *f = ex->state;
    const struct part *part;

    while (f->now < f->n_parts && f->parts[f->now].head.n == 0 && f->parts[f->now].left == 0)
        f->now++;
    if (f->now == f->n_parts)
        return PIECE_END;
    part = &f->parts[f->now];
    if (part->head.n > 0)
        piece->iov[piece->n_iov++] = (struct iovec){ (void *)part->head.p, part->head.n };
    if (part->left > 0 && f->entry->content != NULL)
        piece->iov[piece->n_iov++] = (struct iovec){ f->entry->content + part->at, (size_t)part->left };
    if (piece->n_iov > 0) {
        piece->size = part->head.n + (f->entry->content != NULL ? part->left : 0);
        return PIECE_DATA;
    }
    piece->fd = f->entry->fd;
    piece->offset = part->at;
    piece->size = part->left;
    return PIECE_FILE;
}

void file_consume(struct exchange *ex, size_t n)
{
    struct file *f = ex->state;
    struct part *part = &f->parts[f->now];
    size_t of_head = n < part->head.n ? n : part->head.n;

    part->head = str_cut(part->head, of_head, part->head.n);
    part->at += n - of_head;
    part->left -= n - of_head;
}

void file_end(struct exchange *ex)
{
    struct file *f = ex->state;

    file_cache_put(ex->lane->files, f->entry);
}
