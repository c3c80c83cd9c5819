/* From the inspection's answer to the plan: what the settings say ranks below everything the user has said. */
#include <errno.h>

#include "base/mem.h"
#include "super/inspect.h"

int inspect_apply(struct plan *plan, struct str answer, char error[CONF_ERROR_MAX])
{
    while (answer.n > 0) {
        struct str value = str_split(&answer, '\n'), name = str_split(&value, ' ');
        int r;

        if (name.n == 0)
            continue;
        r = conf_set(plan->builder, CONF_DJANGO, STR("Django settings"), name, value, error);
        if (r != 0)
            return r;
    }
    return 0;
}
