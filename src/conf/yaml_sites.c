/* Sites and routes from events. */
#include "conf/yaml_sites.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/hint.h"
#include "conf/mistake.h"
#include "conf/route_options.h"

/* A mapping under way: that of the file, of a site, or of a route. */
struct level {
    enum conf_level level;
    struct conf_site *site; /* whose routes; of a route NULL */
    struct conf_route *into;
    bool routes; /* given already */
};

static int read_sequence(struct yaml_reader *r, struct conf_site *site);

static int fail_unknown(struct yaml_reader *r, const struct level *l, struct str name, yaml_mark_t mark)
{
    static const char *const of[] = {
        [CONF_LEVEL_TOP] = "the file", [CONF_LEVEL_SITE] = "a site", [CONF_LEVEL_ROUTE] = "a route"
    };
    const struct option_row *row = route_option_find(name);
    char quoted[MISTAKE_QUOTE_MAX], spelled[OPTION_NAME_MAX], what[YAML_LABEL_MAX];

    mistake_quote(name, quoted);
    if (row && !memchr(name.p, '-', name.n)) {
        (void)snprintf(what, sizeof(what), "%s: not in %s", quoted, of[l->level]);
        return yaml_events_fail(r, mark, what);
    }
    row = hint_nearest_route(name, l->level);
    if (row)
        option_spell(row, OPTION_SPELL_FILE, spelled);
    (void)snprintf(what, sizeof(what), "%s: no such key of %s%s%s%s", quoted, of[l->level],
                   row ? "; did you mean " : "", row ? spelled : "", row ? "?" : "");
    return yaml_events_fail(r, mark, what);
}

static int read_routes(struct yaml_reader *r, struct level *l, yaml_mark_t mark)
{
    bool again = l->routes;

    l->routes = true;
    return again ? yaml_events_fail(r, mark, "routes: is given twice") : read_sequence(r, l->site);
}

/* A key and its value. */
static int read_pair(struct yaml_reader *r, struct level *l, struct str name, yaml_mark_t mark)
{
    const struct option_row *row = name.n == 0 || memchr(name.p, '-', name.n) ? NULL : route_option_find(name);

    if (l->site && str_eq(name, STR("routes")))
        return read_routes(r, l, mark);
    if (!row || !route_option_at(row, l->level))
        return fail_unknown(r, l, name, mark);
    r->into = l->into;
    if (route_option_is_set(row, l->into)) {
        char what[YAML_LABEL_MAX];

        (void)snprintf(what, sizeof(what), STR_FMT ": is given twice", STR_ARG(name));
        return yaml_events_fail(r, mark, what);
    }
    return yaml_events_value(r, row, true);
}

/* The pairs of a mapping that has begun. */
static int read_mapping(struct yaml_reader *r, struct level *l)
{
    yaml_event_t event;
    int rc = 0;

    while (rc == 0 && (rc = yaml_events_part(r, &event)) > 0) {
        if (event.type == YAML_SCALAR_EVENT)
            rc = read_pair(r, l, yaml_events_scalar(&event), event.start_mark);
        else
            rc = yaml_events_fail(r, event.start_mark, "expected the name of a key");
        yaml_event_delete(&event);
    }
    return rc;
}

/* The nth mapping of `sites:` (site NULL) or of `routes:`. */
static int read_item(struct yaml_reader *r, struct conf_site *site, yaml_mark_t mark)
{
    struct level l = { .level = site ? CONF_LEVEL_ROUTE : CONF_LEVEL_SITE };
    char place[YAML_LABEL_MAX + 16];

    if (site) {
        l.into = conf_site_add(site);
    } else {
        l.site = conf_sites_add(&r->b->conf.sites);
        l.into = l.site ? &l.site->own : NULL;
    }
    if (!l.into)
        return yaml_events_fail(r, mark, site ? "more routes than a site may have" : "more sites than there may be");
    (void)snprintf(place, sizeof(place), "%s:%zu", r->path, mark.line + 1);
    l.into->place = mem_strdup(place);
    return read_mapping(r, &l);
}

static int read_items(struct yaml_reader *r, struct conf_site *site)
{
    yaml_event_t event;
    int rc = 0;

    while (rc == 0 && (rc = yaml_events_part(r, &event)) > 0) {
        if (event.type == YAML_MAPPING_START_EVENT)
            rc = read_item(r, site, event.start_mark);
        else
            rc = yaml_events_fail(r, event.start_mark,
                                  site ? "expected a mapping such as \"path: /docs/\""
                                       : "expected a mapping such as \"hosts: [example.com]\"");
        yaml_event_delete(&event);
    }
    return rc;
}

static int read_sequence(struct yaml_reader *r, struct conf_site *site)
{
    yaml_event_t event;
    int rc = yaml_events_node(r, &event);

    if (rc < 0)
        return rc;
    if (event.type == YAML_SEQUENCE_START_EVENT)
        rc = read_items(r, site);
    else
        rc = yaml_events_fail(r, event.start_mark, site ? "expected a list of routes" : "expected a list of sites");
    yaml_event_delete(&event);
    return rc;
}

/* ---- at the top of the file ---- */

bool yaml_sites_has(struct str name)
{
    const struct option_row *row = name.n == 0 || memchr(name.p, '-', name.n) ? NULL : route_option_find(name);

    return str_eq(name, STR("sites")) || str_eq(name, STR("routes")) || (row && route_option_at(row, CONF_LEVEL_TOP));
}

static int read_sites(struct yaml_reader *r, yaml_mark_t mark)
{
    struct conf_sites *sites = &r->b->conf.sites;

    if (sites->listed)
        return yaml_events_fail(r, mark, "sites: is given twice");
    if (sites->n)
        return yaml_events_fail(r, mark, "sites: routes stand in the sites, or there is but one site and no `sites:`");
    sites->listed = true;
    return read_sequence(r, NULL);
}

/* The routes of the one site. */
static int read_own_routes(struct yaml_reader *r, yaml_mark_t mark)
{
    struct conf_sites *sites = &r->b->conf.sites;

    if (sites->listed)
        return yaml_events_fail(r, mark, "routes: where there are `sites:`, each has its own");
    if (sites->n)
        return yaml_events_fail(r, mark, "routes: is given twice");
    return read_sequence(r, conf_sites_add(sites));
}

int yaml_sites_read(struct yaml_reader *r, struct str name, yaml_mark_t mark)
{
    struct level l = { .level = CONF_LEVEL_TOP, .into = &r->b->conf.sites.top };

    if (str_eq(name, STR("sites")))
        return read_sites(r, mark);
    if (str_eq(name, STR("routes")))
        return read_own_routes(r, mark);
    return read_pair(r, &l, name, mark);
}
