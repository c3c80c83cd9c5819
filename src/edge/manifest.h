/*
 * staticfiles.json: which static names carry a hash of their content and so never change.
 *
 * Written by Django's ManifestStaticFilesStorage: {"paths": {"css/site.css": "css/site.3f2a….css", …}, …}. The right-hand names are the immutable ones.
 */
#ifndef QUINTET_EDGE_MANIFEST_H
#define QUINTET_EDGE_MANIFEST_H

#include "base/hash.h"

#define MANIFEST_MAX (16u << 20) /* a larger file is not read: every name is then cached shortly */

/* Adds the hashed names of <dir>/staticfiles.json to `names` (any non-NULL value). A missing or malformed file adds nothing. */
void manifest_read(int dir, struct map *names);

#endif
