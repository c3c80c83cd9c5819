/*
 * The program's commands: `quintet run`, `check`, `reload`, `rollback`, `pause`, `resume`, `stop`, `status`, `top`, `config`, `compress`, `version`.
 */
#ifndef QUINTET_SUPER_COMMANDS_H
#define QUINTET_SUPER_COMMANDS_H

#include <stdbool.h>

#include "super/plan.h"

/* The program's main when it is no edge. Returns the exit status. */
int commands_main(int argc, char **argv, char **envp);

#define COMMAND_WORDS_MAX 64

/* A command's own switches, taken out of argv before the options are read. */
struct command_switches {
    bool json;
    bool defaults;
    const char *max; /* borrowed from argv; NULL: not given */
    bool edge;
    const char *words[COMMAND_WORDS_MAX]; /* borrowed from argv: what is no option */
    size_t n_words;
};

/* Each returns the exit status. */
int command_check(struct launch *launch, const struct command_switches *switches);
int command_compress(struct launch *launch, const struct command_switches *switches);
int command_config(struct launch *launch, const struct command_switches *switches);
int command_reload(struct launch *launch, const struct command_switches *switches);
int command_pause(struct launch *launch, const struct command_switches *switches);
int command_resume(struct launch *launch, const struct command_switches *switches);
int command_rollback(struct launch *launch, const struct command_switches *switches);
int command_stop(struct launch *launch, const struct command_switches *switches);
int command_status(struct launch *launch, const struct command_switches *switches);
int command_top(struct launch *launch, const struct command_switches *switches);

#endif
