/* The rules, in order. */
#include "edge/route.h"

#include "edge/gate.h"
#include "edge/handler/handlers.h"

static bool is_health(const struct exchange *ex)
{
    const char *path = ex->snapshot->conf->health_path;

    return path != NULL && str_eq(exchange_path(ex), str_of(path)) &&
           (ex->head.method == HTTP_GET || ex->head.method == HTTP_HEAD);
}

const struct handler *route(struct exchange *ex)
{
    const struct handler *refusal;

    if (ex->watch)
        return &watch_handler;
    if (ex->head.target_form == HTTP_TARGET_ASTERISK)
        return &options_handler;
    if (is_health(ex))
        return &health_handler;
    refusal = gates_ask(ex);
    if (refusal != NULL)
        return refusal;
    if (snapshot_root(ex->snapshot, exchange_path(ex)) != NULL)
        return &file_handler;
    return &app_handler;
}
