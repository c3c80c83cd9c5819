/*
 * The words behind a command's name: its own switches, and whether the others fit it. A word that would be ignored is refused: who types
 * `quintet stop worker-2` or `quintet reload --workers 8` means something that is not going to happen.
 */
#ifndef QUINTET_SUPER_SWITCHES_H
#define QUINTET_SUPER_SWITCHES_H

#include <stdbool.h>

#include "super/commands.h"

#define SWITCHES_ERROR_MAX 256

/* What a command understands. */
struct switches_known {
    bool json, defaults, edge, max; /* switches */
    bool words;                     /* directories; what is behind the last that fits is refused */
    bool options;                   /* every option and MODULE; otherwise --chdir, --config and --control alone */
};

/* Takes the command's own switches out of argv (which is shortened); true for --help. What `found` gets is borrowed from argv. */
bool switches_take(const struct switches_known *known, int *argc, char **argv, struct command_switches *found);

/* Whether what is left fits the command `name`. 0, or -EINVAL with the reason. Values are not looked at. */
MUST_CHECK int switches_check(const char *name, const struct switches_known *known, int argc, char *const *argv,
                              char error[SWITCHES_ERROR_MAX]);

#endif
