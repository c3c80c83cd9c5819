/* A route's own directory. What of the path belongs to the route is cut off; file.c does the rest. */
#include "edge/handler/file_send.h"
#include "edge/site.h"

static void root_start(struct exchange *ex)
{
    if (ex->route->root == NULL) /* the directory is not there; the log said so when it was looked for */
        exchange_page(ex, 404, STR(""));
    else
        file_answer(ex, ex->route->root, site_rest(ex));
}

const struct handler root_handler = { .name = "root", .kind = STATS_FILE, .start = root_start };
