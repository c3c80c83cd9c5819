/*
 * The second table of options: what may be said of a site and a route in quintet.yaml, and nowhere else (conf/sites.h).
 *
 * The rows are those of conf/options.h with fields in struct conf_route; flags say at which levels a key may stand. To add a setting: a field in
 * struct conf_route, a row in route_options.c, `ninja options-doc`; it is then read, checked, inherited, shown, documented and sent to the edge.
 */
#ifndef QUINTET_CONF_ROUTE_OPTIONS_H
#define QUINTET_CONF_ROUTE_OPTIONS_H

#include "conf/options.h"
#include "conf/sites.h"

extern const struct option_row route_table[];
extern const size_t route_option_count; /* at most 64: conf_route.set */

enum conf_level { CONF_LEVEL_TOP, CONF_LEVEL_SITE, CONF_LEVEL_ROUTE };

/* A name with underscores or dashes; NULL when there is none. */
const struct option_row *route_option_find(struct str name);
bool route_option_at(const struct option_row *row, enum conf_level level);
size_t route_option_index(const struct option_row *row);
bool route_option_is_set(const struct option_row *row, const struct conf_route *route);
/* Stores a value (a list: appends) and notes that it was said. 0 or -EINVAL with "LABEL: expected …, found …" in error. */
MUST_CHECK int route_option_assign(const struct option_row *row, struct conf_route *route, struct str label,
                                   struct str text, char *error);

#endif
