/*
 * What is worth compressing: media types for the edge, file names for `quintet compress`. A test of the edge holds the two tables to one another.
 *
 * Text and what is written as text; fonts, icons and bitmaps that are not compressed in themselves. Images, video, archives and woff are.
 */
#ifndef QUINTET_PACK_TYPES_H
#define QUINTET_PACK_TYPES_H

#include <stdbool.h>

#include "base/str.h"

#define PACK_LEAST 1024u /* bytes: less is one packet whatever is done to it */

bool pack_type_fits(struct str type);     /* a Content-Type, with or without parameters, any case */
bool pack_name_fits(struct str filename); /* by its last extension, any case */

#endif
