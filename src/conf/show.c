/*
 * `quintet config`: what is in force and who said so, as a table or as JSON. Values of environment variables are not shown.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "conf/builder.h"
#include "conf/conf.h"
#include "conf/show.h"
#include "conf/value.h"

#define VALUE_COLUMN 34 /* wider values push their source to the right */
#define NAME_COLUMN 29  /* limit_connections_per_address just fits */

/* The nth piece as shown: NAME=... for environment variables. */
static int write_piece(const struct option_row *row, const void *conf, size_t nth, struct buf *out)
{
    size_t start = out->len;
    int rc = value_write(row, conf, nth, out);
    ptrdiff_t equals;

    if (rc < 0 || row->type != OPTION_PAIR)
        return rc;
    equals = str_find(str_cut(buf_str(out), start, out->len), '=');
    out->len = start + (size_t)equals + 1;
    return buf_add_str(out, STR("***"));
}

int show_value(const struct option_row *row, const void *conf, struct buf *out)
{
    size_t n = value_count(row, conf);
    int rc = n ? 0 : buf_add_str(out, STR("(none)"));

    for (size_t i = 0; i < n && rc == 0; i++) {
        if (i > 0)
            rc = buf_add_str(out, STR(", "));
        if (rc == 0)
            rc = write_piece(row, conf, i, out);
    }
    return rc;
}

static const char *place_of(const struct conf_builder *b, const struct option_row *row)
{
    const char *place = b->values[option_index(row)].place;

    return place ? place : "default";
}

static int write_row(const struct conf_builder *b, const struct option_row *row, struct buf *value, struct buf *out)
{
    char name[OPTION_NAME_MAX];
    int rc;

    buf_clear(value);
    option_spell(row, OPTION_SPELL_FILE, name);
    rc = show_value(row, &b->conf, value);
    if (rc < 0)
        return rc;
    return buf_printf(out, "%-*s %-*.*s  %s\n", NAME_COLUMN, name, VALUE_COLUMN, (int)value->len, value->data,
                      place_of(b, row));
}

int conf_show_table(const struct conf_builder *b, struct buf *out)
{
    struct buf value;
    int rc;

    buf_init(&value, SHOW_VALUE_MAX);
    rc = buf_printf(out, "%-*s %-*s  %s\n", NAME_COLUMN, "OPTION", VALUE_COLUMN, "VALUE", "FROM");
    for (size_t i = 0; i < option_count && rc == 0; i++)
        rc = write_row(b, &option_table[i], &value, out);
    buf_fini(&value);
    return rc < 0 ? rc : show_sites_table(&b->conf.sites, out);
}

static json_t *json_piece(const struct option_row *row, const void *conf, size_t nth)
{
    struct buf text;
    json_t *piece;

    buf_init(&text, SHOW_VALUE_MAX);
    if (write_piece(row, conf, nth, &text) < 0)
        piece = NULL;
    else if (row->type == OPTION_BOOL)
        piece = json_boolean(str_eq(buf_str(&text), STR("yes")));
    else if (row->type == OPTION_NUMBER)
        piece = json_integer(strtoll(text.data, NULL, 10));
    else
        piece = json_stringn(text.data, text.len);
    buf_fini(&text);
    return piece ? piece : json_null(); /* not UTF-8, or too long */
}

json_t *show_json(const struct option_row *row, const void *conf)
{
    json_t *list;

    if (!option_is(row, OPTION_LIST))
        return value_is_set(row, conf) ? json_piece(row, conf, 0) : json_null();
    list = json_array();
    for (size_t i = 0; i < value_count(row, conf); i++)
        must(json_array_append_new(list, json_piece(row, conf, i)) == 0);
    return list;
}

int conf_show_json(const struct conf_builder *b, struct buf *out)
{
    json_t *all = json_object();
    char *text;
    int rc;

    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];
        char name[OPTION_NAME_MAX];

        option_spell(row, OPTION_SPELL_FILE, name);
        must(json_object_set_new(
                 all, name, json_pack("{s:o, s:s}", "value", show_json(row, &b->conf), "from", place_of(b, row))) == 0);
    }
    if (conf_sites_any(&b->conf.sites))
        must(json_object_set_new(all, "sites", show_sites_json(&b->conf.sites)) == 0);
    text = json_dumps(all, JSON_INDENT(2));
    must(text);
    rc = buf_printf(out, "%s\n", text);
    free(text);
    json_decref(all);
    return rc;
}

/* Names of the options with that flag that differ. */
static int list_changed(const struct conf_builder *running, const struct conf_builder *wanted, enum option_flag flag,
                        struct buf *out)
{
    struct buf before, after;
    size_t start = out->len;
    int rc = 0;

    buf_init(&before, SHOW_VALUE_MAX);
    buf_init(&after, SHOW_VALUE_MAX);
    for (size_t i = 0; i < option_count && rc == 0; i++) {
        const struct option_row *row = &option_table[i];
        char name[OPTION_NAME_MAX];

        if (!option_is(row, flag))
            continue;
        buf_clear(&before);
        buf_clear(&after);
        if ((rc = show_value(row, &running->conf, &before)) < 0 || (rc = show_value(row, &wanted->conf, &after)) < 0)
            break;
        option_spell(row, OPTION_SPELL_FILE, name);
        if (!str_eq(buf_str(&before), buf_str(&after)))
            rc = buf_printf(out, "%s%s", out->len > start ? ", " : "", name);
    }
    buf_fini(&before);
    buf_fini(&after);
    return rc;
}

int conf_restart_needed(const struct conf_builder *running, const struct conf_builder *wanted, struct buf *out)
{
    return list_changed(running, wanted, OPTION_FIXED, out);
}

int conf_workers_needed(const struct conf_builder *running, const struct conf_builder *wanted, struct buf *out)
{
    return list_changed(running, wanted, OPTION_WORKERS, out);
}
