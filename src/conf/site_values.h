/*
 * What the values of sites and routes may look like (the types of conf/options.h that only route_table has). Pure functions of one text.
 */
#ifndef QUINTET_CONF_SITE_VALUES_H
#define QUINTET_CONF_SITE_VALUES_H

#include <stdbool.h>

#include "base/str.h"

#define SITE_HOST_MAX 253 /* RFC 1035 2.3.4, without the trailing dot */

bool site_is_host(struct str s);       /* "example.com", "*.example.com", "*", "[::1]" */
bool site_is_route_path(struct str s); /* "/docs/": what a request's path is once decoded and normalised */
bool site_is_header(struct str s);     /* "Name: value", "Name:"; none that frames the message */
bool site_is_redirect(struct str s);   /* "/new/", "https://example.com{path}" */
/* The parts of a header's text; value.n 0: remove. */
struct str site_header_name(struct str header);
struct str site_header_value(struct str header);

#endif
