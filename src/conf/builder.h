/*
 * Inside of conf: a configuration being put together, with the source of each value. Who only reads a configuration wants conf.h.
 *
 * Readers (args, env, yaml, django, conf_set) find the row and call builder_assign; it alone decides what outranks what.
 */
#ifndef QUINTET_CONF_BUILDER_H
#define QUINTET_CONF_BUILDER_H

#include "conf/conf.h"
#include "conf/options.h"

/* Where a value comes from, while it is assigned. */
struct builder_origin {
    enum conf_source source;
    struct str place; /* for `quintet config`: "command line", "quintet.yaml:3" */
    struct str label; /* for errors: "--workers", "quintet.yaml:3:7: workers" */
    bool fresh;       /* the first item of a list: replaces what the same source has said before */
};

struct builder_value {
    enum conf_source source;
    char *place; /* owned; NULL for defaults */
};

struct conf_builder {
    struct conf conf;
    struct builder_value *values; /* owned; one a row of the table */
};

/* Nothing set at all, not even defaults. */
struct conf_builder *builder_new_empty(void);
/* Checks `text` even when a higher source has spoken already: a wrong value is wrong. An empty text empties a list. 0 or -EINVAL with the error. */
MUST_CHECK int builder_assign(struct conf_builder *b, const struct option_row *row, const struct builder_origin *origin,
                              struct str text, char *error);
/* The same for "a,b,c": items without the blanks around them, empty ones left out. */
MUST_CHECK int builder_assign_commas(struct conf_builder *b, const struct option_row *row, struct builder_origin origin,
                                     struct str text, char *error);

#endif
