/* The question of ALLOWED_HOSTS. */
#include "edge/hosts.h"

#include "edge/site.h"
#include "http/uri.h"

/* Named by a site, not just taken by the one for all others. */
static bool is_sites(const struct snapshot *s, struct str host)
{
    struct uri_authority authority;
    const struct site *site;

    if (s->sites->simple)
        return false;
    site = sites_host(s->sites, uri_authority_parse(host, &authority) == 0 ? authority.host : host);
    return site != NULL && site != s->sites->fallback;
}

bool hosts_known(const struct snapshot *s, struct str host)
{
    const struct conf_list *allowed = &s->conf->allowed_hosts;

    for (size_t i = 0; i < allowed->n; i++) {
        if (uri_host_matches(host, str_of(allowed->items[i])))
            return true;
    }
    return is_sites(s, host) || (allowed->n == 0 && s->sites->fallback != NULL);
}
