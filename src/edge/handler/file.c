/*
 * Static and media files: GET and HEAD, validators, conditional and single-range requests, sendfile.
 *
 * Static names that staticfiles.json lists carry a hash of their content and are immutable. Media are what users uploaded: whatever a browser could run is
 * sent as a download, and all of it under a policy that lets nothing run (RFC 9110 13 and 14, CSP sandbox).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "edge/edge_process.h"
#include "edge/file_cache.h"
#include "edge/handler/handlers.h"
#include "edge/shed.h"
#include "http/cond.h"
#include "http/uri.h"

struct file {
    struct file_entry *entry;
    uint64_t at, left; /* what is still to be sent */
};

static void refuse(struct exchange *ex, int error, struct str path)
{
    switch (error) {
    case -ENOENT:
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

/* ---- fields ---- */

static void add_caching(struct exchange *ex, const struct root *root, struct str path)
{
    if (root->media)
        exchange_add(ex, STR("Cache-Control"), STR("private, no-cache"));
    else if (map_get(&ex->snapshot->immutable, path) != NULL)
        exchange_add(ex, STR("Cache-Control"), STR("public, max-age=31536000, immutable"));
    else
        exchange_add(ex, STR("Cache-Control"), STR("public, max-age=60"));
}

static void add_validators(struct exchange *ex, const struct file_entry *e)
{
    exchange_add(ex, STR("ETag"), str_make(e->etag, e->etag_n));
    exchange_add(ex, STR("Last-Modified"), str_make(e->last_modified, HTTP_DATE_LEN));
}

/* Uploads: nothing of them may act as a page of this site. */
static void add_media_safety(struct exchange *ex, const struct file_entry *e)
{
    exchange_add(ex, STR("Content-Security-Policy"), STR("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    if (!e->mime->inert)
        exchange_add(ex, STR("Content-Disposition"), STR("attachment"));
}

static void respond_not_modified(struct exchange *ex, const struct root *root, struct str path,
                                 const struct file_entry *e)
{
    exchange_respond(ex, 304);
    add_validators(ex, e);
    add_caching(ex, root, path);
    exchange_ready(ex);
}

static void respond_unsatisfiable(struct exchange *ex, const struct file_entry *e)
{
    exchange_respond(ex, 416);
    exchange_add(ex, STR("Content-Range"), arena_printf(&ex->arena, "bytes */%llu", (unsigned long long)e->size));
    ex->response.length = 0;
    exchange_ready(ex);
}

static void respond_file(struct exchange *ex, const struct root *root, struct str path, enum http_range kind,
                         const uint64_t range[2])
{
    struct file *f = ex->state;
    const struct file_entry *e = f->entry;

    exchange_respond(ex, kind == HTTP_RANGE_ONE ? 206 : 200);
    f->at = 0;
    f->left = e->size;
    if (kind == HTTP_RANGE_ONE) {
        f->at = range[0];
        f->left = range[1] - range[0] + 1;
        exchange_add(ex, STR("Content-Range"),
                     arena_printf(&ex->arena, "bytes %llu-%llu/%llu", (unsigned long long)range[0],
                                  (unsigned long long)range[1], (unsigned long long)e->size));
    }
    exchange_add(ex, STR("Content-Type"), e->mime->type);
    add_validators(ex, e);
    exchange_add(ex, STR("Accept-Ranges"), STR("bytes"));
    add_caching(ex, root, path);
    if (root->media)
        add_media_safety(ex, e);
    ex->response.length = (int64_t)f->left;
    if (ex->head.method == HTTP_HEAD)
        f->left = 0;
    exchange_ready(ex);
}

/* ---- start ---- */

static void respond(struct exchange *ex, const struct root *root, struct str path)
{
    struct file *f = ex->state;
    struct http_validators v = { .etag = str_make(f->entry->etag, f->entry->etag_n),
                                 .last_modified = f->entry->mtime,
                                 .now = (int64_t)(clock_wall_ns() / NS_PER_SEC) };
    uint64_t range[2] = { 0, 0 };
    enum http_range kind;

    switch (http_cond_evaluate(&ex->head, ex->bytes, &v)) {
    case HTTP_COND_NOT_MODIFIED:
        respond_not_modified(ex, root, path, f->entry);
        return;
    case HTTP_COND_FAILED:
        exchange_page(ex, 412, STR(""));
        return;
    case HTTP_COND_SEND:
        break;
    }
    kind = http_range_evaluate(&ex->head, ex->bytes, &v, f->entry->size, range);
    if (kind == HTTP_RANGE_UNSATISFIABLE)
        respond_unsatisfiable(ex, f->entry);
    else
        respond_file(ex, root, path, kind, range);
}

static void file_start(struct exchange *ex)
{
    struct str url = exchange_path(ex);
    const struct root *root = snapshot_root(ex->snapshot, url);
    struct str raw = str_cut(url, root->prefix.n, url.n), path;
    struct file *f;
    char *clean = arena_alloc(&ex->arena, raw.n + 1);
    struct file_entry *entry;
    int error;

    must(clean != NULL);
    if (ex->head.method != HTTP_GET && ex->head.method != HTTP_HEAD) {
        exchange_page(ex, 405, STR(""));
        return;
    }
    if (uri_file_path(raw, clean, &path.n) != 0 || path.n == 0) {
        exchange_page(ex, 404, STR(""));
        return;
    }
    path.p = clean;
    error = file_cache_get(ex->lane->files, root, path, &entry);
    if (error != 0) {
        refuse(ex, error, path);
        return;
    }
    f = arena_zalloc(&ex->arena, sizeof(*f));
    must(f != NULL);
    f->entry = entry;
    ex->state = f;
    respond(ex, root, path);
}

static enum piece_kind file_peek(struct exchange *ex, struct piece *piece)
{
    struct file *f = ex->state;

    if (f->left == 0)
        return PIECE_END;
    piece->size = f->left;
    if (f->entry->content != NULL) {
        piece->iov[0] = (struct iovec){ f->entry->content + f->at, (size_t)f->left };
        piece->n_iov = 1;
        return PIECE_DATA;
    }
    piece->fd = f->entry->fd;
    piece->offset = f->at;
    return PIECE_FILE;
}

static void file_consume(struct exchange *ex, size_t n)
{
    struct file *f = ex->state;

    f->at += n;
    f->left -= n;
}

static void file_end(struct exchange *ex)
{
    struct file *f = ex->state;

    file_cache_put(ex->lane->files, f->entry);
}

const struct handler file_handler = {
    .name = "file", .kind = STATS_FILE, .start = file_start, .peek = file_peek, .consume = file_consume, .end = file_end
};
