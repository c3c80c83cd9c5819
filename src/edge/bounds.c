/* From the levels of the configuration to what the gates ask. */
#include "edge/bounds.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "edge/exchange.h"

#define TABLE_KEYS (1u << 18) /* 4 MiB each, as far as they are used */
#define POLICY_MAX (4u << 10)

/* Identities are made of the operator's words alone: no key is needed, and it has to be the same after a reload. */
static const struct hash_seed identity_seed = { 0, 0 };

/* ---- one level ---- */

static uint64_t identity(const struct conf *conf, const struct route *route, const struct conf_route *level,
                         struct str what)
{
    bool top = level == &conf->sites.top;
    struct buf text;
    uint64_t id;

    buf_init(&text, 1u << 20);
    must(buf_printf(&text, STR_FMT "\n%s\n%d\n" STR_FMT, STR_ARG(top ? STR("") : conf_site_name(route->site->conf)),
                    top ? "" : level->path, level->exact, STR_ARG(what)) == 0);
    id = hash_str(&identity_seed, buf_str(&text));
    buf_fini(&text);
    return id;
}

/* ---- rates ---- */

static int read_rule(struct limit_rule *rule, const char *text)
{
    int error = rate_limit_parse(str_of(text), &rule->said);

    if (error != 0)
        return error;
    rule->rate.interval_ns = rule->said.period_ns / rule->said.count;
    rule->rate.burst = rule->said.burst;
    rule->header = http_field_lookup(rule->said.name);
    rate_limit_name(&rule->said, rule->text);
    return 0;
}

/* Rules that count by the same are told apart by their order. */
static uint32_t namesakes(const struct route_bounds *r, const struct limit_rule *rule)
{
    uint32_t n = 0;

    for (const struct limit_rule *other = r->rules; other < rule; other++)
        n += other->said.key == rule->said.key && str_eq(other->said.name, rule->said.name);
    return n;
}

/* What one client has used up is asked before what all share, so that who is refused for his own sake uses up nothing of theirs. */
static void sort_rules(struct route_bounds *r)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < r->n_rules; i++) {
        struct limit_rule rule = r->rules[i];

        if (rule.said.key == RATE_BY_ROUTE)
            continue;
        for (uint32_t k = i; k > at; k--)
            r->rules[k] = r->rules[k - 1];
        r->rules[at++] = rule;
    }
}

/* draft-ietf-httpapi-ratelimit-headers-10, 3: the quota is the burst, its window the time in which it fills. */
static void write_policy(struct route_bounds *r)
{
    struct buf text;

    buf_init(&text, POLICY_MAX);
    for (uint32_t i = 0; i < r->n_rules; i++) {
        const struct limit_rule *rule = &r->rules[i];
        uint64_t window = rule->rate.burst * rule->rate.interval_ns;

        must(buf_printf(&text, "%s\"%s\";q=%llu;w=%llu", i > 0 ? ", " : "", rule->text,
                        (unsigned long long)rule->rate.burst,
                        (unsigned long long)((window + NS_PER_SEC - 1) / NS_PER_SEC)) == 0);
    }
    r->policy = (struct str){ str_dup(buf_str(&text)), text.len };
    buf_fini(&text);
}

static int read_rules(struct route_bounds *r, const struct conf *conf, const struct route *route)
{
    const struct conf_list *list = &route->conf->rate_limit;
    const struct conf_route *level = conf_route_level(route->conf, STR("rate-limit"));

    if (list->n > BOUNDS_RULES_MAX)
        return -EINVAL;
    r->rules = mem_calloc(list->n + 1, sizeof(*r->rules));
    for (size_t i = 0; i < list->n; i++) {
        struct limit_rule *rule = &r->rules[i];
        char what[RATE_LIMIT_TEXT_MAX];
        int error = read_rule(rule, list->items[i]);

        if (error != 0)
            return error;
        snprintf(what, sizeof(what), "rate %d %u " STR_FMT, (int)rule->said.key, (unsigned)namesakes(r, rule),
                 STR_ARG(rule->said.name));
        rule->id = identity(conf, route, level, str_of(what));
        r->n_rules++;
    }
    sort_rules(r);
    write_policy(r);
    return 0;
}

/* ---- all of them ---- */

