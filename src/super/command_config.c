/* `quintet config`: what would be in force, and where it came from. */
#include <stdio.h>

#include "super/commands.h"
#include "super/inspect.h"
#include "super/super.h"

#define SHOW_MAX (1u << 20)

static int show(const struct plan *plan, const struct command_switches *switches)
{
    struct buf out;
    int r;

    buf_init(&out, SHOW_MAX);
    if (switches->defaults)
        r = conf_show_defaults(&out);
    else
        r = switches->json ? conf_show_json(plan->builder, &out) : conf_show_table(plan->builder, &out);
    if (r == 0)
        (void)fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    return r == 0 ? EXIT_OK : EXIT_FAILED;
}

int command_config(struct launch *launch, const struct command_switches *switches)
{
    static struct why why;
    char error[CONF_ERROR_MAX] = "";
    struct plan *plan = NULL;
    int r;

    if (switches->defaults)
        return show(NULL, switches);
    r = plan_read(launch, &plan, &why);
    /* Settings that cannot be read leave the rest of the table true. */
    if (r == 0 && inspect_wanted(plan) && inspect_wait(plan, &why) != 0)
        (void)fprintf(stderr, "quintet: the Django settings cannot be read, their values are left out:\n%s\n",
                      why.text);
    if (r == 0 && conf_finish(plan->builder, error) != 0)
        r = why_set(&why, EXIT_USAGE, "%s", error);
    if (r == 0)
        r = show(plan, switches);
    else
        (void)fprintf(stderr, "quintet: %s\n", why.text);
    plan_free(plan);
    return r;
}
