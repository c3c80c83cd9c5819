/*
 * The form in which a configuration travels to the edge: "name value\n" a line, list items a line each, what is not set left out.
 * Backslash and control bytes are \xNN. Rows that may hold secrets do not travel: the edge has no use for them and shall not know.
 *
 * The reader begins with nothing set and wants every number and boolean, so a line that got lost is noticed instead of
 * becoming a default.
 */
#include <errno.h>
#include <string.h>

#include "conf/builder.h"
#include "conf/conf.h"
#include "conf/value.h"

#define VALUE_MAX (64u << 10)

static bool travels(const struct option_row *row)
{
    return !option_is(row, OPTION_LATER) && !option_is(row, OPTION_SECRET);
}

static int add_escaped(struct buf *out, struct str text)
{
    int rc = 0;

    for (size_t i = 0; i < text.n && rc == 0; i++) {
        unsigned char c = (unsigned char)text.p[i];

        rc = c < ' ' || c == '\\' || c == 0x7f ? buf_printf(out, "\\x%02x", c) : buf_add_char(out, (char)c);
    }
    return rc;
}

static int write_line(const struct option_row *row, const struct conf *conf, size_t nth, struct buf *value,
                      struct buf *out)
{
    int rc;

    buf_clear(value);
    if ((rc = value_write(row, conf, nth, value)) < 0 || (rc = buf_printf(out, "%s ", row->name)) < 0 ||
        (rc = add_escaped(out, buf_str(value))) < 0)
        return rc;
    return buf_add_char(out, '\n');
}

int conf_write(const struct conf_builder *b, struct buf *out)
{
    struct buf value;
    int rc = 0;

    buf_init(&value, VALUE_MAX);
    for (size_t i = 0; i < option_count && rc == 0; i++)
        for (size_t k = 0; travels(&option_table[i]) && k < value_count(&option_table[i], &b->conf) && rc == 0; k++)
            rc = write_line(&option_table[i], &b->conf, k, &value, out);
    buf_fini(&value);
    return rc;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int unescape(struct str text, struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; i < text.n && rc == 0; i++) {
        int high, low;

        if (text.p[i] != '\\') {
            rc = (unsigned char)text.p[i] < ' ' ? -EPROTO : buf_add_char(out, text.p[i]);
            continue;
        }
        if (text.n - i < 4 || text.p[i + 1] != 'x' || (high = hex(text.p[i + 2])) < 0 || (low = hex(text.p[i + 3])) < 0)
            return -EPROTO;
        rc = buf_add_char(out, (char)(high << 4 | low));
        i += 3;
    }
    return rc;
}

static int read_line(struct conf_builder *b, struct str line, struct buf *value, bool *seen)
{
    struct str rest = line, name = str_split(&rest, ' ');
    const struct option_row *row = option_find(name);

    if (!row || !rest.p || !travels(row) || (seen[option_index(row)] && !option_is(row, OPTION_LIST)))
        return -EPROTO;
    seen[option_index(row)] = true;
    buf_clear(value);
    return unescape(rest, value) < 0 || value_parse(row, buf_str(value), &b->conf) < 0 ? -EPROTO : 0;
}

/* A value that is not understood any more counts as not set. */
static void read_old_line(struct conf_builder *b, struct str line, struct buf *value, bool *seen)
{
    struct str rest = line, name = str_split(&rest, ' ');
    const struct option_row *row = option_find(name);

    if (!row || !rest.p || !travels(row) || (seen[option_index(row)] && !option_is(row, OPTION_LIST)))
        return;
    buf_clear(value);
    if (unescape(rest, value) < 0)
        return;
    if (!seen[option_index(row)] && option_is(row, OPTION_LIST))
        value_clear(row, &b->conf); /* the default is not one item among others */
    seen[option_index(row)] = true;
    if (value_parse(row, buf_str(value), &b->conf) < 0 && row->fallback && !option_is(row, OPTION_LIST))
        must(value_parse(row, str_of(row->fallback), &b->conf) == 0);
}

struct conf_builder *conf_read_old(struct str text)
{
    struct conf_builder *b = conf_builder_new();
    bool seen[OPTION_MAX] = { false };
    struct buf value;

    buf_init(&value, VALUE_MAX);
    while (text.n)
        read_old_line(b, str_split(&text, '\n'), &value, seen);
    buf_fini(&value);
    return b;
}

static bool is_complete(const bool *seen)
{
    for (size_t i = 0; i < option_count; i++)
        if (travels(&option_table[i]) && option_table[i].type >= OPTION_CHOICE && !seen[i])
            return false;
    return true;
}

int conf_read(struct str text, struct conf_builder **out)
{
    struct conf_builder *b = builder_new_empty();
    bool seen[OPTION_MAX] = { false };
    struct buf value;
    int rc = 0;

    buf_init(&value, VALUE_MAX);
    while (text.n && rc == 0)
        rc = read_line(b, str_split(&text, '\n'), &value, seen);
    buf_fini(&value);
    if (rc < 0 || !is_complete(seen)) {
        conf_builder_free(b);
        return -EPROTO;
    }
    *out = b;
    return 0;
}
