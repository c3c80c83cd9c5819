/*
 * The file's own mapping: options, and where sites and routes begin (yaml_sites.c).
 */
#include "conf/yaml_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/hint.h"
#include "conf/mistake.h"
#include "conf/yaml_sites.h"

static int fail_unknown(struct yaml_reader *r, struct str name, yaml_mark_t mark)
{
    char label[YAML_LABEL_MAX], quoted[MISTAKE_QUOTE_MAX];

    (void)snprintf(label, sizeof(label), "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1,
                   mistake_quote(name, quoted));
    return hint_unknown(str_of(label), name, OPTION_SPELL_FILE, r->error);
}

/* The row a key names, or NULL with the error. */
static const struct option_row *read_key(struct yaml_reader *r, const yaml_event_t *event)
{
    struct str name = yaml_events_scalar(event);
    char spelled[OPTION_NAME_MAX];
    const struct option_row *row;
    int rc = 0;

    row = name.n == 0 || memchr(name.p, '-', name.n) ? NULL : option_find(name);
    if (!row || !option_is_public(row)) {
        (void)fail_unknown(r, name, event->start_mark);
        return NULL;
    }
    option_spell(row, OPTION_SPELL_FILE, spelled);
    yaml_events_label(r, spelled, event->start_mark);
    if (option_is(row, OPTION_NO_FILE))
        rc = mistake_say(r->error, "%s: cannot be set in the file itself", r->label);
    else if (r->seen[option_index(row)])
        rc = mistake_say(r->error, "%s: is given twice", r->label);
    r->seen[option_index(row)] = true;
    return rc == 0 ? row : NULL;
}

/* A key and its value. */
static int read_pair(struct yaml_reader *r, const yaml_event_t *key)
{
    const struct option_row *row;

    if (key->type != YAML_SCALAR_EVENT)
        return yaml_events_fail(r, key->start_mark, "expected the name of an option");
    if (yaml_sites_has(yaml_events_scalar(key)))
        return yaml_sites_read(r, yaml_events_scalar(key), key->start_mark);
    row = read_key(r, key);
    return row ? yaml_events_value(r, row, false) : -EINVAL;
}

static int read_mapping(struct yaml_reader *r)
{
    yaml_event_t event;
    int rc = 0;

    while (rc == 0 && (rc = yaml_events_part(r, &event)) > 0) {
        rc = read_pair(r, &event);
        yaml_event_delete(&event);
    }
    return rc;
}

/* One event that must be of `type`; `what` says so otherwise. */
static int expect(struct yaml_reader *r, yaml_event_type_t type, const char *what)
{
    yaml_event_t event;
    int rc = yaml_events_next(r, &event);

    if (rc < 0)
        return rc;
    if (event.type != type)
        rc = yaml_events_fail(r, event.start_mark, what);
    yaml_event_delete(&event);
    return rc;
}

/* A file of comments alone has no document, "---" alone an empty one. */
static int read_root(struct yaml_reader *r)
{
    yaml_event_t event;
    int rc = yaml_events_node(r, &event);

    if (rc < 0)
        return rc;
    if (event.type == YAML_MAPPING_START_EVENT)
        rc = read_mapping(r);
    else if (!(event.type == YAML_SCALAR_EVENT && yaml_events_is_nothing(&event)))
        rc = yaml_events_fail(r, event.start_mark, "expected a mapping of options to values, such as \"workers: 4\"");
    yaml_event_delete(&event);
    return rc;
}

static int read_stream(struct yaml_reader *r)
{
    yaml_event_t event;
    bool empty;
    int rc;

    if ((rc = expect(r, YAML_STREAM_START_EVENT, "expected a file")) < 0 || (rc = yaml_events_next(r, &event)) < 0)
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
    struct yaml_reader r = { .b = b, .path = path, .text = text, .error = error };
    int rc;

    must(option_count <= OPTION_MAX);
    must(yaml_parser_initialize(&r.parser)); /* fails for want of memory alone */
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    rc = read_stream(&r);
    yaml_parser_delete(&r.parser);
    return rc;
}
