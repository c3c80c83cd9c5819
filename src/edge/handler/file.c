/*
 * Files: which one a URL names. GET and HEAD; OPTIONS says so.
 *
 * Static names that staticfiles.json lists carry a hash of their content and are immutable. Media are what users uploaded: whatever a browser could run is
 * sent as a download, and all of it under a policy that lets nothing run (CSP sandbox). Only a root of pages shows directories: their URL ends with a
 * slash and means index.html; anywhere else there are none.
 */
#include <errno.h>
#include <string.h>

#include "edge/edge_process.h"
#include "edge/handler/file_send.h"
#include "http/uri.h"

#define METHODS STR("GET, HEAD, OPTIONS")
#define INDEX STR("index.html")

static void answer_empty(struct exchange *ex)
{
    ex->response.length = 0;
    ex->handler = &empty_handler;
    exchange_ready(ex);
}

static void answer_method(struct exchange *ex)
{
    exchange_respond(ex, ex->head.method == HTTP_OPTIONS ? 204 : 405);
    exchange_add(ex, STR("Allow"), METHODS);
    if (ex->head.method == HTTP_OPTIONS)
        answer_empty(ex);
    else
        page_begin(ex, STR(""));
}

struct str file_without_slashes(struct str path)
{
    while (path.n > 0 && path.p[0] == '/')
        path = str_cut(path, 1, path.n);
    return path;
}

/* To the same URL with a slash behind its path. A path only, and with one slash in front: "//host/" would lead to another server. */
static void add_slash(struct exchange *ex)
{
    struct str path = file_without_slashes(exchange_path(ex)), query = http_str(ex->bytes, ex->head.query);

    exchange_respond(ex, 301);
    exchange_add(
        ex, STR("Location"),
        arena_printf(&ex->arena, "/" STR_FMT "/%s" STR_FMT, STR_ARG(path), query.n > 0 ? "?" : "", STR_ARG(query)));
    exchange_add(ex, STR("Cache-Control"),
                 route_is_private(ex->route) ? STR("private, no-cache") : STR("public, max-age=60"));
    answer_empty(ex);
}

/* The file of a directory's URL, in `clean`, which has room. */
static struct str index_of(char *clean, struct str path)
{
    memmove(clean, path.p, path.n);
    memcpy(clean + path.n, INDEX.p, INDEX.n);
    return str_make(clean, path.n + INDEX.n);
}

void file_answer(struct exchange *ex, const struct root *root, struct str raw)
{
    struct file_offer offer = { .root = root };
    struct str url = exchange_path(ex);
    bool is_directory = str_ends(url, STR("/"));
    char *clean = arena_alloc(&ex->arena, raw.n + INDEX.n + 1);
    struct file_entry *entry;
    int error;

    must(clean != NULL);
    if (ex->head.method != HTTP_GET && ex->head.method != HTTP_HEAD) {
        answer_method(ex);
        return;
    }
    if (uri_file_path(raw, clean, &offer.path.n) != 0) {
        exchange_page(ex, 404, STR(""));
        return;
    }
    offer.path = file_without_slashes(str_make(clean, offer.path.n));
    if (root->index && is_directory)
        offer.path = index_of(clean, offer.path);
    if (offer.path.n == 0)
        error = root->index ? -EISDIR : -ENOENT;
    else
        error = file_cache_get(ex->lane->files, root, offer.path, &entry);
    if (error == 0)
        file_send(ex, entry, &offer);
    else if (error == -EISDIR && root->index && !is_directory)
        add_slash(ex);
    else
        file_refuse(ex, error, offer.path);
}

static void file_start(struct exchange *ex)
{
    struct str url = exchange_path(ex);
    const struct root *root = snapshot_root(ex->snapshot, url);

    file_answer(ex, root, str_cut(url, root->prefix.n, url.n));
}

const struct handler file_handler = {
    .name = "file", .kind = STATS_FILE, .start = file_start, .peek = file_peek, .consume = file_consume, .end = file_end
};
