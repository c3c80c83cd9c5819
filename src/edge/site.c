/* From host and path to a route. */
#include "edge/site.h"

#include <errno.h>

#include "base/mem.h"
#include "conf/site_values.h"
#include "edge/error_pages.h"
#include "edge/exchange.h"
#include "http/uri.h"

#define HOST_ROOM 256

/* ---- compiling ---- */

static char *route_name(const struct site *site, const struct conf_route *conf)
{
    struct buf text;
    char *name;

    buf_init(&text, 1u << 20);
    must(buf_printf(&text, STR_FMT "%s%s", STR_ARG(conf_site_name(site->conf)), conf->path, conf->exact ? " =" : "") ==
         0);
    name = str_dup(buf_str(&text));
    buf_fini(&text);
    return name;
}

static void compile_headers(struct route *route)
{
    const struct conf_list *list = &route->conf->headers;

    route->headers = mem_calloc(list->n + 1, sizeof(*route->headers));
    for (size_t i = 0; i < list->n; i++) {
        struct str header = str_of(list->items[i]);

        route->headers[route->n_headers++] = (struct header){ site_header_name(header), site_header_value(header) };
    }
}

static bool is_asked(const char *file)
{
    return file != NULL && strcmp(file, "off") != 0;
}

static void compile_route(struct sites *sites, struct site *site, const struct conf_route *conf, struct route *route)
{
    *route = (struct route){ .conf = conf,
                             .site = site,
                             .path = str_of(conf->path),
                             .name = str_of(route_name(site, conf)),
                             .nth = sites->n_routes++,
                             .answer = conf_route_answer(conf),
                             .basic = is_asked(conf->basic_auth),
                             .is_signed = is_asked(conf->signed_by) };
    compile_headers(route);
}

static int compile_hosts(struct sites *sites, struct site *site)
{
    const struct conf_list *hosts = &site->conf->own.hosts;

    if (hosts->n == 0)
        sites->fallback = site;
    for (size_t i = 0; i < hosts->n; i++) {
        struct str host = str_of(hosts->items[i]);
        bool wild = str_starts(host, STR("*."));
        struct map *map = wild ? &sites->wildcard : &sites->exact;

        if (str_eq(host, STR("*")))
            sites->fallback = site;
        else if (map_put(map, str_cut(host, wild ? 2 : 0, host.n), site) != NULL)
            return -EINVAL;
    }
    return 0;
}

static int compile_site(struct sites *sites, const struct conf_site *conf, struct site *site)
{
    site->conf = conf;
    site->n_routes = (uint32_t)conf->n_routes;
    site->routes = mem_calloc(conf->n_routes + 1, sizeof(*site->routes));
    compile_route(sites, site, &conf->own, &site->own);
    for (size_t i = 0; i < conf->n_routes; i++) /* theirs are the shortest first */
        compile_route(sites, site, &conf->routes[conf->n_routes - 1 - i], &site->routes[i]);
    return compile_hosts(sites, site);
}

int sites_new(const struct conf *conf, struct sites **out)
{
    struct sites *s = mem_zalloc(sizeof(*s));
    int error = 0;

    map_init(&s->exact);
    map_init(&s->wildcard);
    s->sites = mem_calloc(conf->sites.n, sizeof(*s->sites));
    for (size_t i = 0; i < conf->sites.n && error == 0; i++) {
        s->n++;
        error = compile_site(s, &conf->sites.sites[i], &s->sites[i]);
    }
    if (error != 0) {
        sites_free(s);
        return error;
    }
    s->elsewhere = &(s->fallback != NULL ? s->fallback : &s->sites[0])->own;
    s->simple = s->fallback != NULL && s->n == 1 && s->sites[0].n_routes == 0 && s->exact.n == 0 && s->wildcard.n == 0;
    *out = s;
    return 0;
}

typedef void route_fn(struct route *route, const void *arg);

static void each_route(struct sites *sites, route_fn *fn, const void *arg)
{
    for (uint32_t i = 0; i < sites->n; i++) {
        fn(&sites->sites[i].own, arg);
        for (uint32_t k = 0; k < sites->sites[i].n_routes; k++)
            fn(&sites->sites[i].routes[k], arg);
    }
}

struct binding {
    struct root *root;
    struct log *log;
};

static bool is_named(const struct root *root, const char *name)
{
    return name != NULL && str_eq(root->names[1], str_of(name));
}

