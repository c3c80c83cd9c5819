/* Events, places and values. */
#include "conf/yaml_events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/mistake.h"
#include "conf/route_options.h"
#include "conf/site_values.h"

int yaml_events_fail(struct yaml_reader *r, yaml_mark_t mark, const char *what)
{
    return mistake_say(r->error, "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1, what);
}

/* The decoder knows a byte offset only. */
static yaml_mark_t mark_of_offset(const struct yaml_reader *r, size_t offset)
{
    yaml_mark_t mark = { .index = offset };

    for (size_t i = 0; i < offset && i < r->text.n; i++) {
        mark.column = r->text.p[i] == '\n' ? 0 : mark.column + 1;
        mark.line += r->text.p[i] == '\n';
    }
    return mark;
}

/* Values of ours that YAML takes for something else: what libyaml says of them helps nobody. */
static const char *advice_for(const char *problem, const char *context)
{
    if (strstr(problem, "block sequence entries"))
        return "; a lone - needs quotes: \"-\"";
    if (strstr(problem, "cannot start any token"))
        return "; indent with spaces, not tabs, and quote a value that begins with @, ` or %";
    if (strstr(problem, "mapping values"))
        return "; the line is indented too far, or a value with \": \" in it needs quotes";
    return strstr(context, "alias") ? "; a value with * needs quotes: \"*\"" : "";
}

static int fail_parser(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "unreadable", *context = p->context ? p->context : "";
    char what[256];

    (void)snprintf(what, sizeof(what), "not valid YAML: %s%s%s%s", problem, *context ? " " : "", context,
                   advice_for(problem, context));
    return yaml_events_fail(r, p->error == YAML_READER_ERROR ? mark_of_offset(r, p->problem_offset) : p->problem_mark,
                            what);
}

int yaml_events_next(struct yaml_reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? 0 : fail_parser(r);
}

const char *yaml_events_kind(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SEQUENCE_START_EVENT:
        return "a list";
    case YAML_MAPPING_START_EVENT:
        return "a mapping";
    default:
        return "nothing";
    }
}

/* Anchors, aliases, tags. */
static int refuse(struct yaml_reader *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return yaml_events_fail(r, event->start_mark, "aliases are not allowed here");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        break;
    }
    return anchor || tag ? yaml_events_fail(r, event->start_mark, "anchors and tags are not allowed here") : 0;
}

int yaml_events_node(struct yaml_reader *r, yaml_event_t *event)
{
    int rc = yaml_events_next(r, event);

    if (rc < 0)
        return rc;
    rc = refuse(r, event);
    if (rc < 0)
        yaml_event_delete(event);
    return rc;
}

int yaml_events_part(struct yaml_reader *r, yaml_event_t *event)
{
    int rc = yaml_events_node(r, event);

    if (rc < 0)
        return rc;
    if (event->type != YAML_SEQUENCE_END_EVENT && event->type != YAML_MAPPING_END_EVENT)
        return 1;
    yaml_event_delete(event);
    return 0;
}

struct str yaml_events_scalar(const yaml_event_t *event)
{
    return str_make((const char *)event->data.scalar.value, event->data.scalar.length);
}

/* "timeout:" with nothing behind it, or YAML's words for nothing. */
bool yaml_events_is_nothing(const yaml_event_t *event)
{
    struct str text = yaml_events_scalar(event);

    return text.n == 0 || (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                           (str_eq(text, STR("~")) || str_eq_nocase(text, STR("null"))));
}

