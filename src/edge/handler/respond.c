/* A route that answers with a text of its own, or with a status alone: then by one of our pages. */
#include "edge/handler/handlers.h"
#include "edge/site.h"

static void respond_start(struct exchange *ex)
{
    const struct conf_route *conf = ex->route->conf;
    unsigned status = conf->status != 0 ? (unsigned)conf->status : 200;
    struct str text = str_of(conf->respond);

    if (conf->respond == NULL && status >= 400) {
        exchange_page(ex, status, STR(""));
        return;
    }
    exchange_respond(ex, status);
    if (text.n > 0)
        exchange_add(ex, STR("Content-Type"), str_of(conf->content_type));
    page_text(ex, text);
    exchange_ready(ex);
}

const struct handler respond_handler = { .name = "respond", .kind = STATS_ROUTE, .start = respond_start };
