/*
 * Rate limits. Each rule of the route has its say, narrow ones first (bounds.c); the first that refuses ends it, and what those before it have counted
 * stays counted.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "edge/bounds.h"
#include "edge/edge_process.h"
#include "edge/gate.h"
#include "edge/gate/gates.h"
#include "http/cookie.h"

#define ITEM_MAX (RATE_LIMIT_TEXT_MAX + 64) /* "name";r=N;t=N and what separates them */
#define V6_CLIENT 8 /* bytes: a household or a machine has a /64, and may change its address in it at will */

struct who {
    struct str key; /* .p == NULL: nobody can be told from anybody else */
    enum bounds_table table;
    uint8_t address[ADDRESS_LEN];
};

static void by_address(const struct exchange *ex, struct who *who)
{
    if (!address_of_text(ex->remote_addr, who->address))
        return;
    who->table = BOUNDS_ADDRESSES;
    who->key = str_make((const char *)who->address, address_is_v4(who->address) ? ADDRESS_LEN : V6_CLIENT);
}

static bool is_named(const struct exchange *ex, const struct http_field *f, const struct limit_rule *rule)
{
    return f->id == rule->header &&
           (f->id != HTTP_F_OTHER || str_eq_nocase(http_str(ex->bytes, f->name), rule->said.name));
}

/* Of a field that came once: of several, the application may go by another than we would. */
static struct str header_value(const struct exchange *ex, const struct limit_rule *rule)
{
    const struct http_field *found = NULL;

    for (uint32_t i = 0; i < ex->head.n_fields; i++) {
        const struct http_field *f = &ex->head.fields[i];

        if (!is_named(ex, f, rule))
            continue;
        if (found != NULL)
            return str_make(NULL, 0);
        found = f;
    }
    return found == NULL ? str_make(NULL, 0) : http_str(ex->bytes, found->value);
}

/* Whose request it is in the eyes of the rule. Without the header or cookie, or when it is not clear which: the address's. */
static void find_out(const struct exchange *ex, const struct limit_rule *rule, struct who *who)
{
    *who = (struct who){ .table = BOUNDS_INVENTED };
    switch (rule->said.key) {
    case RATE_BY_ROUTE:
        who->key = STR("");
        who->table = BOUNDS_ADDRESSES;
        return;
    case RATE_BY_HEADER:
        who->key = header_value(ex, rule);
        break;
    case RATE_BY_COOKIE:
        who->key = http_cookie(&ex->head, ex->bytes, rule->said.name);
        break;
    case RATE_BY_ADDRESS:
    case RATE_KEYS:
        break;
    }
    if (who->key.n == 0) {
        who->key.p = NULL;
        by_address(ex, who);
    }
}

static uint64_t seconds(uint64_t ns)
{
    return (ns + NS_PER_SEC - 1) / NS_PER_SEC;
}

static void say(struct exchange *ex, const struct limit_rule *rule)
{
    uint64_t times = tally_refused(rule->tally, loop_now(ex->lane->loop));

    if (times > 0)
        log_event(&ex->lane->edge->log, LOG_WARNING, "too many requests, refused", LOG_Z("limit", rule->text),
                  LOG_S("route", ex->route->name), LOG_S("client", ex->remote_addr), LOG_S("request_id", ex->id),
                  LOG_N("times", times));
}

static const struct handler *refuse(struct exchange *ex, const struct limit_rule *rule, uint64_t wait_ns)
{
    stats_add(&ex->lane->stats.too_often, 1);
    say(ex, rule);
    gate_field(ex, STR("Retry-After"), arena_printf(&ex->arena, "%llu", (unsigned long long)seconds(wait_ns)));
    return gate_refuse(ex, 429, STR("too many requests in a short time"));
}

/* draft-ietf-httpapi-ratelimit-headers-10, 4: what is left, and in how many seconds there is more. */
static void note(struct str *state, const struct limit_rule *rule, const struct throttle_answer *answer)
{
    char *at = (char *)state->p + state->n;
    int n = snprintf(at, ITEM_MAX, "%s\"%s\";r=%llu;t=%llu", state->n > 0 ? ", " : "", rule->text,
                     (unsigned long long)answer->left, (unsigned long long)seconds(answer->wait_ns));

    must(n > 0 && n < ITEM_MAX);
    state->n += (size_t)n;
}

const struct handler *gate_rate(struct exchange *ex)
{
    const struct route_bounds *bounds = bounds_of(ex);
    struct throttle *const *tables = ex->snapshot->bounds->tables;
    struct throttle_answer answer = { .pass = true };
    char text[BOUNDS_RULES_MAX * ITEM_MAX];
    struct str state = { text, 0 };
    const struct limit_rule *rule = bounds->rules;
    uint64_t now = bounds->n_rules > 0 ? clock_mono_ns() : 0; /* the loop's is as old as its turn */
    struct who who;

    for (; rule < bounds->rules + bounds->n_rules; rule++) {
        struct throttle *table;

        find_out(ex, rule, &who);
        if (who.key.p == NULL)
            continue;
        table = tables[who.table];
        answer = throttle_ask(table, throttle_key(table, rule->id, who.key), &rule->rate, now);
        stats_add(&ex->lane->stats.forgotten, answer.forgot);
        note(&state, rule, &answer);
        if (!answer.pass)
            break;
    }
    if (state.n > 0)
        ex->rate_state = arena_dup(&ex->arena, state);
    return answer.pass ? NULL : refuse(ex, rule, answer.wait_ns);
}
