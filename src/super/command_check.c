/* `quintet check`: everything that would stop a start or make it unfit for production, found before. */
#include <stdio.h>

#include "super/commands.h"

int command_check(struct launch *launch, const struct command_switches *switches)
{
    return 0;
}
