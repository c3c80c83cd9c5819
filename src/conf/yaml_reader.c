/*
 * Walks libyaml's events. Each step expects very few kinds of event, so depth needs no counting: what is nested deeper than a list
 * of scalars is refused where it begins.
 */
#include "conf/yaml_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "conf/builder.h"
#include "conf/hint.h"

#define LABEL_MAX 512

struct reader {
    yaml_parser_t parser;
    struct conf_builder *b;
    const char *path;
    struct str text;
    char *error;
    bool seen[OPTION_MAX];
    char label[LABEL_MAX]; /* "quintet.yaml:7:12: graceful_timeout" */
    char place[LABEL_MAX]; /* "quintet.yaml:7" */
};

static int fail_at(struct reader *r, yaml_mark_t mark, const char *what)
{
    return builder_fail(r->error, "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1, what);
}

/* The decoder knows a byte offset only. */
static yaml_mark_t mark_of_offset(const struct reader *r, size_t offset)
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
    return strstr(context, "alias") ? "; a value with * needs quotes: \"*\"" : "";
}

static int fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "unreadable", *context = p->context ? p->context : "";
    char what[256];

    (void)snprintf(what, sizeof(what), "not valid YAML: %s%s%s%s", problem, *context ? " " : "", context,
                   advice_for(problem, context));
    return fail_at(r, p->error == YAML_READER_ERROR ? mark_of_offset(r, p->problem_offset) : p->problem_mark, what);
}

/* The next event, to be deleted by the caller when 0 is returned. */
static int next(struct reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? 0 : fail_parser(r);
}

static const char *kind_of(const yaml_event_t *event)
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

static int refuse_features(struct reader *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return fail_at(r, event->start_mark, "aliases are not allowed here");
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
    return anchor || tag ? fail_at(r, event->start_mark, "anchors and tags are not allowed here") : 0;
}

static struct str scalar(const yaml_event_t *event)
{
    return str_make((const char *)event->data.scalar.value, event->data.scalar.length);
}

/* "timeout:" with nothing behind it, or YAML's words for nothing. */
static bool is_nothing(const yaml_event_t *event)
{
    struct str text = scalar(event);

    return text.n == 0 || (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                           (str_eq(text, STR("~")) || str_eq_nocase(text, STR("null"))));
}

static void set_label(struct reader *r, const struct option_row *row, yaml_mark_t mark)
{
    char name[OPTION_NAME_MAX];

    option_spell(row, OPTION_SPELL_FILE, name);
    (void)snprintf(r->label, sizeof(r->label), "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1, name);
    (void)snprintf(r->place, sizeof(r->place), "%s:%zu", r->path, mark.line + 1);
}

static int fail_found(struct reader *r, const struct option_row *row, const yaml_event_t *event)
{
    return builder_fail_found(row, str_of(r->label), -EINVAL, kind_of(event), r->error);
}

static int read_scalar(struct reader *r, const struct option_row *row, const yaml_event_t *event, bool fresh)
{
    struct builder_origin origin = { CONF_FILE, str_of(r->place), str_of(r->label), fresh };

    if (is_nothing(event))
        return fail_found(r, row, event);
    if (option_is(row, OPTION_COMMAS))
        return builder_assign_commas(r->b, row, origin, scalar(event), r->error);
    return builder_assign(r->b, row, &origin, scalar(event), r->error);
}

static int empty_list(struct reader *r, const struct option_row *row)
{
    struct builder_origin origin = { CONF_FILE, str_of(r->place), str_of(r->label), true };

    return builder_assign(r->b, row, &origin, STR(""), r->error);
}

static int read_list(struct reader *r, const struct option_row *row)
{
    bool fresh = true, end = false;
    int rc = 0;

    while (rc == 0 && !end) {
        yaml_event_t event;

        rc = next(r, &event);
        if (rc < 0)
            return rc;
        end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!end) {
            set_label(r, row, event.start_mark);
            rc = refuse_features(r, &event);
            if (rc == 0)
                rc = event.type == YAML_SCALAR_EVENT ? read_scalar(r, row, &event, fresh) : fail_found(r, row, &event);
            fresh = false;
        } else if (fresh) {
            rc = empty_list(r, row);
        }
        yaml_event_delete(&event);
    }
    return rc;
}