void yaml_events_label(struct yaml_reader *r, const char *name, yaml_mark_t mark)
{
    (void)snprintf(r->label, sizeof(r->label), "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1, name);
    (void)snprintf(r->place, sizeof(r->place), "%s:%zu", r->path, mark.line + 1);
}

/* ---- values ---- */

/* One option whose value is being read. */
struct value {
    const struct option_row *row;
    bool route; /* goes into r->into */
};

static void set_label(struct yaml_reader *r, const struct value *v, yaml_mark_t mark)
{
    char name[OPTION_NAME_MAX];

    option_spell(v->row, OPTION_SPELL_FILE, name);
    yaml_events_label(r, name, mark);
}

static int fail_found(struct yaml_reader *r, const struct value *v, const yaml_event_t *event)
{
    return mistake_found(v->row, str_of(r->label), -EINVAL, yaml_events_kind(event), r->error);
}

/* Items without the blanks around them, empty ones left out. Nothing but commas is a mistake, and `allow: ","` must not let everybody in: who wants an
 * empty list writes []. */
static int assign_route(struct yaml_reader *r, const struct option_row *row, struct str text)
{
    char quoted[MISTAKE_QUOTE_MAX];
    struct str rest = text;
    bool none = true;
    int rc = 0;

    if (!option_is(row, OPTION_COMMAS))
        return route_option_assign(row, r->into, str_of(r->label), text, r->error);
    while (rest.p && rc == 0) {
        struct str item = str_trim(str_split(&rest, ','));

        if (item.n == 0)
            continue;
        rc = route_option_assign(row, r->into, str_of(r->label), item, r->error);
        none = false;
    }
    return none ? mistake_found(row, str_of(r->label), -EINVAL, mistake_quote(text, quoted), r->error) : rc;
}

static int assign(struct yaml_reader *r, const struct value *v, struct str text, bool fresh)
{
    struct builder_origin origin = { CONF_FILE, str_of(r->place), str_of(r->label), fresh };

    if (v->route)
        return assign_route(r, v->row, text);
    if (option_is(v->row, OPTION_COMMAS))
        return builder_assign_commas(r->b, v->row, origin, text, r->error);
    return builder_assign(r->b, v->row, &origin, text, r->error);
}

static int read_scalar(struct yaml_reader *r, const struct value *v, const yaml_event_t *event, bool fresh)
{
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;

    if (yaml_events_is_nothing(event) && !(v->row->type == OPTION_CONTENT && quoted))
        return fail_found(r, v, event);
    return assign(r, v, yaml_events_scalar(event), fresh);
}

static int empty_list(struct yaml_reader *r, const struct value *v)
{
    struct builder_origin origin = { CONF_FILE, str_of(r->place), str_of(r->label), true };

    if (v->route)
        return route_option_assign(v->row, r->into, str_of(r->label), STR(""), r->error);
    return builder_assign(r->b, v->row, &origin, STR(""), r->error);
}

static int read_list(struct yaml_reader *r, const struct value *v)
{
    bool fresh = true;
    yaml_event_t event;
    int rc = 0;

    while (rc == 0 && (rc = yaml_events_part(r, &event)) > 0) {
        set_label(r, v, event.start_mark);
        rc = event.type == YAML_SCALAR_EVENT ? read_scalar(r, v, &event, fresh) : fail_found(r, v, &event);
        yaml_event_delete(&event);
        fresh = false;
    }
    return rc == 0 && fresh ? empty_list(r, v) : rc;
}

static bool has_header(const struct conf_list *list, struct str name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq_nocase(site_header_name(str_of(list->items[i])), name))
            return true;
    return false;
}

/* The value of one header: "" removes. */
static int read_header(struct yaml_reader *r, const struct value *v, struct str name)
{
    yaml_event_t event;
    struct buf text;
    int rc = yaml_events_node(r, &event);

    if (rc < 0)
        return rc;
    buf_init(&text, CONF_HEADER_MAX);
    if (event.type != YAML_SCALAR_EVENT)
        rc = fail_found(r, v, &event);
    else if (has_header(&r->into->headers, name))
        rc = mistake_say(r->error, "%s: " STR_FMT " is given twice", r->label, STR_ARG(name));
    else if (buf_printf(&text, STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(yaml_events_scalar(&event))) < 0)
        rc = mistake_say(r->error, "%s: longer than %d bytes", r->label, CONF_HEADER_MAX);
    else
        rc = assign(r, v, str_trim(buf_str(&text)), false);
    buf_fini(&text);
    yaml_event_delete(&event);
    return rc;
}

static int read_headers(struct yaml_reader *r, const struct value *v)
{
    yaml_event_t event;
    int rc = empty_list(r, v); /* said, even if there is none */

    while (rc == 0 && (rc = yaml_events_part(r, &event)) > 0) {
        set_label(r, v, event.start_mark);
        rc = event.type == YAML_SCALAR_EVENT ? read_header(r, v, yaml_events_scalar(&event)) : fail_found(r, v, &event);
        yaml_event_delete(&event);
    }
    return rc;
}

int yaml_events_value(struct yaml_reader *r, const struct option_row *row, bool route)
{
    struct value v = { row, route };
    yaml_event_t event;
    int rc = yaml_events_node(r, &event);

    if (rc < 0)
        return rc;
    set_label(r, &v, event.start_mark);
    if (event.type == YAML_MAPPING_START_EVENT && row->type == OPTION_HEADER)
        rc = read_headers(r, &v);
    else if (event.type == YAML_SCALAR_EVENT && row->type != OPTION_HEADER)
        rc = read_scalar(r, &v, &event, true);
    else if (event.type == YAML_SEQUENCE_START_EVENT && option_is(row, OPTION_LIST) && row->type != OPTION_HEADER)
        rc = read_list(r, &v);
    else
        rc = fail_found(r, &v, &event);
    yaml_event_delete(&event);
    return rc;
}