static void bind_root(struct route *route, const void *arg)
{
    const struct binding *b = arg;

    if (is_named(b->root, route->conf->root)) {
        route->root = b->root;
        b->root->sendable = true;
    }
    if (!is_named(b->root, route->conf->error_pages))
        return;
    if (b->root->pages == NULL)
        b->root->pages = error_pages_read(b->root->dir, b->log);
    route->pages = b->root->pages;
}

void sites_bind_root(struct sites *sites, struct root *root, struct log *log)
{
    struct binding binding = { root, log };

    each_route(sites, bind_root, &binding);
}

static void bind_secret(struct route *route, const void *arg)
{
    const struct secret *secret = arg;

    if (route->basic && secret->users.n > 0 && str_eq(secret->name, str_of(route->conf->basic_auth)))
        route->passwords = secret;
    if (route->is_signed && conf_sites_key(secret->bytes).n >= CONF_KEY_MIN &&
        str_eq(secret->name, str_of(route->conf->signed_by)))
        route->key = secret;
}

void sites_bind_secret(struct sites *sites, const struct secret *secret)
{
    each_route(sites, bind_secret, secret);
}

static void route_fini(struct route *route, const void *arg)
{
    (void)arg;
    mem_free((void *)route->name.p);
    mem_free(route->headers);
}

void sites_free(struct sites *s)
{
    if (s == NULL)
        return;
    each_route(s, route_fini, NULL);
    for (uint32_t i = 0; i < s->n; i++)
        mem_free(s->sites[i].routes);
    map_fini(&s->exact);
    map_fini(&s->wildcard);
    mem_free(s->sites);
    mem_free(s);
}

/* ---- hosts ---- */

const struct site *sites_host(const struct sites *sites, struct str host)
{
    char lower[HOST_ROOM];
    const struct site *site;
    struct str name, rest;

    if (host.n > 0 && host.p[host.n - 1] == '.')
        host = str_cut(host, 0, host.n - 1);
    if (host.n > sizeof(lower) || (sites->exact.n == 0 && sites->wildcard.n == 0))
        return sites->fallback;
    for (size_t i = 0; i < host.n; i++)
        lower[i] = ascii_lower(host.p[i]);
    name = rest = str_make(lower, host.n);
    site = map_get(&sites->exact, name);
    if (site != NULL)
        return site;
    (void)str_split(&rest, '.');
    site = rest.p != NULL ? map_get(&sites->wildcard, rest) : NULL;
    return site != NULL ? site : sites->fallback;
}

/* ---- paths ---- */

const struct route *site_route(const struct site *site, struct str path)
{
    for (uint32_t i = 0; i < site->n_routes; i++)
        if (conf_route_matches(site->routes[i].conf, path))
            return &site->routes[i];
    return &site->own;
}

/* Nothing in it that anybody could read otherwise: no escape, no empty segment, none that begins with a dot. */
static bool is_plain(struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%')
            return false;
        if (path.p[i] == '/' && i + 1 < path.n && (path.p[i + 1] == '/' || path.p[i + 1] == '.'))
            return false;
    }
    return true;
}

static int find_odd(struct exchange *ex, const struct site *site, struct str path)
{
    struct str decoded = { arena_alloc(&ex->arena, path.n + 1), 0 };
    const struct route *read_plainly;

    must(decoded.p != NULL);
    decoded.n = uri_decode(path, (char *)decoded.p);
    read_plainly = site_route(site, decoded);
    decoded.n = uri_normalise((char *)decoded.p, decoded.n);
    ex->route = site_route(site, decoded);
    return ex->route == read_plainly ? 0 : -EINVAL;
}

struct str site_rest(const struct exchange *ex)
{
    struct str path = exchange_path(ex);
    size_t cut = ex->route->conf->answer_cut, i = 0;

    for (size_t decoded = 0; decoded < cut && i < path.n; decoded++)
        i += uri_is_escape(path, i) ? 3 : 1;
    return str_cut(path, i, path.n);
}

int site_find(struct exchange *ex)
{
    const struct sites *sites = ex->snapshot->sites;
    struct str path = exchange_path(ex);
    const struct site *site;

    if (sites->simple) {
        ex->route = sites->elsewhere;
        return 0;
    }
    site = sites_host(sites, ex->server_name);
    if (site == NULL)
        return -ENOENT;
    ex->route = &site->own;
    if (site->n_routes == 0)
        return 0;
    if (!is_plain(path))
        return find_odd(ex, site, path);
    ex->route = site_route(site, path);
    return 0;
}
