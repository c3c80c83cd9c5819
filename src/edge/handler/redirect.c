/*
 * Redirects of a route: its target, and what of the request goes with it.
 *
 * Without placeholders the rest of the path and the query are appended, so that /old/a?b is /new/a?b. The rest is taken as the client wrote it; it cannot
 * change the host: it is always joined by exactly one slash. Permanent by default, and the method stays: 301 for GET and HEAD, else 308 (RFC 9110 15.4).
 */
#include "edge/handler/handlers.h"
#include "edge/site.h"

struct location {
    char *p;
    size_t n, room;
};

static void add(struct location *l, struct str s)
{
    must(s.n <= l->room - l->n);
    if (s.n > 0)
        memcpy(l->p + l->n, s.p, s.n);
    l->n += s.n;
}

static bool is_slash(char c)
{
    return c == '/' || c == '\\'; /* browsers take the one for the other */
}

static void add_path(struct location *l, struct str rest)
{
    while (rest.n > 0 && is_slash(rest.p[0]))
        rest = str_cut(rest, 1, rest.n);
    if (rest.n == 0)
        return;
    if (l->n > 0 && l->p[l->n - 1] != '/')
        add(l, STR("/"));
    add(l, rest);
}

static struct str query_of(const struct exchange *ex)
{
    return http_str(ex->bytes, ex->head.query);
}

/* {path} is the rest without its first slash, so that it can stand behind one. */
static struct str placeholder(const struct exchange *ex, struct str at, size_t *len)
{
    struct str rest = site_rest(ex);

    *len = (size_t)str_find(at, '}') + 1;
    switch (at.p[1]) {
    case 'h':
        return ex->server_name;
    case 'q':
        return query_of(ex);
    default:
        while (rest.n > 0 && is_slash(rest.p[0]))
            rest = str_cut(rest, 1, rest.n);
        return rest;
    }
}

static size_t count_placeholders(struct str target)
{
    size_t n = 0;

    for (size_t i = 0; i < target.n; i++)
        n += target.p[i] == '{';
    return n;
}

static void fill(struct exchange *ex, struct location *l, struct str target)
{
    while (target.n > 0) {
        ptrdiff_t hole = str_find(target, '{');
        size_t len = hole < 0 ? target.n : (size_t)hole;

        if (len > 0)
            add(l, str_cut(target, 0, len));
        else
            add(l, placeholder(ex, target, &len));
        target = str_cut(target, len, target.n);
    }
}

/* "//host" and "/\\host" are other sites to a browser: of a path's slashes at the front one is left, whatever was filled in. */
static struct str on_this_site(struct location *l)
{
    size_t more = 1;

    if (l->n == 0 || l->p[0] != '/')
        return str_make(l->p, l->n);
    while (more < l->n && is_slash(l->p[more]))
        more++;
    l->p[more - 1] = '/';
    return str_make(l->p + more - 1, l->n - more + 1);
}

static struct str make_location(struct exchange *ex)
{
    const struct route *route = ex->route;
    struct str target = str_of(route->conf->redirect), query = query_of(ex);
    size_t holes = count_placeholders(target), longest = exchange_path(ex).n + query.n + ex->server_name.n;
    struct location l = { .room = target.n + (holes + 1) * (longest + 2) };

    l.p = arena_alloc(&ex->arena, l.room);
    if (l.p == NULL)
        return str_make(NULL, 0);
    fill(ex, &l, target);
    if (holes == 0 && !route->conf->exact)
        add_path(&l, site_rest(ex));
    if (holes == 0 && query.n > 0 && str_find(target, '?') < 0) {
        add(&l, STR("?"));
        add(&l, query);
    }
    return on_this_site(&l);
}

static unsigned status_of(const struct exchange *ex)
{
    bool plain = ex->head.method == HTTP_GET || ex->head.method == HTTP_HEAD;

    if (ex->route->conf->status != 0)
        return (unsigned)ex->route->conf->status;
    return plain ? 301 : 308;
}

static void redirect_start(struct exchange *ex)
{
    struct str location = make_location(ex);

    if (location.p == NULL) {
        exchange_page(ex, 503, STR(""));
        return;
    }
    exchange_respond(ex, status_of(ex));
    exchange_add(ex, STR("Location"), location);
    ex->response.length = 0;
    ex->handler = &empty_handler;
    exchange_ready(ex);
}

const struct handler redirect_handler = { .name = "redirect", .kind = STATS_ROUTE, .start = redirect_start };
