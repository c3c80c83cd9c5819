/* The words behind a command's name: see super/switches.h. */
#include "super/switches.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/options.h"

#define NEAR 2u /* letters by which a misspelt switch may differ */

/* Is argv[i] the value of the option before it? Of those that stand beside words each has one. */
static bool is_value(char *const *argv, int i)
{
    const char *before = argv[i - 1];

    return i > 1 && before[0] == '-' &&
           (before[1] == '-' ? before[2] != '\0' && strchr(before, '=') == NULL
                             : before[1] != '\0' && before[2] == '\0');
}

static bool take_word(const struct switches_known *known, char *const *argv, int i, struct command_switches *found)
{
    if (!known->words || argv[i][0] == '-' || is_value(argv, i) || found->n_words == COMMAND_WORDS_MAX)
        return false;
    found->words[found->n_words++] = argv[i];
    return true;
}

bool switches_take(const struct switches_known *known, int *argc, char **argv, struct command_switches *found)
{
    bool help = false, options = true;
    int n = 1;

    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            options = false;
        if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
            help = true;
        else if (options && known->json && strcmp(argv[i], "--json") == 0)
            found->json = true;
        else if (options && known->defaults && strcmp(argv[i], "--defaults") == 0)
            found->defaults = true;
        else if (options && known->max && strncmp(argv[i], "--max=", 6) == 0)
            found->max = argv[i] + 6;
        else if (options && known->max && strcmp(argv[i], "--max") == 0 && i + 1 < *argc)
            found->max = argv[++i];
        else if (options && known->edge && strcmp(argv[i], "--edge") == 0)
            found->edge = true;
        else if (!take_word(known, argv, i, found))
            argv[n++] = argv[i];
    }
    *argc = n;
    return help;
}

__attribute__((format(printf, 2, 3))) static int refuse(char error[SWITCHES_ERROR_MAX], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, SWITCHES_ERROR_MAX, format, args);
    va_end(args);
    return -EINVAL;
}

/* NULL: none of the command's switches is meant. */
static const char *nearest_switch(const struct switches_known *known, struct str word)
{
    const struct {
        const char *name;
        bool known;
    } all[] = { { "--json", known->json },
                { "--defaults", known->defaults },
                { "--edge", known->edge },
                { "--max", known->max },
                { "--help", true } };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].known && str_distance(word, str_of(all[i].name)) <= NEAR)
            return all[i].name;
    return NULL;
}

static const struct option_row *row_of(struct str word)
{
    if (str_starts(word, STR("--no-")))
        return option_find(str_cut(word, 5, word.n));
    if (str_starts(word, STR("--")))
        return option_find(str_cut(word, 2, word.n));
    return option_find_flag(word.p[1]);
}

static bool says_which_instance(const struct option_row *row)
{
    return strcmp(row->name, "chdir") == 0 || strcmp(row->name, "config") == 0 || strcmp(row->name, "control") == 0;
}

/* `word` is an option without its value. */
static int check_option(const char *name, const struct switches_known *known, struct str word,
                        char error[SWITCHES_ERROR_MAX])
{
    const struct option_row *row = row_of(word);
    const char *nearest = row == NULL ? nearest_switch(known, word) : NULL;

    if (known->max && str_eq(word, STR("--max")))
        return refuse(error, "--max: needs a value (TIME)");
    if (nearest != NULL)
        return refuse(error, STR_FMT ": no such option; did you mean %s?", STR_ARG(word), nearest);
    if (known->options || (row != NULL && says_which_instance(row)))
        return 0;
    if (row == NULL)
        return refuse(error, STR_FMT ": no such option; see `quintet %s --help`", STR_ARG(word), name);
    return refuse(error,
                  STR_FMT ": not for `quintet %s`: what runs keeps the options it was started with, and reads "
                          "quintet.yaml again at a reload",
                  STR_ARG(word), name);
}

int switches_check(const char *name, const struct switches_known *known, int argc, char *const *argv,
                   char error[SWITCHES_ERROR_MAX])
{
    for (int i = 1; i < argc; i++) {
        struct str value = str_of(argv[i]), word = str_split(&value, '=');
        bool is_long = str_starts(word, STR("--")) && word.n > 2;
        bool is_short = !is_long && word.n > 1 && word.p[0] == '-' && word.p[1] != '-';
        int r;

        if (known->options && !is_long)
            continue;
        if (!is_long && !is_short)
            return refuse(error, "\"%.64s\": `quintet %s` takes options alone, see its --help", argv[i], name);
        if (is_short)
            value = str_cut(word, 2, word.n), word = str_cut(word, 0, 2);
        r = check_option(name, known, word, error);
        if (r < 0)
            return r;
        if (!known->options && (is_long ? value.p == NULL : value.n == 0))
            i++; /* its value; none: the options' reader says so */
    }
    return 0;
}
