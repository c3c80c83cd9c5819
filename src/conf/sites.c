/* Sites and routes: the structs, the rules between their keys, and inheritance. */
#include "conf/sites.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/mistake.h"
#include "conf/route_options.h"
#include "conf/site_values.h"
#include "conf/value.h"

/* ---- life ---- */

struct conf_site *conf_sites_add(struct conf_sites *sites)
{
    if (sites->n == CONF_SITES_MAX)
        return NULL;
    sites->sites = mem_realloc(sites->sites, (sites->n + 1) * sizeof(*sites->sites));
    memset(&sites->sites[sites->n], 0, sizeof(*sites->sites));
    return &sites->sites[sites->n++];
}

struct conf_route *conf_site_add(struct conf_site *site)
{
    if (site->n_routes == CONF_ROUTES_MAX)
        return NULL;
    site->routes = mem_realloc(site->routes, (site->n_routes + 1) * sizeof(*site->routes));
    memset(&site->routes[site->n_routes], 0, sizeof(*site->routes));
    return &site->routes[site->n_routes++];
}

static void route_fini(struct conf_route *route)
{
    for (size_t i = 0; i < route_option_count; i++)
        value_clear(&route_table[i], route);
    mem_free(route->place);
}

void conf_sites_fini(struct conf_sites *sites)
{
    for (size_t i = 0; i < sites->n; i++) {
        for (size_t k = 0; k < sites->sites[i].n_routes; k++)
            route_fini(&sites->sites[i].routes[k]);
        route_fini(&sites->sites[i].own);
        mem_free(sites->sites[i].routes);
    }
    route_fini(&sites->top);
    mem_free(sites->sites);
    memset(sites, 0, sizeof(*sites));
}

bool conf_sites_any(const struct conf_sites *sites)
{
    return sites->n > 0 || sites->top.set != 0;
}

struct str conf_site_name(const struct conf_site *site)
{
    return site->own.hosts.n ? str_of(site->own.hosts.items[0]) : STR("*");
}

enum conf_answer conf_route_answer(const struct conf_route *route)
{
    if (route->redirect)
        return CONF_ANSWER_REDIRECT;
    if (route->respond || route->status)
        return CONF_ANSWER_RESPOND;
    if (route->root)
        return CONF_ANSWER_ROOT;
    return route->app ? CONF_ANSWER_APP : CONF_ANSWER_DEFAULT;
}

/* ---- what the edge is given beside the text ---- */

/* The files of one type, and whether there were more than fit. */
struct collection {
    enum option_type type;
    const char **out;
    size_t n;
    bool full;
};

static void collect(struct collection *c, const struct conf_route *route)
{
    for (size_t i = 0; i < route_option_count; i++) {
        const char *value;
        size_t k = 0;

        if (route_table[i].type != c->type || !route_option_is_set(&route_table[i], route))
            continue;
        value = *(char *const *)(const void *)((const char *)route + route_table[i].offset);
        while (k < c->n && strcmp(c->out[k], value) != 0)
            k++;
        if (k < c->n || strcmp(value, "off") == 0)
            continue;
        c->full |= c->n == CONF_SITE_FILES_MAX;
        if (!c->full)
            c->out[c->n++] = value;
    }
}

static void collect_all(struct collection *c, const struct conf_sites *sites)
{
    collect(c, &sites->top);
    for (size_t i = 0; i < sites->n; i++) {
        collect(c, &sites->sites[i].own);
        for (size_t k = 0; k < sites->sites[i].n_routes; k++)
            collect(c, &sites->sites[i].routes[k]);
    }
}

static const enum option_type file_types[] = {
    [CONF_FILES_DIRECTORY] = OPTION_DIRECTORY, [CONF_FILES_SECRET] = OPTION_SECRET_FILE
};

size_t conf_sites_files(const struct conf_sites *sites, enum conf_files kind, const char *out[CONF_SITE_FILES_MAX])
{
    struct collection c = { .type = file_types[kind], .out = out };

    collect_all(&c, sites);
    return c.n;
}

static bool says(const struct option_row *row, const struct conf_route *route, const char *value)
{
    const char *said = *(char *const *)(const void *)((const char *)route + row->offset);

    return said != NULL && strcmp(said, value) == 0;
}

bool conf_sites_uses(const struct conf_sites *sites, struct str name, const char *value)
{
    const struct option_row *row = route_option_find(name);
    bool yes = says(row, &sites->top, value);

    for (size_t i = 0; i < sites->n; i++) {
        yes = yes || says(row, &sites->sites[i].own, value);
        for (size_t k = 0; k < sites->sites[i].n_routes; k++)
            yes = yes || says(row, &sites->sites[i].routes[k], value);
    }
    return yes;
}

struct str conf_sites_key(struct str file)
{
    while (file.n > 0 && memchr(" \t\r\n", file.p[file.n - 1], 4))
        file.n--;
    while (file.n > 0 && memchr(" \t\r\n", file.p[0], 4))
        file = str_cut(file, 1, file.n);
    return file;
}

