/*
 * --help, the example file and the manual page: three layouts of the same rows.
 */
#include "conf/help.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/options.h"
#include "conf/route_options.h"

#define LINE_WIDTH 80
#define TEXT_COLUMN 29 /* where descriptions begin */
#define TEXT_MAX 512

/* Words of `text` from the current column on; further lines begin with `indent`. */
static int add_wrapped(struct buf *out, const char *text, const char *indent, size_t column)
{
    struct str rest = str_of(text);
    bool first = true;
    int rc = 0;

    while (rest.p && rc == 0) {
        struct str word = str_split(&rest, ' ');
        bool fits = first || column + 1 + word.n <= LINE_WIDTH;

        if (!first)
            rc = fits ? buf_add_char(out, ' ') : buf_printf(out, "\n%s", indent);
        if (rc == 0)
            rc = buf_add_str(out, word);
        column = first ? column + word.n : fits ? column + 1 + word.n : strlen(indent) + word.n;
        first = false;
    }
    return rc ? rc : buf_add_char(out, '\n');
}

static void write_usage(const struct option_row *row, char out[TEXT_MAX])
{
    char flag[8] = "    ";

    if (row->flag)
        (void)snprintf(flag, sizeof(flag), "-%c, ", row->flag);
    if (option_is(row, OPTION_POSITIONAL))
        (void)snprintf(out, TEXT_MAX, "  %s", row->argument);
    else
        (void)snprintf(out, TEXT_MAX, "  %s--%s%s%s", flag, row->name, row->argument ? " " : "",
                       row->argument ? row->argument : "");
}

static void write_text(const struct option_row *row, char out[TEXT_MAX])
{
    const char *fallback = row->fallback_help ? row->fallback_help : row->type == OPTION_BOOL ? NULL : row->fallback;

    (void)snprintf(out, TEXT_MAX, "%s%s%s%s%s", row->help, option_is(row, OPTION_LIST) ? " (repeatable)" : "",
                   fallback ? " [" : "", fallback ? fallback : "", fallback ? "]" : "");
}

static int help_row(const struct option_row *row, struct buf *out)
{
    char usage[TEXT_MAX], text[TEXT_MAX], indent[TEXT_COLUMN + 1];
    int rc;

    memset(indent, ' ', TEXT_COLUMN);
    indent[TEXT_COLUMN] = '\0';
    write_usage(row, usage);
    write_text(row, text);
    if (strlen(usage) + 2 > TEXT_COLUMN)
        rc = buf_printf(out, "%s\n%s", usage, indent);
    else
        rc = buf_printf(out, "%-*s", TEXT_COLUMN, usage);
    return rc ? rc : add_wrapped(out, text, indent, TEXT_COLUMN);
}

int conf_help(struct buf *out)
{
    int rc = 0;

    for (enum option_group group = 0; group < OPTION_GROUP_DJANGO && rc == 0; group++) {
        rc = buf_printf(out, "%s%s:\n", group ? "\n" : "", option_group_title(group));
        for (size_t i = 0; i < option_count && rc == 0; i++)
            if (option_table[i].group == group && option_is_public(&option_table[i]))
                rc = help_row(&option_table[i], out);
    }
    if (rc == 0)
        rc = buf_add_str(out, STR("\nTIME: 30s, 5m, 250ms; a bare number is seconds. SIZE: 512k, 10m, 2g.\n"
                                  "Each option also exists as QUINTET_<OPTION> in the environment and in\n"
                                  "quintet.yaml: --queue-size, QUINTET_QUEUE_SIZE, queue_size. The command line\n"
                                  "wins, then the environment, then the file, then the Django settings.\n"));
    return rc;
}

static int example_row(const struct option_row *row, struct buf *out)
{
    const char *value = row->fallback ? row->fallback : row->example;
    const char *quote = value[0] == '-' ? "\"" : ""; /* a bare dash begins a list in YAML */
    char name[OPTION_NAME_MAX], text[TEXT_MAX];
    int rc;

    option_spell(row, OPTION_SPELL_FILE, name);
    write_text(row, text);
    if ((rc = buf_add_str(out, STR("\n# "))) < 0 || (rc = add_wrapped(out, text, "# ", 2)) < 0)
        return rc;
    if (option_is(row, OPTION_LIST))
        return buf_printf(out, "#%s:\n#  - %s\n", name, value);
    return buf_printf(out, "#%s: %s%s%s\n", name, quote, value, quote);
}

/* `sites:` and `routes:` as they nest; its lines without the # make a file that is read. */
static const char sites_example[] =
    "\n# ---- Sites and routes ----\n"
    "\n# What hosts and paths get. A single site's keys and `routes:` may stand at the top.\n"
    "#sites:\n"
    "#  - hosts: [www.example.com]\n"
    "#    headers: {X-Frame-Options: DENY}\n"
    "#    routes:\n"
    "#      - path: /docs/\n"
    "#        root: docs/\n"
    "#      - path: /old/\n"
    "#        redirect: /new/\n"
    "#      - path: /robots.txt\n"
    "#        exact: yes\n"
    "#        respond: \"User-agent: *\"\n"
    "#  - hosts: [example.com]\n"
    "#    redirect: https://www.example.com\n";