static int read_route(struct route_bounds *r, const struct conf *conf, const struct route *route)
{
    const struct conf_route *c = route->conf;
    int error = networks_read(&r->allow, c->allow.items, c->allow.n);

    if (error == 0)
        error = networks_read(&r->deny, c->deny.items, c->deny.n);
    if (error == 0)
        error = read_rules(r, conf, route);
    r->allow_only = c->allow.n > 0;
    r->concurrency = c->concurrency;
    if (r->concurrency > 0)
        r->crowd = tally_new(identity(conf, route, conf_route_level(c, STR("concurrency")), STR("concurrency")));
    for (uint32_t i = 0; i < r->n_rules; i++)
        r->rules[i].tally = tally_new(r->rules[i].id);
    return error;
}

/* ---- tallies of the same identity become one ---- */

static void visit(const struct bounds *bounds, void (*fn)(void *arg, struct tally **tally), void *arg)
{
    for (uint32_t i = 0; i < bounds->n; i++) {
        struct route_bounds *r = &bounds->routes[i];

        for (uint32_t k = 0; k < r->n_rules; k++)
            fn(arg, &r->rules[k].tally);
        if (r->crowd != NULL)
            fn(arg, &r->crowd);
    }
}

static struct str id_of(const struct tally *tally)
{
    return str_make((const char *)&tally->id, sizeof(tally->id));
}

static void note(void *arg, struct tally **tally)
{
    struct map *known = arg;

    if (map_get(known, id_of(*tally)) == NULL)
        (void)map_put(known, id_of(*tally), *tally);
}

static void share(void *arg, struct tally **tally)
{
    struct map *known = arg;
    struct tally *other = map_get(known, id_of(*tally));

    if (other == NULL || other == *tally)
        return;
    (void)tally_ref(other);
    tally_unref(*tally);
    *tally = other;
}

static void share_tallies(const struct bounds *bounds, const struct bounds *with)
{
    struct map known;

    map_init(&known);
    visit(with, note, &known);
    visit(bounds, share, &known);
    map_fini(&known);
}

/* ---- life ---- */

static bool has_rules(const struct bounds *bounds)
{
    for (uint32_t i = 0; i < bounds->n; i++) {
        if (bounds->routes[i].n_rules > 0)
            return true;
    }
    return false;
}

static int read_site(struct bounds *bounds, const struct conf *conf, const struct site *site)
{
    int error = read_route(&bounds->routes[site->own.nth], conf, &site->own);

    for (uint32_t i = 0; i < site->n_routes && error == 0; i++)
        error = read_route(&bounds->routes[site->routes[i].nth], conf, &site->routes[i]);
    return error;
}

int bounds_new(const struct sites *sites, const struct conf *conf, struct bounds **out)
{
    struct bounds *bounds = mem_zalloc(sizeof(*bounds));
    int error = 0;

    bounds->n = sites->n_routes;
    bounds->routes = mem_calloc(bounds->n + 1, sizeof(*bounds->routes));
    for (uint32_t i = 0; i < sites->n && error == 0; i++)
        error = read_site(bounds, conf, &sites->sites[i]);
    if (error != 0) {
        bounds_free(bounds);
        return error;
    }
    share_tallies(bounds, bounds);
    for (unsigned i = 0; i < BOUNDS_TABLES && has_rules(bounds); i++)
        bounds->tables[i] = throttle_new(TABLE_KEYS);
    *out = bounds;
    return 0;
}

void bounds_inherit(struct bounds *bounds, const struct bounds *before)
{
    share_tallies(bounds, before);
    for (unsigned i = 0; i < BOUNDS_TABLES; i++) {
        if (bounds->tables[i] == NULL || before->tables[i] == NULL)
            continue;
        throttle_unref(bounds->tables[i]);
        bounds->tables[i] = throttle_ref(before->tables[i]);
    }
}

static void route_fini(struct route_bounds *r)
{
    networks_fini(&r->allow);
    networks_fini(&r->deny);
    for (uint32_t i = 0; i < r->n_rules; i++)
        tally_unref(r->rules[i].tally);
    mem_free(r->rules);
    mem_free((void *)r->policy.p);
    tally_unref(r->crowd);
}

void bounds_free(struct bounds *bounds)
{
    if (bounds == NULL)
        return;
    for (uint32_t i = 0; i < bounds->n; i++)
        route_fini(&bounds->routes[i]);
    for (unsigned i = 0; i < BOUNDS_TABLES; i++)
        throttle_unref(bounds->tables[i]);
    mem_free(bounds->routes);
    mem_free(bounds);
}

const struct route_bounds *bounds_of(const struct exchange *ex)
{
    return &ex->snapshot->bounds->routes[ex->route->nth];
}