static int read_value(struct reader *r, const struct option_row *row)
{
    yaml_event_t event;
    int rc = next(r, &event);

    if (rc < 0)
        return rc;
    set_label(r, row, event.start_mark);
    rc = refuse_features(r, &event);
    if (rc == 0 && event.type == YAML_SCALAR_EVENT)
        rc = read_scalar(r, row, &event, true);
    else if (rc == 0 && event.type == YAML_SEQUENCE_START_EVENT && option_is(row, OPTION_LIST))
        rc = read_list(r, row);
    else if (rc == 0)
        rc = fail_found(r, row, &event);
    yaml_event_delete(&event);
    return rc;
}

static int fail_unknown(struct reader *r, struct str name, yaml_mark_t mark)
{
    char label[LABEL_MAX], quoted[BUILDER_QUOTE_MAX];

    (void)snprintf(label, sizeof(label), "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1,
                   builder_quote(name, quoted));
    return hint_unknown(str_of(label), name, OPTION_SPELL_FILE, r->error);
}

/* The row a key names, or NULL with the error. */
static const struct option_row *read_key(struct reader *r, const yaml_event_t *event)
{
    const struct option_row *row;
    struct str name;
    int rc = refuse_features(r, event);

    if (rc == 0 && event->type != YAML_SCALAR_EVENT)
        rc = fail_at(r, event->start_mark, "expected the name of an option");
    if (rc < 0)
        return NULL;
    name = scalar(event);
    row = name.n == 0 || memchr(name.p, '-', name.n) ? NULL : option_find(name);
    if (!row || !option_is_public(row)) {
        (void)fail_unknown(r, name, event->start_mark);
        return NULL;
    }
    set_label(r, row, event->start_mark);
    if (option_is(row, OPTION_NO_FILE))
        rc = builder_fail(r->error, "%s: cannot be set in the file itself", r->label);
    else if (option_is(row, OPTION_LATER))
        rc = empty_list(r, row); /* says when */
    else if (r->seen[option_index(row)])
        rc = builder_fail(r->error, "%s: is given twice", r->label);
    r->seen[option_index(row)] = true;
    return rc == 0 ? row : NULL;
}

static int read_mapping(struct reader *r)
{
    for (;;) {
        const struct option_row *row;
        yaml_event_t event;
        int rc = next(r, &event);
        bool end;

        if (rc < 0)
            return rc;
        end = event.type == YAML_MAPPING_END_EVENT;
        row = end ? NULL : read_key(r, &event);
        yaml_event_delete(&event);
        if (end)
            return 0;
        rc = row ? read_value(r, row) : -EINVAL;
        if (rc < 0)
            return rc;
    }
}

/* One event that must be of `type`; `what` says so otherwise. */
static int expect(struct reader *r, yaml_event_type_t type, const char *what)
{
    yaml_event_t event;
    int rc = next(r, &event);

    if (rc < 0)
        return rc;
    if (event.type != type)
        rc = fail_at(r, event.start_mark, what);
    yaml_event_delete(&event);
    return rc;
}

/* A file of comments alone has no document, "---" alone an empty one. */
static int read_root(struct reader *r)
{
    yaml_event_t event;
    int rc = next(r, &event);

    if (rc < 0)
        return rc;
    rc = refuse_features(r, &event);
    if (rc == 0 && event.type == YAML_MAPPING_START_EVENT)
        rc = read_mapping(r);
    else if (rc == 0 && !(event.type == YAML_SCALAR_EVENT && is_nothing(&event)))
        rc = fail_at(r, event.start_mark, "expected a mapping of options to values, such as \"workers: 4\"");
    yaml_event_delete(&event);
    return rc;
}

static int read_stream(struct reader *r)
{
    yaml_event_t event;
    bool empty;
    int rc;

    if ((rc = expect(r, YAML_STREAM_START_EVENT, "expected a file")) < 0 || (rc = next(r, &event)) < 0)
        return rc;
    empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty)
        return 0;
    if ((rc = read_root(r)) < 0 || (rc = expect(r, YAML_DOCUMENT_END_EVENT, "expected the end of the document")) < 0)
        return rc;
    return expect(r, YAML_STREAM_END_EVENT, "expected one document only");
}

int yaml_reader_read(struct conf_builder *b, const char *path, struct str text, char error[CONF_ERROR_MAX])
{
    struct reader r = { .b = b, .path = path, .text = text, .error = error };
    int rc;

    must(option_count <= OPTION_MAX);
    must(yaml_parser_initialize(&r.parser)); /* fails for want of memory alone */
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    rc = read_stream(&r);
    yaml_parser_delete(&r.parser);
    return rc;
}
