/*
 * A file that the application names instead of sending it: X-Accel-Redirect (a URL path below a root, as nginx has it) and X-Sendfile (a path of this
 * machine, as Apache has it). The worker is free as soon as it has said so; the answer is the file's, with ranges and conditions, and says of it what the
 * application said.
 *
 * Only files below roots can be named, so nothing can be named that would lead to the application again. The path is resolved beneath the root's
 * descriptor like any other; the texts of X-Sendfile are compared with what the supervisor said the root is called, and open nothing.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "edge/edge_process.h"
#include "edge/handler/app.h"
#include "edge/handler/file_send.h"
#include "edge/shed.h"
#include "http/uri.h"

#define ALLOWED_MAX 2048 /* of the log's list */

/* What the application said of its own body, which is dropped; and what the protocol writes itself. */
static bool is_kept(const struct header *h)
{
    static const struct str others[] = { STR_INIT("Date"),           STR_INIT("X-Request-ID"),
                                         STR_INIT("Content-Length"), STR_INIT("Content-Range"),
                                         STR_INIT("Accept-Ranges"),  STR_INIT("Content-MD5"),
                                         STR_INIT("Digest"),         STR_INIT("Content-Digest"),
                                         STR_INIT("Repr-Digest") };

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_eq_nocase(h->name, others[i]))
            return false;
    }
    return h->value.n > 0; /* an empty Content-Type asks for the file's own */
}

static void keep_fields(struct exchange *ex, struct file_offer *offer)
{
    const struct response *r = &ex->response;
    struct header *kept = arena_alloc(&ex->arena, (r->n_fields + 1) * sizeof(*kept));

    must(kept != NULL);
    offer->fields = kept;
    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (is_kept(&r->fields[i]))
            kept[offer->n_fields++] = r->fields[i];
    }
}

/* ---- where it is ---- */

/* What uri_file_path allows, for a path that is not encoded: no segment that begins with a dot. */
static bool is_plain(struct str path)
{
    while (path.p != NULL) {
        struct str segment = str_split(&path, '/');

        if (segment.n > 0 && (segment.p[0] == '.' || memchr(segment.p, '\0', segment.n) != NULL))
            return false;
    }
    return true;
}

/* The nth of all that may be sent from; NULL behind the last. */
static const struct root *nth_root(const struct snapshot *s, uint32_t i)
{
    if (i < s->n_roots)
        return &s->roots[i];
    return i - s->n_roots < s->n_dirs ? &s->dirs[i - s->n_roots] : NULL;
}

/* A URL path, decoded: below the root of a route of this site (it may be internal), or of static and media files. */
static void find_root_by_url(struct exchange *ex, struct str path, struct file_offer *offer)
{
    const struct route *route = site_route(ex->route->site, path);

    if (route->answer == CONF_ANSWER_ROOT) {
        offer->root = route->root;
        offer->path = str_cut(path, route->conf->answer_cut, path.n);
        return;
    }
    offer->root = snapshot_root(ex->snapshot, path);
    if (offer->root != NULL)
        offer->path = str_cut(path, offer->root->prefix.n, path.n);
}

/* -EXDEV: below no root. */
static int find_by_url(struct exchange *ex, struct str target, struct file_offer *offer, struct file_entry **entry)
{
    struct str url = str_split(&target, '?');
    char *clean = arena_alloc(&ex->arena, url.n + 1);
    size_t n;

    must(clean != NULL);
    if (!str_starts(url, STR("/")))
        return -EXDEV;
    if (uri_file_path(url, clean, &n) != 0)
        return -ENOENT;
    find_root_by_url(ex, str_make(clean, n), offer);
    if (offer->root == NULL)
        return -EXDEV;
    offer->path = file_without_slashes(offer->path);
    return offer->path.n == 0 ? -ENOENT : file_cache_get(ex->lane->files, offer->root, offer->path, entry);
}

