/*
 * The form in which a configuration travels to the edge: "name value\n" a line, list items a line each, what is not set left out.
 * Backslash and control bytes are \xNN. Rows that may hold secrets do not travel: the edge has no use for them and shall not know.
 *
 * Sites and routes follow: "site" and "route" begin one, "site.NAME VALUE" and "route.NAME VALUE" say what it is; "top.NAME VALUE" is for all.
 *
 * The reader begins with nothing set and wants every number and boolean, so a line that got lost is noticed instead of
 * becoming a default.
 */
#include <errno.h>
#include <string.h>

#include "conf/builder.h"
#include "conf/conf.h"
#include "conf/route_options.h"
#include "conf/value.h"

#define VALUE_MAX (64u << 10)

static bool travels(const struct option_row *row)
{
    return !option_is(row, OPTION_SECRET);
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

/* What is being written. */
struct writer {
    const char *prefix; /* of the names: "", "site." */
    const void *base;   /* of the fields */
    struct buf *value;  /* scratch */
    struct buf *out;
};

static int write_line(const struct writer *w, const struct option_row *row, size_t nth)
{
    int rc;

    buf_clear(w->value);
    if ((rc = value_write(row, w->base, nth, w->value)) < 0 ||
        (rc = buf_printf(w->out, "%s%s ", w->prefix, row->name)) < 0 ||
        (rc = add_escaped(w->out, buf_str(w->value))) < 0)
        return rc;
    return buf_add_char(w->out, '\n');
}

static int write_options(const struct writer *w)
{
    int rc = 0;

    for (size_t i = 0; i < option_count && rc == 0; i++)
        for (size_t k = 0; travels(&option_table[i]) && k < value_count(&option_table[i], w->base) && rc == 0; k++)
            rc = write_line(w, &option_table[i], k);
    return rc;
}

/* What was said of a site or route. An empty list is a line without value. */
static int write_level(struct writer *w, const char *prefix, const struct conf_route *route)
{
    int rc = 0;

    w->prefix = prefix;
    w->base = route;
    for (size_t i = 0; i < route_option_count && rc == 0; i++) {
        const struct option_row *row = &route_table[i];

        if (!route_option_is_set(row, route))
            continue;
        if (value_count(row, route) == 0)
            rc = buf_printf(w->out, "%s%s \n", prefix, row->name);
        for (size_t k = 0; k < value_count(row, route) && rc == 0; k++)
            rc = write_line(w, row, k);
    }
    return rc;
}

static int write_sites(struct writer *w, const struct conf_sites *sites)
{
    int rc = write_level(w, "top.", &sites->top);

    if (rc == 0 && sites->listed)
        rc = buf_add_str(w->out, STR("sites\n"));
    for (size_t i = 0; i < sites->n && rc == 0; i++) {
        const struct conf_site *site = &sites->sites[i];

        rc = buf_add_str(w->out, STR("site\n"));
        if (rc == 0)
            rc = write_level(w, "site.", &site->own);
        for (size_t k = 0; k < site->n_routes && rc == 0; k++) {
            rc = buf_add_str(w->out, STR("route\n"));
            if (rc == 0)
                rc = write_level(w, "route.", &site->routes[k]);
        }
    }
    return rc;
}

int conf_write(const struct conf_builder *b, struct buf *out)
{
    struct buf value;
    struct writer w = { .prefix = "", .base = &b->conf, .value = &value, .out = out };
    int rc;

    buf_init(&value, VALUE_MAX);
    rc = write_options(&w);
    if (rc == 0)
        rc = write_sites(&w, &b->conf.sites);
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

/* ---- reading ---- */

/* What is being read. */
struct source {
    struct conf_builder *b;
    struct buf value; /* scratch */
    bool seen[OPTION_MAX];
};

/* "site", "route", "sites": -ENOENT when it is none of them. */
static int read_word(struct conf_sites *sites, struct str line)
{
    if (str_eq(line, STR("sites")) && !sites->listed && sites->n == 0)
        sites->listed = true;
    else if (str_eq(line, STR("site")) && (sites->listed || sites->n == 0))
        return conf_sites_add(sites) ? 0 : -EPROTO;
    else if (str_eq(line, STR("route")) && sites->n > 0)
        return conf_site_add(&sites->sites[sites->n - 1]) ? 0 : -EPROTO;
    else
        return -ENOENT;
    return 0;
}

/* Which level a name is of, without the prefix that says so. False: of none, or of one that has not begun. */
static bool find_level(struct conf_sites *sites, struct str *name, enum conf_level *level, struct conf_route **out)
{
    struct conf_site *site = sites->n > 0 ? &sites->sites[sites->n - 1] : NULL;
    struct str prefix;

    if (str_find(*name, '.') < 0)
        return false;
    prefix = str_split(name, '.');
    *out = NULL;
    if (str_eq(prefix, STR("top")) && !site) {
        *level = CONF_LEVEL_TOP;
        *out = &sites->top;
    } else if (str_eq(prefix, STR("site")) && site && site->n_routes == 0) {
        *level = CONF_LEVEL_SITE;
        *out = &site->own;
    } else if (str_eq(prefix, STR("route")) && site && site->n_routes > 0) {
        *level = CONF_LEVEL_ROUTE;
        *out = &site->routes[site->n_routes - 1];
    }
    return *out != NULL;
}

/* "site.NAME VALUE". */
static int read_level_line(struct source *s, struct str name, struct str text)
{
    const struct option_row *row;
    struct conf_route *route;
    char error[CONF_ERROR_MAX];
    enum conf_level level;

    if (!find_level(&s->b->conf.sites, &name, &level, &route))
        return -EPROTO;
    row = route_option_find(name);
    if (!row || !route_option_at(row, level) || (route_option_is_set(row, route) && !option_is(row, OPTION_LIST)))
        return -EPROTO;
    buf_clear(&s->value);
    if (unescape(text, &s->value) < 0 || route_option_assign(row, route, STR(""), buf_str(&s->value), error) < 0)
        return -EPROTO;
    return 0;
}

/* Sites and routes: 0, -EPROTO, or -ENOENT for a line that is about neither. */
static int read_sites_line(struct source *s, struct str line)
{
    struct str rest = line, name = str_split(&rest, ' ');
    int rc = read_word(&s->b->conf.sites, line);

    if (rc == -ENOENT && str_find(name, '.') >= 0 && rest.p)
        return read_level_line(s, name, rest);
    return rc;
}

static int read_line(struct source *s, struct str line)
{
    struct str rest = line, name = str_split(&rest, ' ');
    const struct option_row *row = option_find(name);
    int rc = read_sites_line(s, line);

    if (rc != -ENOENT)
        return rc;
    if (!row || !rest.p || !travels(row) || (s->seen[option_index(row)] && !option_is(row, OPTION_LIST)))
        return -EPROTO;
    s->seen[option_index(row)] = true;
    buf_clear(&s->value);
    return unescape(rest, &s->value) < 0 || value_parse(row, buf_str(&s->value), &s->b->conf) < 0 ? -EPROTO : 0;
}

/* A value that is not understood any more counts as not set. */
static void read_old_line(struct source *s, struct str line)
{
    struct str rest = line, name = str_split(&rest, ' ');
    const struct option_row *row = option_find(name);

    if (read_sites_line(s, line) != -ENOENT)
        return;
    if (!row || !rest.p || !travels(row) || (s->seen[option_index(row)] && !option_is(row, OPTION_LIST)))
        return;
    buf_clear(&s->value);
    if (unescape(rest, &s->value) < 0)
        return;
    if (!s->seen[option_index(row)] && option_is(row, OPTION_LIST))
        value_clear(row, &s->b->conf); /* the default is not one item among others */
    s->seen[option_index(row)] = true;
    if (value_parse(row, buf_str(&s->value), &s->b->conf) < 0 && row->fallback && !option_is(row, OPTION_LIST))
        must(value_parse(row, str_of(row->fallback), &s->b->conf) == 0);
}

struct conf_builder *conf_read_old(struct str text)
{
    struct source s = { .b = conf_builder_new() };

    buf_init(&s.value, VALUE_MAX);
    while (text.n)
        read_old_line(&s, str_split(&text, '\n'));
    buf_fini(&s.value);
    return s.b;
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
    struct source s = { .b = builder_new_empty() };
    int rc = 0;

    buf_init(&s.value, VALUE_MAX);
    while (text.n && rc == 0)
        rc = read_line(&s, str_split(&text, '\n'));
    buf_fini(&s.value);
    if (rc < 0 || !is_complete(s.seen)) {
        conf_builder_free(s.b);
        return -EPROTO;
    }
    *out = s.b;
    return 0;
}