int conf_show_defaults(struct buf *out)
{
    int rc =
        buf_add_str(out, STR("# quintet.yaml: every option with its default, or with an example where there is none.\n"
                             "# Take the # away before what you want to change.\n"));

    for (enum option_group group = 0; group < OPTION_GROUP_DJANGO && rc == 0; group++) {
        rc = buf_printf(out, "\n# ---- %s ----\n", option_group_title(group));
        for (size_t i = 0; i < option_count && rc == 0; i++)
            if (option_table[i].group == group && option_is_public(&option_table[i]) &&
                !option_is(&option_table[i], OPTION_NO_FILE))
                rc = example_row(&option_table[i], out);
    }
    return rc < 0 ? rc : buf_add_str(out, str_of(sites_example));
}

/* Table cells: a bar would end one, asterisks would come out as emphasis. */
static int add_cell(struct buf *out, const char *text)
{
    int rc = 0;

    for (; *text && rc == 0; text++)
        rc = buf_printf(out, "%s%c", *text == '|' || *text == '*' ? "\\" : "", *text);
    return rc;
}

static int markdown_row(const struct option_row *row, struct buf *out)
{
    const char *fallback = row->fallback_help ? row->fallback_help : row->fallback ? row->fallback : "";
    char usage[TEXT_MAX], text[TEXT_MAX];
    int rc;

    write_usage(row, usage);
    (void)snprintf(text, sizeof(text), "%s%s", row->help, option_is(row, OPTION_LIST) ? " (repeatable)" : "");
    rc = buf_printf(out, "| `%s` | ", usage + strspn(usage, " "));
    if (rc < 0 || (rc = add_cell(out, text)) < 0 || (rc = buf_add_str(out, STR(" | "))) < 0 ||
        (rc = add_cell(out, fallback)) < 0)
        return rc;
    return buf_printf(out, " | %s | %s |\n", option_is(row, OPTION_FIXED) ? "start" : "reload",
                      row->foreign ? row->foreign : "");
}

static int markdown_route_row(const struct option_row *row, struct buf *out)
{
    static const char *const where[] = { "route", "site", "top" };
    const char *fallback = row->fallback_help ? row->fallback_help : row->fallback ? row->fallback : "";
    char name[OPTION_NAME_MAX];
    bool first = true;
    int rc;

    option_spell(row, OPTION_SPELL_FILE, name);
    if ((rc = buf_printf(out, "| `%s` | ", name)) < 0 || (rc = add_cell(out, row->help)) < 0 ||
        (rc = buf_add_str(out, STR(" | "))) < 0 || (rc = add_cell(out, fallback)) < 0 ||
        (rc = buf_add_str(out, STR(" | "))) < 0)
        return rc;
    for (int level = CONF_LEVEL_ROUTE; level >= CONF_LEVEL_TOP && rc == 0; level--)
        if (route_option_at(row, (enum conf_level)level)) {
            rc = buf_printf(out, "%s%s", first ? "" : ", ", where[CONF_LEVEL_ROUTE - level]);
            first = false;
        }
    return rc < 0 ? rc : buf_add_str(out, STR(" |\n"));
}

static int markdown_routes(struct buf *out)
{
    int rc = buf_add_str(
        out, STR("\n# Sites and routes\n\n"
                 "Keys of `quintet.yaml` alone; [sites.md](sites.md) tells how they work together. A change counts at "
                 "the next `quintet reload`.\n"));

    for (enum option_group group = OPTION_GROUP_MATCH; group < OPTION_GROUPS && rc == 0; group++) {
        rc = buf_printf(out, "\n## %s\n\n| key | meaning | default | stands in |\n|---|---|---|---|\n",
                        option_group_title(group));
        for (size_t i = 0; i < route_option_count && rc == 0; i++)
            if (route_table[i].group == group)
                rc = markdown_route_row(&route_table[i], out);
    }
    return rc;
}

int help_markdown(struct buf *out)
{
    int rc = buf_add_str(
        out, STR("<!-- Made from src/conf/options.c by `ninja -C build options-doc`. Do not edit. -->\n# Options\n\n"
                 "Every option exists under one name in three places: `--queue-size` on the command line, "
                 "`QUINTET_QUEUE_SIZE` in the\n"
                 "environment and `queue_size:` in `quintet.yaml`. The command line wins over the environment, the "
                 "environment over the\n"
                 "file, the file over the project's Django settings, and those over the default. What is repeated on "
                 "the command line is a\n"
                 "list in the file and separated by commas in the environment. An empty variable counts as not set.\n\n"
                 "TIME is `30s`, `5m`, `250ms`, `1.5h`; a bare number is seconds. SIZE is `512k`, `10m`, `2g`; a bare "
                 "number is bytes.\n"
                 "The fourth column says when a change counts: at the next `quintet reload`, or at the next start.\n"));

    for (enum option_group group = 0; group < OPTION_GROUP_DJANGO && rc == 0; group++) {
        rc = buf_printf(
            out,
            "\n## %s\n\n| option | meaning | default | change | also in the environment |\n|---|---|---|---|---|\n",
            option_group_title(group));
        for (size_t i = 0; i < option_count && rc == 0; i++)
            if (option_table[i].group == group && option_is_public(&option_table[i]))
                rc = markdown_row(&option_table[i], out);
    }
    return rc < 0 ? rc : markdown_routes(out);
}
