/*
 * Link fields (RFC 8288): a list of links, and which of them a browser could follow before it has the page.
 *
 * No allocation; pieces refer to the text. Malformed members are passed over. Any thread.
 */
#ifndef QUINTET_HTTP_LINK_H
#define QUINTET_HTTP_LINK_H

#include <stdbool.h>

#include "base/str.h"

/* Takes the next link off the list, as it is written: "</a.css>; rel=preload; as=style". False: none is left. */
bool link_next(struct str *list, struct str *link);
/* Whether its relation is preload, modulepreload or preconnect, the ones that 103 Early Hints are for (RFC 8297). */
bool link_is_early(struct str link);

#endif
