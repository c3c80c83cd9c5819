/*
 * The environment: QUINTET_<OPTION>, and the few names of other servers and of platforms that mean the same. Lists are separated by
 * commas. An empty value is not set: that is how compose files and unit files leave one out.
 */
#include <stdio.h>
#include <string.h>

#include "conf/builder.h"
#include "conf/conf.h"
#include "conf/hint.h"
#include "conf/mistake.h"

#define PREFIX STR("QUINTET_")

/* Names with our prefix that are no options: where tests and packagers say which build to use. */
static const char *const not_options[] = { "QUINTET_BINARY", "QUINTET_PACKAGE_DIR" };

static int assign(struct conf_builder *b, const struct option_row *row, struct str name, struct str value, char *error)
{
    char place[OPTION_NAME_MAX * 2];
    struct builder_origin origin = { .source = CONF_ENVIRONMENT, .fresh = true };
    int n = snprintf(place, sizeof(place), "environment " STR_FMT, STR_ARG(name));

    must(n > 0 && (size_t)n < sizeof(place));
    origin.place = origin.label = str_make(place, (size_t)n);
    if (option_is(row, OPTION_LIST))
        return builder_assign_commas(b, row, origin, value, error);
    return builder_assign(b, row, &origin, value, error);
}

/* Platforms say with PORT alone that the site shall be reached from outside. */
static int read_port(struct conf_builder *b, struct str value, char *error)
{
    char address[32], quoted[MISTAKE_QUOTE_MAX];
    uint64_t port;

    if (str_to_u64(value, 65535, &port) < 0)
        return mistake_say(error, "environment PORT: expected a number from 0 to 65535, found %s",
                           mistake_quote(value, quoted));
    (void)snprintf(address, sizeof(address), "0.0.0.0:%u", (unsigned)port);
    return assign(b, option_find(STR("bind")), STR("PORT"), str_of(address), error);
}

static int read_foreign(struct conf_builder *b, struct str name, struct str value, char *error)
{
    if (str_eq(name, STR("PORT")))
        return read_port(b, value, error);
    for (size_t i = 0; i < option_count; i++)
        if (option_table[i].foreign && str_eq(name, str_of(option_table[i].foreign)))
            return assign(b, &option_table[i], name, value, error);
    return 0;
}

static bool is_ours(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(not_options); i++)
        if (str_eq(name, str_of(not_options[i])))
            return false;
    return str_starts(name, PREFIX);
}

static int read_ours(struct conf_builder *b, struct str name, struct str value, char *error)
{
    for (size_t i = 0; i < option_count; i++) {
        char spelled[OPTION_NAME_MAX];

        option_spell(&option_table[i], OPTION_SPELL_ENVIRONMENT, spelled);
        if (option_is_public(&option_table[i]) && str_eq(name, str_of(spelled)))
            return value.n ? assign(b, &option_table[i], name, value, error) : 0;
    }
    return hint_unknown(name, str_cut(name, PREFIX.n, name.n), OPTION_SPELL_ENVIRONMENT, error);
}

int conf_read_env(struct conf_builder *b, char *const *envp, char error[CONF_ERROR_MAX])
{
    int rc = 0;

    /* twice: our own names win over the foreign ones, whatever their order */
    for (int ours = 0; ours < 2; ours++)
        for (size_t i = 0; envp[i] && rc == 0; i++) {
            struct str value = str_of(envp[i]), name = str_split(&value, '=');

            if (ours && is_ours(name))
                rc = read_ours(b, name, value, error);
            else if (!ours && value.n)
                rc = read_foreign(b, name, value, error);
        }
    return rc;
}
