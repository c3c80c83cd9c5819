/*
 * What the routes of a snapshot allow: networks, rates, and how many requests at a time.
 *
 * Compiled with the snapshot. What must outlive a reload is shared with the snapshot before, by identity: the tables of rates and the tallies. A
 * limit's identity is the level that says it (file, site or route) with what it counts by, not its figures: a limit that is inherited is one
 * limit for all who inherit it, and one whose rate is changed goes on with what its keys owe.
 * Constant once its snapshot serves, but for the tables and tallies, which any lane may use.
 */
#ifndef QUINTET_EDGE_BOUNDS_H
#define QUINTET_EDGE_BOUNDS_H

#include "conf/rate_limit.h"
#include "edge/networks.h"
#include "edge/site.h"
#include "edge/tally.h"
#include "edge/throttle.h"
#include "http/head.h"

struct exchange;

#define BOUNDS_RULES_MAX CONF_RATE_LIMITS_MAX

/* Keys that a client may invent have a table of their own, so that inventing makes the edge forget no address. */
enum bounds_table { BOUNDS_ADDRESSES, BOUNDS_INVENTED, BOUNDS_TABLES };

struct limit_rule {
    struct rate_limit said; /* its name: the conf's */
    struct throttle_rate rate;
    enum http_field_id header; /* with RATE_BY_HEADER */
    uint64_t id;
    struct tally *tally;            /* owned reference */
    char text[RATE_LIMIT_TEXT_MAX]; /* for people, and the policy's name: "10/s by address" */
};

struct route_bounds {
    struct networks allow, deny;
    bool allow_only; /* there is an allow list, so that all others are kept out */
    struct limit_rule *rules;
    uint32_t n_rules;
    struct str policy;    /* of RateLimit-Policy; owned */
    uint64_t concurrency; /* 0: no limit */
    struct tally *crowd;  /* owned reference; with concurrency */
};

struct bounds {
    struct route_bounds *routes; /* by route->nth; owned */
    uint32_t n;
    struct throttle *tables[BOUNDS_TABLES]; /* owned references; NULL: no rule */
};

/* For all routes of `sites`. 0 or -EINVAL. */
MUST_CHECK int bounds_new(const struct sites *sites, const struct conf *conf, struct bounds **out);
void bounds_free(struct bounds *bounds); /* NULL allowed */
/* Before `bounds` serves: what it has in common with those that have served until now. */
void bounds_inherit(struct bounds *bounds, const struct bounds *before);

const struct route_bounds *bounds_of(const struct exchange *ex);

#endif