/* The root whose directory the path is below; the longest, should one be inside another. */
static bool find_root_by_path(struct exchange *ex, struct str path, struct file_offer *offer)
{
    const struct root *root;
    size_t best = 0;

    for (uint32_t i = 0; (root = nth_root(ex->snapshot, i)) != NULL; i++) {
        for (size_t k = 0; root->sendable && k < ARRAY_LEN(root->names); k++) {
            struct str name = root->names[k];

            if (name.n <= best || !str_starts(path, name) || path.n <= name.n || path.p[name.n] != '/')
                continue;
            best = name.n;
            offer->root = root;
            offer->path = file_without_slashes(str_cut(path, name.n, path.n));
        }
    }
    return best > 0;
}

static int get_plain(struct exchange *ex, const struct file_offer *offer, struct file_entry **entry)
{
    return offer->path.n > 0 && is_plain(offer->path) ? file_cache_get(ex->lane->files, offer->root, offer->path, entry)
                                                      : -ENOENT;
}

/* A path of this machine, as it is or, where there is no such file, percent-encoded: names beyond Latin-1 pass no other way. */
static int find_by_path(struct exchange *ex, struct str path, struct file_offer *offer, struct file_entry **entry)
{
    char *decoded;
    int error;

    if (!find_root_by_path(ex, path, offer))
        return -EXDEV;
    error = get_plain(ex, offer, entry);
    if (error != -ENOENT || str_find(offer->path, '%') < 0)
        return error;
    decoded = arena_alloc(&ex->arena, offer->path.n + 1);
    must(decoded != NULL);
    offer->path = str_make(decoded, uri_decode(offer->path, decoded));
    return get_plain(ex, offer, entry);
}

/* ---- the answer ---- */

/* The directories, or the URL paths that lead to them. */
static void list_allowed(struct exchange *ex, bool by_path, struct buf *out)
{
    const struct site *site = ex->route->site;
    const struct root *root;

    for (uint32_t i = 0; (root = nth_root(ex->snapshot, i)) != NULL; i++) {
        struct str text = by_path ? root->names[0] : root->prefix;

        if (root->sendable && text.n > 0)
            (void)!buf_printf(out, " " STR_FMT, STR_ARG(text));
    }
    for (uint32_t i = 0; i < site->n_routes && !by_path; i++) {
        if (site->routes[i].answer == CONF_ANSWER_ROOT)
            (void)!buf_printf(out, " " STR_FMT, STR_ARG(site->routes[i].path));
    }
    if (out->len == 0)
        (void)!buf_add_str(out, STR(" nothing: no root is configured"));
}

static void log_outside(struct exchange *ex, struct str target, bool by_path)
{
    struct buf allowed;

    buf_init(&allowed, ALLOWED_MAX);
    list_allowed(ex, by_path, &allowed);
    log_event(&ex->lane->edge->log, LOG_ERROR, "the application sends a file that is below no root",
              LOG_Z("field", by_path ? "X-Sendfile" : "X-Accel-Redirect"), LOG_S("value", str_cut(target, 0, 1024)),
              LOG_S("allowed", str_trim(buf_str(&allowed))), LOG_S("request_id", ex->id));
    buf_fini(&allowed);
}

void accel_send(struct exchange *ex, struct str target, bool by_path)
{
    struct file_offer offer = { .root = NULL };
    struct file_entry *entry;
    int error;

    if (arena_reserve(&ex->arena, ACCEL_ROOM + 2 * target.n + ex->response.n_fields * sizeof(struct header)) != 0) {
        shed_note(ex->lane, "a file that the application names");
        exchange_page(ex, 503, STR(""));
        return;
    }
    keep_fields(ex, &offer);
    exchange_leave_handler(ex);
    error = by_path ? find_by_path(ex, target, &offer, &entry) : find_by_url(ex, target, &offer, &entry);
    if (error == 0) {
        file_send(ex, entry, &offer);
        return;
    }
    if (error == -EXDEV && offer.root == NULL) {
        log_outside(ex, target, by_path);
        exchange_page(ex, 502, STR("the application named a file that it may not send"));
        return;
    }
    if (error == -ENOENT || error == -EISDIR)
        log_event(&ex->lane->edge->log, LOG_WARNING, "the application sends a file that is not there",
                  LOG_S("value", str_cut(target, 0, 1024)), LOG_S("request_id", ex->id));
    file_refuse(ex, error, offer.path);
}
