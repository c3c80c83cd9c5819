/*
 * Static and media files: which one a URL names. GET and HEAD; OPTIONS says so.
 *
 * Static names that staticfiles.json lists carry a hash of their content and are immutable. Media are what users uploaded: whatever a browser could run is
 * sent as a download, and all of it under a policy that lets nothing run (CSP sandbox).
 */
#include "edge/edge_process.h"
#include "edge/handler/file_send.h"
#include "http/uri.h"

#define METHODS STR("GET, HEAD, OPTIONS")

/* What a file is not asked for by GET or HEAD: OPTIONS, or what is not allowed. */
static void answer_method(struct exchange *ex)
{
    exchange_respond(ex, ex->head.method == HTTP_OPTIONS ? 204 : 405);
    exchange_add(ex, STR("Allow"), METHODS);
    if (ex->head.method != HTTP_OPTIONS) {
        page_begin(ex, STR(""));
        return;
    }
    ex->handler = &empty_handler;
    exchange_ready(ex);
}

static void file_start(struct exchange *ex)
{
    struct str url = exchange_path(ex);
    struct file_offer offer = { .root = snapshot_root(ex->snapshot, url) };
    struct str raw = str_cut(url, offer.root->prefix.n, url.n);
    char *clean = arena_alloc(&ex->arena, raw.n + 1);
    struct file_entry *entry;
    int error;

    must(clean != NULL);
    if (ex->head.method != HTTP_GET && ex->head.method != HTTP_HEAD) {
        answer_method(ex);
        return;
    }
    if (uri_file_path(raw, clean, &offer.path.n) != 0 || offer.path.n == 0) {
        exchange_page(ex, 404, STR(""));
        return;
    }
    offer.path.p = clean;
    error = file_cache_get(ex->lane->files, offer.root, offer.path, &entry);
    if (error != 0)
        file_refuse(ex, error, offer.path);
    else
        file_send(ex, entry, &offer);
}

const struct handler file_handler = {
    .name = "file", .kind = STATS_FILE, .start = file_start, .peek = file_peek, .consume = file_consume, .end = file_end
};
