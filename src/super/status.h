/*
 * The state of the running instance as a JSON document: what `quintet status --json` prints.
 */
#ifndef QUINTET_SUPER_STATUS_H
#define QUINTET_SUPER_STATUS_H

#include <jansson.h>

struct super;

/* `edge`: what the edge says of itself, merged under "edge" below our own facts about its process; NULL: it did not answer. A new reference. */
json_t *status_document(const struct super *super, json_t *edge);

#endif