/* ---- which path belongs to which route ---- */

static bool encloses(struct str prefix, struct str path)
{
    if (!str_starts(path, prefix))
        return false;
    return prefix.n == path.n || prefix.p[prefix.n - 1] == '/' || path.p[prefix.n] == '/';
}

bool conf_route_matches(const struct conf_route *route, struct str path)
{
    struct str own = str_of(route->path);

    return route->exact ? str_eq(own, path) : encloses(own, path);
}

/* ---- inheritance ---- */

static bool is_answer_set(const struct conf_route *route)
{
    for (size_t i = 0; i < route_option_count; i++)
        if (option_is(&route_table[i], OPTION_ANSWER) && route_option_is_set(&route_table[i], route))
            return true;
    return false;
}

static bool has_header(const struct conf_list *list, struct str name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq_nocase(site_header_name(str_of(list->items[i])), name))
            return true;
    return false;
}

static void merge_headers(const struct option_row *row, const struct conf_route *from, struct conf_route *to)
{
    for (size_t i = 0; i < from->headers.n; i++) {
        struct str header = str_of(from->headers.items[i]);

        if (!has_header(&to->headers, site_header_name(header)))
            must(value_parse(row, header, to) == 0);
    }
}

const struct conf_route *conf_route_level(const struct conf_route *route, struct str name)
{
    size_t index = route_option_index(route_option_find(name));

    while (route->around != NULL && (route->own >> index & 1) == 0)
        route = route->around;
    return route;
}

static void inherit(const struct conf_route *from, struct conf_route *to)
{
    bool answer = !is_answer_set(to);

    to->own = to->set;
    to->around = from;
    for (size_t i = 0; i < route_option_count; i++) {
        const struct option_row *row = &route_table[i];

        if (!route_option_is_set(row, from) || option_is(row, OPTION_OWN))
            continue;
        if (row->type == OPTION_HEADER)
            merge_headers(row, from, to);
        else if (option_is(row, OPTION_ANSWER) ? answer : !route_option_is_set(row, to))
            value_copy(row, from, to);
        else
            continue;
        to->set |= UINT64_C(1) << i;
    }
    if (answer)
        to->answer_cut = from->answer_cut;
}

static void fill_from_option(const struct option_row *row, const struct conf *conf, struct conf_route *route)
{
    const struct option_row *option = option_find(str_of(row->name));
    struct buf text;

    if (!option)
        return;
    must(option->type == row->type && !option_is(row, OPTION_LIST));
    buf_init(&text, CONF_ERROR_MAX);
    if (value_is_set(option, conf))
        must(value_write(option, conf, 0, &text) == 0 && value_parse(row, buf_str(&text), route) == 0);
    buf_fini(&text);
}

/* The option of the same name, else the default. */
static void fill(const struct conf *conf, struct conf_route *route)
{
    for (size_t i = 0; i < route_option_count; i++) {
        const struct option_row *row = &route_table[i];

        if (!route_option_is_set(row, route) && row->fallback)
            must(value_parse(row, str_of(row->fallback), route) == 0);
        else if (!route_option_is_set(row, route))
            fill_from_option(row, conf, route);
    }
}

/* Shorter first, so that what is around a route comes before it; the exact one of equals last. */
static int compare_routes(const void *a, const void *b)
{
    const struct conf_route *x = a, *y = b;
    size_t nx = strlen(x->path), ny = strlen(y->path);

    if (nx != ny)
        return nx < ny ? -1 : 1;
    if (x->exact != y->exact)
        return x->exact ? 1 : -1;
    return strcmp(x->path, y->path);
}

static const struct conf_route *around(const struct conf_site *site, size_t nth)
{
    struct str path = str_of(site->routes[nth].path);

    for (size_t i = nth; i-- > 0;)
        if (!site->routes[i].exact && encloses(str_of(site->routes[i].path), path))
            return &site->routes[i];
    return &site->own;
}

static void resolve_site(const struct conf *conf, struct conf_site *site)
{
    const struct conf_sites *sites = &conf->sites;

    site->own.path = site->own.path ? site->own.path : mem_strdup("/");
    site->own.answer_cut = 1;
    inherit(&sites->top, &site->own);
    site->own.answer_cut = 1;
    fill(conf, &site->own);
    if (site->n_routes)
        qsort(site->routes, site->n_routes, sizeof(*site->routes), compare_routes);
    for (size_t i = 0; i < site->n_routes; i++) {
        site->routes[i].answer_cut = strlen(site->routes[i].path);
        inherit(around(site, i), &site->routes[i]);
        fill(conf, &site->routes[i]);
    }
}

