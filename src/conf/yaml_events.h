/*
 * Inside of the YAML reader: libyaml's events with places for errors, and the values of options.
 *
 * yaml_reader.c reads the file's own mapping, yaml_sites.c what is nested in it. Each step expects very few kinds of event, so depth needs
 * no counting: what is nested deeper is refused where it begins.
 */
#ifndef QUINTET_CONF_YAML_EVENTS_H
#define QUINTET_CONF_YAML_EVENTS_H

#include <yaml.h>

#include "conf/builder.h"
#include "conf/sites.h"

#define YAML_LABEL_MAX 512

struct yaml_reader {
    yaml_parser_t parser;
    struct conf_builder *b;
    const char *path;
    struct str text;
    char *error;
    struct conf_route *into; /* borrowed: rows of route_table go there */
    bool seen[OPTION_MAX];
    char label[YAML_LABEL_MAX]; /* "quintet.yaml:7:12: graceful_timeout" */
    char place[YAML_LABEL_MAX]; /* "quintet.yaml:7" */
};

/* All: 0 or -EINVAL with the error. */
/* The next event, to be deleted by the caller when 0 is returned. */
MUST_CHECK int yaml_events_next(struct yaml_reader *r, yaml_event_t *event);
/* The same where a value or a key may begin: anchors, aliases and tags are refused. */
MUST_CHECK int yaml_events_node(struct yaml_reader *r, yaml_event_t *event);
/* The same inside a list or a mapping that has begun: 1 with an event to be deleted by the caller, or 0 without one behind the last. */
MUST_CHECK int yaml_events_part(struct yaml_reader *r, yaml_event_t *event);
MUST_CHECK int yaml_events_fail(struct yaml_reader *r, yaml_mark_t mark, const char *what);
struct str yaml_events_scalar(const yaml_event_t *event);
/* "timeout:" with nothing behind it, or YAML's words for nothing. */
bool yaml_events_is_nothing(const yaml_event_t *event);
void yaml_events_label(struct yaml_reader *r, const char *name, yaml_mark_t mark);
const char *yaml_events_kind(const yaml_event_t *event); /* "a list" */
/* What follows the name of an option: a scalar, a list of them, for OPTION_HEADER a mapping of them. `route`: a row of route_table. */
MUST_CHECK int yaml_events_value(struct yaml_reader *r, const struct option_row *row, bool route);

#endif
