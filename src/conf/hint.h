/*
 * What to say about an option name nobody here knows: the nearest of ours, or what another server's option is called here.
 */
#ifndef QUINTET_CONF_HINT_H
#define QUINTET_CONF_HINT_H

#include "base/must.h"
#include "base/str.h"
#include "conf/options.h"
#include "conf/route_options.h"

/* Always -EINVAL, with "LABEL: no such option; did you mean --workers?" in error. `name` as typed, without "--" or QUINTET_, any case; a single
 * letter stands for a short option. */
MUST_CHECK int hint_unknown(struct str label, struct str name, enum option_spelling how, char *error);
/* The row whose name is nearest to `name`, or NULL when none is near enough to be meant. */
const struct option_row *hint_nearest(struct str typed);
/* The same among what may be said at a level of sites and routes. */
const struct option_row *hint_nearest_route(struct str typed, enum conf_level level);

#endif