void conf_sites_resolve(struct conf *conf)
{
    struct conf_sites *sites = &conf->sites;

    if (sites->n == 0)
        (void)conf_sites_add(sites);
    for (size_t i = 0; i < sites->n; i++) {
        if (!sites->listed) /* the file's own hosts are the one site's */
            for (size_t k = 0; k < sites->top.hosts.n; k++)
                must(value_parse(route_option_find(STR("hosts")), str_of(sites->top.hosts.items[k]),
                                 &sites->sites[i].own) == 0);
        resolve_site(conf, &sites->sites[i]);
    }
}

/* ---- rules between the keys ---- */

static int fail(const struct conf_route *at, char *error, const char *what)
{
    return mistake_say(error, "%s: %s", at->place ? at->place : "quintet.yaml", what);
}

static int check_answer(const struct conf_route *r, char *error)
{
    bool redirects = r->status == 301 || r->status == 302 || r->status == 303 || r->status == 307 || r->status == 308;

    if ((r->app != 0) + (r->root != NULL) + (r->redirect != NULL) + (r->respond != NULL) > 1)
        return fail(r, error, "one of app, root, redirect and respond can answer, not several");
    if (r->status && (r->app || r->root))
        return fail(r, error, "status: belongs to redirect or respond");
    if (r->redirect && r->status && !redirects)
        return fail(r, error, "status: of a redirect it is 301, 302, 303, 307 or 308");
    if (!r->redirect && r->status && (r->status < 200 || (r->status >= 300 && r->status < 400)))
        return fail(r, error, "status: expected 200 to 299 or 400 to 599, or a redirect");
    if (r->content_type && !r->respond)
        return fail(r, error, "content_type: belongs to respond");
    return 0;
}

static int check_level(const struct conf_route *r, char *error)
{
    if (r->rate_limit.n > CONF_RATE_LIMITS_MAX)
        return fail(r, error, "rate_limit: at most four");
    return check_answer(r, error);
}

static int check_routes(const struct conf_site *site, char *error)
{
    int rc = 0;

    for (size_t i = 0; i < site->n_routes && rc == 0; i++) {
        const struct conf_route *r = &site->routes[i];

        if (!r->path)
            return fail(r, error, "a route needs its path, such as \"path: /docs/\"");
        for (size_t k = 0; k < i; k++)
            if (site->routes[k].exact == r->exact && strcmp(site->routes[k].path, r->path) == 0)
                return mistake_say(error, "%s: the site has another route for %s, at %s", r->place ? r->place : "?",
                                   r->path, site->routes[k].place ? site->routes[k].place : "?");
        rc = check_level(r, error);
    }
    return rc;
}

/* Has one of the sites before the nth, or the nth itself at an earlier place, this host? */
static bool host_is_taken(const struct conf_sites *sites, size_t nth, size_t host)
{
    const struct conf_list *own = &sites->sites[nth].own.hosts;

    for (size_t i = 0; i <= nth; i++) {
        const struct conf_list *list = &sites->sites[i].own.hosts;

        for (size_t k = 0; k < (i == nth ? host : list->n); k++)
            if (strcmp(list->items[k], own->items[host]) == 0)
                return true;
        if (i < nth && list->n == 0 && strcmp(own->items[host], "*") == 0)
            return true;
    }
    return false;
}

static int check_hosts(const struct conf_sites *sites, char *error)
{
    size_t without = 0;

    for (size_t i = 0; i < sites->n; i++) {
        const struct conf_route *own = &sites->sites[i].own;

        without += sites->listed && own->hosts.n == 0;
        if (without > 1)
            return fail(own, error, "two sites without hosts: which is meant?");
        for (size_t k = 0; k < own->hosts.n; k++)
            if (host_is_taken(sites, i, k))
                return mistake_say(error, "%s: hosts: %s is given twice", own->place ? own->place : "quintet.yaml",
                                   own->hosts.items[k]);
    }
    return 0;
}

static int check_files(const struct conf_sites *sites, char *error)
{
    const char *out[CONF_SITE_FILES_MAX];

    for (size_t i = 0; i < ARRAY_LEN(file_types); i++) {
        struct collection c = { .type = file_types[i], .out = out };

        collect_all(&c, sites);
        if (c.full)
            return mistake_say(error, "sites: at most %d different %s", CONF_SITE_FILES_MAX,
                               i == CONF_FILES_DIRECTORY ? "directories" : "files of passwords and keys");
    }
    return 0;
}

int conf_sites_check(const struct conf_sites *sites, char *error)
{
    int rc = check_level(&sites->top, error);

    if (rc == 0)
        rc = check_files(sites, error);
    if (rc == 0 && sites->listed && sites->top.hosts.n)
        rc = fail(&sites->top, error, "hosts: where there are `sites:`, each has its own");
    if (rc == 0)
        rc = check_hosts(sites, error);
    for (size_t i = 0; i < sites->n && rc == 0; i++) {
        rc = check_level(&sites->sites[i].own, error);
        if (rc == 0)
            rc = check_routes(&sites->sites[i], error);
    }
    return rc;
}
