/* `quintet config`: sites and routes as they were written; what they inherit is not repeated. */
#include <string.h>

#include "conf/route_options.h"
#include "conf/show.h"

#define NAME_COLUMN 29
#define VALUE_COLUMN 34

/* A line for everything said at a level but what its heading shows. */
static int table_rows(const struct conf_route *r, const char *indent, struct buf *out)
{
    struct buf value;
    int rc = 0;

    buf_init(&value, SHOW_VALUE_MAX);
    for (size_t i = 0; i < route_option_count && rc == 0; i++) {
        const struct option_row *row = &route_table[i];
        char name[OPTION_NAME_MAX];

        if (!route_option_is_set(row, r) || row->group == OPTION_GROUP_MATCH)
            continue;
        buf_clear(&value);
        option_spell(row, OPTION_SPELL_FILE, name);
        rc = show_value(row, r, &value);
        if (rc == 0)
            rc = buf_printf(out, "%s%-*s " STR_FMT "\n", indent, NAME_COLUMN - (int)strlen(indent), name,
                            STR_ARG(buf_str(&value)));
    }
    buf_fini(&value);
    return rc;
}

static int table_heading(const char *what, struct str which, const char *place, struct buf *out)
{
    return buf_printf(out, "%-*s %-*.*s  %s\n", NAME_COLUMN, what, VALUE_COLUMN, (int)which.n, which.p,
                      place ? place : "");
}

static int table_site(const struct conf_site *site, struct buf *out)
{
    struct buf hosts;
    int rc;

    buf_init(&hosts, SHOW_VALUE_MAX);
    rc = site->own.hosts.n ? show_value(route_option_find(STR("hosts")), &site->own, &hosts)
                           : buf_add_str(&hosts, STR("any host"));
    if (rc == 0)
        rc = table_heading("site", buf_str(&hosts), site->own.place, out);
    buf_fini(&hosts);
    if (rc == 0)
        rc = table_rows(&site->own, "  ", out);
    for (size_t i = 0; i < site->n_routes && rc == 0; i++) {
        const struct conf_route *r = &site->routes[i];

        rc = table_heading(r->exact ? "  exact route" : "  route", str_of(r->path), r->place, out);
        if (rc == 0)
            rc = table_rows(r, "    ", out);
    }
    return rc;
}

int show_sites_table(const struct conf_sites *sites, struct buf *out)
{
    int rc = conf_sites_any(sites) ? buf_add_str(out, STR("\n")) : 0;

    if (rc == 0 && sites->top.set)
        rc = table_heading(sites->listed ? "all sites" : "the site",
                           sites->top.hosts.n ? str_of(sites->top.hosts.items[0]) : STR(""), NULL, out);
    if (rc == 0)
        rc = table_rows(&sites->top, "  ", out);
    for (size_t i = 0; i < sites->n && rc == 0; i++)
        rc = table_site(&sites->sites[i], out);
    return rc;
}

static json_t *json_level(const struct conf_route *r)
{
    json_t *object = json_object();

    for (size_t i = 0; i < route_option_count; i++) {
        char name[OPTION_NAME_MAX];

        if (!route_option_is_set(&route_table[i], r))
            continue;
        option_spell(&route_table[i], OPTION_SPELL_FILE, name);
        must(json_object_set_new(object, name, show_json(&route_table[i], r)) == 0);
    }
    if (r->place)
        must(json_object_set_new(object, "from", json_string(r->place)) == 0);
    return object;
}

json_t *show_sites_json(const struct conf_sites *sites)
{
    json_t *all = json_array();

    for (size_t i = 0; i < sites->n; i++) {
        const struct conf_site *site = &sites->sites[i];
        json_t *object = json_level(&site->own), *routes = json_array();

        for (size_t k = 0; k < site->n_routes; k++)
            must(json_array_append_new(routes, json_level(&site->routes[k])) == 0);
        must(json_object_set_new(object, "routes", routes) == 0);
        must(json_array_append_new(all, object) == 0);
    }
    return json_pack("{s:o, s:o}", "all", json_level(&sites->top), "sites", all);
}
