/*
 * THE table of options: one row an option, and nothing about an option is known anywhere else.
 *
 * The command line, the environment, quintet.yaml, `quintet config`, --help, docs/user/options.md and the form in which a configuration
 * travels to the edge are all read off these rows. To add an option: a field in struct conf (conf.h), a row in options.c, and
 * `ninja options-doc`. Rows are constant; any thread.
 */
#ifndef QUINTET_CONF_OPTIONS_H
#define QUINTET_CONF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "conf/conf.h"

/* How a value is written, checked and stored; what each accepts is in value.c. */
enum option_type {
    OPTION_TEXT,    /* char *: any text */
    OPTION_PATH,    /* char *: a file, directory or program */
    OPTION_ADDRESS, /* char *: HOST:PORT, [V6]:PORT, :PORT, unix:PATH, fd://N */
    OPTION_NETWORK, /* char *: CIDR or address, kept as address/prefix; "*" is every address; or a name of conf/presets.h */
    OPTION_RATE_LIMIT,  /* char *: as in rate_limit.h, kept in its normal form */
    OPTION_MAP,         /* char *: /url/=directory */
    OPTION_PAIR,        /* char *: NAME=value */
    OPTION_APP,         /* char *: MODULE[:CALLABLE] */
    OPTION_OCTAL,       /* char *: file mode bits, 0 to 777 */
    OPTION_URL_PATH,    /* char *: begins with a slash */
    OPTION_FIELD,       /* char *: goes into a response field, so printable ASCII only */
    OPTION_HOST,        /* char *: a host name, "*.NAME" or "*"; kept in lower case */
    OPTION_ROUTE_PATH,  /* char *: begins with a slash; decoded and without ".", ".." and "//" */
    OPTION_HEADER,      /* char *: "Name: value" or "Name:"; a mapping in the file */
    OPTION_REDIRECT,    /* char *: path or http(s) URL with {host}, {path}, {query} */
    OPTION_CONTENT,     /* char *: any text, also none */
    OPTION_DIRECTORY,   /* char *: a directory that the edge is given */
    OPTION_SECRET_FILE, /* char *: a file whose content the edge is given, or "off" */
    OPTION_WORD,        /* char *: one of `choices` */
    OPTION_CHOICE,      /* enum: index into `choices` */
    OPTION_NUMBER,      /* uint64_t */
    OPTION_DURATION,    /* uint64_t nanoseconds */
    OPTION_SIZE,        /* uint64_t bytes */
    OPTION_BOOL,        /* bool */
    OPTION_TYPES
};

enum option_group {
    OPTION_GROUP_APP,
    OPTION_GROUP_LISTEN,
    OPTION_GROUP_WORKERS,
    OPTION_GROUP_LIMITS,
    OPTION_GROUP_FILES,
    OPTION_GROUP_LOGS,
    OPTION_GROUP_INSTANCE,
    OPTION_GROUP_DJANGO, /* not options of the user: facts from the settings */
    OPTION_GROUP_MATCH,  /* of sites and routes (route_options.h) */
    OPTION_GROUP_ANSWER,
    OPTION_GROUP_SETTINGS,
    OPTION_GROUPS
};

enum option_flag {
    OPTION_LIST = 1, /* struct conf_list of its type; may be repeated */
    OPTION_COMMAS =
        2, /* a list whose values never hold a comma: it separates them everywhere, not only in the environment */
    OPTION_FIXED = 4,       /* read at the start only: a reload cannot change it */
    OPTION_SECRET = 8,      /* may hold secrets: never shown, never sent to the edge */
    OPTION_NO_FILE = 16,    /* makes no sense inside quintet.yaml */
    OPTION_POSITIONAL = 32, /* on the command line simply an argument */
    OPTION_WORKERS = 128,   /* concerns the workers: takes effect when they are replaced */
    /* of sites and routes alone */
    OPTION_AT_TOP = 256,
    OPTION_AT_SITE = 512,
    OPTION_AT_ROUTE = 1024, /* where the key may stand */
    OPTION_OWN = 2048,      /* not inherited */
    OPTION_ANSWER = 4096,   /* says what answers: inherited with the others of its kind, or not at all */
};

struct option_row {
    const char *name; /* "graceful-timeout"; underscores in the file, QUINTET_ and capitals in the environment */
    char flag;        /* 'w' for -w; 0: none */
    enum option_type type;
    enum option_group group;
    unsigned flags;             /* enum option_flag */
    size_t offset;              /* of its field in struct conf; in route_table: in struct conf_route */
    uint64_t min, max;          /* numbers, ns or bytes, both included */
    const char *fallback;       /* the default, as a user would write it; NULL: not set */
    const char *example;        /* shown in the example file when there is no default */
    const char *argument;       /* "N", "ADDR" … in --help; NULL for booleans */
    const char *help;           /* one or two short clauses, no full stop */
    const char *fallback_help;  /* what to say instead of the bare default; NULL: say the default */
    const char *foreign;        /* an environment name of other servers that means the same */
    const char *const *choices; /* NULL-terminated; of a duration: the word that means CONF_AUTO */
};

extern const struct option_row option_table[];
extern const size_t option_count;
#define OPTION_MAX 96 /* at least option_count, for arrays with an element a row */

/* A name with dashes or underscores, without leading dashes. NULL when there is none. */
const struct option_row *option_find(struct str name);
const struct option_row *option_find_flag(char flag);
bool option_has_name(const struct option_row *row, struct str name); /* dashes and underscores are the same */
const char *option_group_title(enum option_group group);
size_t option_index(const struct option_row *row);

static inline bool option_is(const struct option_row *row, enum option_flag flag)
{
    return (row->flags & flag) != 0;
}
/* Can a user set it (or is it a fact from the Django settings)? */
static inline bool option_is_public(const struct option_row *row)
{
    return row->group != OPTION_GROUP_DJANGO;
}

#define OPTION_NAME_MAX 64 /* longest spelling, NUL included */
enum option_spelling { OPTION_SPELL_ARGUMENT, OPTION_SPELL_ENVIRONMENT, OPTION_SPELL_FILE };
/* "--log-level", "QUINTET_LOG_LEVEL", "log_level". */
void option_spell(const struct option_row *row, enum option_spelling how, char out[OPTION_NAME_MAX]);

#endif
