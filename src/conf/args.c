/*
 * The command line, as GNU programs read theirs: --name value, --name=value, -w 4, -w4, "--" ends the options. Booleans are --name and
 * --no-name. What is no option is the application.
 */
#include <errno.h>
#include <string.h>

#include "conf/builder.h"
#include "conf/conf.h"
#include "conf/hint.h"
#include "conf/mistake.h"

#define PLACE STR_INIT("command line")

struct args {
    struct conf_builder *b;
    int argc;
    char *const *argv;
    int next;    /* index of the argument to look at */
    char *error; /* CONF_ERROR_MAX bytes */
    bool *seen;  /* one a row: a list's first use replaces what an earlier call read */
};

static int assign(struct args *a, const struct option_row *row, struct str label, struct str value)
{
    struct builder_origin origin = { CONF_COMMAND_LINE, PLACE, label, !a->seen[option_index(row)] };

    a->seen[option_index(row)] = true;
    if (option_is(row, OPTION_COMMAS))
        return builder_assign_commas(a->b, row, origin, value, a->error);
    return builder_assign(a->b, row, &origin, value, a->error);
}

/* The value is what follows, whatever it looks like: "--access-log -" is meant. */
static int assign_next(struct args *a, const struct option_row *row, struct str label)
{
    if (a->next >= a->argc)
        return mistake_say(a->error, STR_FMT ": needs a value (%s)", STR_ARG(label), row->argument);
    return assign(a, row, label, str_of(a->argv[a->next++]));
}

static int read_bool(struct args *a, const struct option_row *row, struct str label, bool value)
{
    return assign(a, row, label, value ? STR("yes") : STR("no"));
}

static int read_long(struct args *a, struct str text)
{
    struct str value = text, label = str_split(&value, '='), name = str_cut(label, 2, label.n);
    const struct option_row *row = memchr(name.p, '_', name.n) ? NULL : option_find(name);
    bool no = !row && str_starts(name, STR("no-"));

    if (no) {
        row = option_find(str_cut(name, 3, name.n));
        row = row && row->type == OPTION_BOOL ? row : NULL;
    }
    if (!row || !option_is_public(row))
        return hint_unknown(label, name, OPTION_SPELL_ARGUMENT, a->error);
    if (row->type == OPTION_BOOL && value.p)
        return mistake_say(a->error, STR_FMT ": takes no value; say --%s or --no-%s", STR_ARG(label), row->name,
                           row->name);
    if (row->type == OPTION_BOOL)
        return read_bool(a, row, label, !no);
    return value.p ? assign(a, row, label, value) : assign_next(a, row, label);
}

static int read_short(struct args *a, struct str text)
{
    const struct option_row *row = option_find_flag(text.p[1]);
    struct str label = str_cut(text, 0, 2);

    if (!row)
        return hint_unknown(label, str_cut(label, 1, 2), OPTION_SPELL_ARGUMENT, a->error);
    return text.n > 2 ? assign(a, row, label, str_cut(text, 2, text.n)) : assign_next(a, row, label);
}

static int read_app(struct args *a, struct str text)
{
    const struct option_row *row = option_find(STR("app"));
    char first[MISTAKE_QUOTE_MAX], quoted[MISTAKE_QUOTE_MAX];

    if (a->seen[option_index(row)])
        return mistake_say(a->error, "%s: one application only, and %s is given already", mistake_quote(text, quoted),
                           mistake_quote(str_of(a->b->conf.app), first));
    return assign(a, row, STR("application"), text);
}

static int read_all(struct args *a)
{
    bool options = true;
    int rc = 0;

    while (a->next < a->argc && rc == 0) {
        struct str text = str_of(a->argv[a->next++]);

        if (options && str_eq(text, STR("--")))
            options = false;
        else if (options && str_starts(text, STR("--")))
            rc = read_long(a, text);
        else if (options && text.n > 1 && text.p[0] == '-')
            rc = read_short(a, text);
        else
            rc = read_app(a, text);
    }
    return rc;
}

int conf_read_args(struct conf_builder *b, int argc, char *const *argv, char error[CONF_ERROR_MAX])
{
    bool seen[OPTION_MAX] = { false };
    struct args a = { .b = b, .argc = argc, .argv = argv, .next = 1, .error = error, .seen = seen };

    must(option_count <= OPTION_MAX);
    return read_all(&a);
}
