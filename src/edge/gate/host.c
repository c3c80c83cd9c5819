/*
 * Whether the request is for a host of ours, and whether its way here makes sense.
 *
 * Files too are for known hosts only: else a name that somebody points at this server would show them under his origin. Django answers what it is asked
 * itself (400, DisallowedHost); here an unknown host costs no worker. Without a list (no Django project, or an empty ALLOWED_HOSTS, which Django reports
 * better than we could) everything passes. Health checks, which ask by address, do not come by here.
 */
#include "edge/edge_process.h"
#include "edge/gate.h"
#include "edge/gate/gates.h"
#include "edge/hosts.h"
#include "http/uri.h"

const struct handler *gate_proxies(struct exchange *ex)
{
    if (ex->distrust == NULL)
        return NULL;
    stats_add(&ex->lane->stats.contradicted, 1);
    log_event(&ex->lane->edge->log, LOG_WARNING, "a proxy passes on what it should remove", LOG_Z("why", ex->distrust),
              LOG_S("proxy", ex->peer_text), LOG_S("request_id", ex->id));
    return gate_refuse(ex, 400, str_of(ex->distrust));
}

/* The client's handshake was for another name: it should come again with a handshake of its own (RFC 9110 15.5.20). */
static bool is_misdirected(const struct exchange *ex)
{
    struct str name = ex->tls_info.server_name;

    return ex->tls && name.n > 0 && !uri_host_matches(ex->server_name, name);
}

/* quintet.yaml has a site for this very name, and the application, which has its own list, is not asked. */
static bool has_a_site(const struct exchange *ex)
{
    enum conf_answer answer = ex->route->answer;

    return ex->route->site != ex->snapshot->sites->fallback && answer != CONF_ANSWER_DEFAULT &&
           answer != CONF_ANSWER_APP;
}

static struct str host_of(const struct exchange *ex)
{
    return ex->host.n > 0 ? ex->host : ex->server_name;
}

const struct handler *gate_unknown_host(struct exchange *ex, unsigned status)
{
    stats_add(&ex->lane->stats.unknown_host, 1);
    log_event(&ex->lane->edge->log, LOG_INFO, "a request for an unknown host", LOG_S("host", host_of(ex)),
              LOG_N("status", status), LOG_S("request_id", ex->id));
    return gate_refuse(ex, status, STR("no site of this server has that name"));
}

const struct handler *gate_host(struct exchange *ex)
{
    if (hosts_known(ex->snapshot, host_of(ex)) || has_a_site(ex))
        return NULL;
    return gate_unknown_host(ex, is_misdirected(ex) ? 421 : 400);
}
