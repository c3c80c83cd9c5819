/* The rules, in order. */
#include "edge/route.h"

#include <errno.h>

#include "edge/gate.h"
#include "edge/gate/gates.h"
#include "edge/handler/handlers.h"

static bool is_health(const struct exchange *ex)
{
    const char *path = ex->snapshot->conf->health_path;

    return path != NULL && str_eq(exchange_path(ex), str_of(path)) &&
           (ex->head.method == HTTP_GET || ex->head.method == HTTP_HEAD);
}

/* Whose host and which path; NULL: known. */
static const struct handler *find_route(struct exchange *ex)
{
    switch (site_find(ex)) {
    case 0:
        return NULL;
    case -ENOENT:
        return gate_unknown_host(ex, 421);
    default:
        return gate_refuse(ex, 400, STR("the path can be read in two ways"));
    }
}

static const struct handler *by_directory(const struct exchange *ex)
{
    return snapshot_root(ex->snapshot, exchange_path(ex)) != NULL ? &file_handler : &app_handler;
}

const struct handler *route_answer(const struct exchange *ex)
{
    switch (ex->route->answer) {
    case CONF_ANSWER_DEFAULT:
        return by_directory(ex);
    case CONF_ANSWER_ROOT:
        return &root_handler;
    case CONF_ANSWER_REDIRECT:
        return &redirect_handler;
    case CONF_ANSWER_RESPOND:
        return &respond_handler;
    case CONF_ANSWER_APP:
        break;
    }
    return &app_handler;
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
    refusal = find_route(ex);
    if (refusal == NULL && ex->route->conf->internal)
        refusal = gate_refuse(ex, 404, STR("")); /* as if it were not there */
    if (refusal == NULL)
        refusal = gates_ask(ex);
    return refusal != NULL ? refusal : route_answer(ex);
}
