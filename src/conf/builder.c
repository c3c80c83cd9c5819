/*
 * Puts a configuration together from its sources; knows which outranks which.
 */
#include "conf/builder.h"

#include "base/mem.h"
#include "conf/hint.h"
#include "conf/mistake.h"
#include "conf/value.h"

struct conf_builder *builder_new_empty(void)
{
    struct conf_builder *b = mem_zalloc(sizeof(*b));

    b->values = mem_calloc(option_count, sizeof(*b->values));
    return b;
}

struct conf_builder *conf_builder_new(void)
{
    struct conf_builder *b = builder_new_empty();

    for (size_t i = 0; i < option_count; i++)
        if (option_table[i].fallback)
            must(value_parse(&option_table[i], str_of(option_table[i].fallback), &b->conf) == 0);
    return b;
}

void conf_builder_free(struct conf_builder *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < option_count; i++) {
        value_clear(&option_table[i], &b->conf);
        mem_free(b->values[i].place);
    }
    conf_sites_fini(&b->conf.sites);
    mem_free(b->values);
    mem_free(b);
}

const struct conf *conf_of(const struct conf_builder *b)
{
    return &b->conf;
}

enum conf_source conf_source_of(const struct conf_builder *b, struct str name)
{
    const struct option_row *row = option_find(name);

    must(row != NULL);
    return b->values[option_index(row)].source;
}

static void accept_value(struct conf_builder *b, const struct option_row *row, const struct builder_origin *origin,
                         struct conf *parsed)
{
    struct builder_value *value = &b->values[option_index(row)];
    bool append = value->source == origin->source && origin->source != CONF_DEFAULT && !origin->fresh;

    if (origin->source < value->source) {
        value_clear(row, parsed);
        return;
    }
    value_move(row, parsed, &b->conf, append);
    value->source = origin->source;
    if (append)
        return; /* a list is shown with the place of its first item */
    mem_free(value->place);
    value->place = origin->source == CONF_DEFAULT ? NULL : str_dup(origin->place);
}

int builder_assign(struct conf_builder *b, const struct option_row *row, const struct builder_origin *origin,
                   struct str text, char *error)
{
    struct builder_origin whole = *origin;
    char quoted[MISTAKE_QUOTE_MAX];
    struct conf parsed = { 0 };
    int rc;

    if (option_is(row, OPTION_LIST) && text.n == 0) {
        whole.fresh = true;
    } else {
        rc = value_parse(row, text, &parsed);
        if (rc < 0)
            return mistake_found(row, origin->label, rc, mistake_quote(text, quoted), error);
    }
    accept_value(b, row, &whole, &parsed);
    return 0;
}

int builder_assign_commas(struct conf_builder *b, const struct option_row *row, struct builder_origin origin,
                          struct str text, char *error)
{
    bool none = true;
    int rc = 0;

    while (text.p && rc == 0) {
        struct str item = str_trim(str_split(&text, ','));

        if (item.n == 0)
            continue;
        rc = builder_assign(b, row, &origin, item, error);
        origin.fresh = false;
        none = false;
    }
    return none ? builder_assign(b, row, &origin, STR(""), error) : rc;
}

int conf_set(struct conf_builder *b, enum conf_source source, struct str place, struct str name, struct str value,
             char error[CONF_ERROR_MAX])
{
    const struct option_row *row = option_find(name);
    struct buf label;
    int rc;

    buf_init(&label, CONF_ERROR_MAX);
    rc = buf_printf(&label, STR_FMT ": " STR_FMT, STR_ARG(place), STR_ARG(name));
    if (rc < 0)
        rc = mistake_say(error, STR_FMT ": the name of an option is too long", STR_ARG(place));
    else if (!row)
        rc = hint_unknown(buf_str(&label), name, OPTION_SPELL_FILE, error);
    else
        rc = builder_assign(b, row, &(struct builder_origin){ source, place, buf_str(&label), false }, value, error);
    buf_fini(&label);
    return rc;
}
