/*
 * SECURE_SSL_REDIRECT at the edge: what Django's SecurityMiddleware does, for files as well, and without a worker.
 *
 * As there: 301 whatever the method, to SECURE_SSL_HOST or the host that was asked, with path and query. Where SECURE_REDIRECT_EXEMPT has patterns the
 * option is off (they are Python's regular expressions) and the application redirects as ever.
 */
#include "edge/gate.h"
#include "edge/gate/gates.h"

const struct handler *gate_https(struct exchange *ex)
{
    const struct conf *conf = ex->snapshot->conf;
    struct str host = conf->ssl_host != NULL ? str_of(conf->ssl_host) : ex->host.n > 0 ? ex->host : ex->server_name;
    struct str path = exchange_path(ex), query = http_str(ex->bytes, ex->head.query);
    struct str location;

    if (!conf->ssl_redirect || ex->secure)
        return NULL;
    location = arena_printf(&ex->arena, "https://" STR_FMT STR_FMT "%s" STR_FMT, STR_ARG(host), STR_ARG(path),
                            query.n > 0 ? "?" : "", STR_ARG(query));
    if (location.p == NULL)
        return gate_refuse(ex, 503, STR("no memory"));
    gate_field(ex, STR("Location"), location);
    return gate_refuse(ex, 301, STR("this site is served over HTTPS only"));
}
