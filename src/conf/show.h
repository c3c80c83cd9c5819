/*
 * Inside of `quintet config`: what show.c (options) and show_sites.c (sites and routes) share.
 */
#ifndef QUINTET_CONF_SHOW_H
#define QUINTET_CONF_SHOW_H

#include <jansson.h>

#include "conf/conf.h"
#include "conf/options.h"

#define SHOW_VALUE_MAX (64u << 10)

/* "a, b", "(none)". `base`: what the row's offset counts from. */
MUST_CHECK int show_value(const struct option_row *row, const void *base, struct buf *out);
json_t *show_json(const struct option_row *row, const void *conf); /* a new reference */
/* show_sites.c: nothing when nothing was said. */
MUST_CHECK int show_sites_table(const struct conf_sites *sites, struct buf *out);
json_t *show_sites_json(const struct conf_sites *sites);

#endif
