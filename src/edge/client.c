/* Who the client is, from the socket and, where they are trusted, from the fields of proxies. */
#include "edge/client.h"

#include <string.h>

#include "base/digits.h"
#include "edge/edge_process.h"
#include "edge/hosts.h"
#include "edge/proxies.h"
#include "edge/site.h"
#include "http/uri.h"

static struct str address_text(struct exchange *ex, const union sock_addr *peer)
{
    char text[SOCK_TEXT_MAX];

    if (peer->sa.sa_family == AF_UNIX)
        return STR("");
    return arena_dup(&ex->arena, str_make(text, sock_host_text(peer, text)));
}

/* ---- the scheme ---- */

/* SECURE_PROXY_SSL_HEADER: what Django would make of it, so that both say the same (django/http/request.py, scheme). */
static bool settings_scheme(const struct exchange *ex, bool *secure)
{
    const struct snapshot *s = ex->snapshot;

    for (uint32_t i = 0; s->ssl_name.n > 0 && i < ex->head.n_fields; i++) {
        const struct http_field *f = &ex->head.fields[i];
        struct str value = http_str(ex->bytes, f->value);

        if (!str_eq_nocase(http_str(ex->bytes, f->name), s->ssl_name))
            continue;
        *secure = str_eq(str_trim(str_split(&value, ',')), s->ssl_value);
        return true;
    }
    return false;
}

static void decide_scheme(struct exchange *ex, struct str proto)
{
    if (settings_scheme(ex, &ex->secure))
        return;
    if (str_eq_nocase(proto, STR("https")) || str_eq_nocase(proto, STR("wss")))
        ex->secure = true;
    else if (str_eq_nocase(proto, STR("http")) || str_eq_nocase(proto, STR("ws")))
        ex->secure = false;
}

/* ---- the host ---- */

/* The client's own words, unless a proxy knows better. */
static struct str choose_host(const struct exchange *ex, struct str forwarded)
{
    struct str own = http_str(ex->bytes, ex->head.authority);
    struct uri_authority ignored;

    if (forwarded.n == 0 || uri_authority_parse(forwarded, &ignored) != 0)
        return own;
    if (own.n == 0 || ex->snapshot->conf->use_x_forwarded_host)
        return forwarded;
    return !hosts_known(ex->snapshot, own) && hosts_known(ex->snapshot, forwarded) ? forwarded : own;
}

/* The port: what the host says, else the proxy, else the scheme's. */
static void decide_port(struct exchange *ex, uint32_t port, struct str forwarded)
{
    uint64_t said = 0;

    ex->server_port = ex->secure ? 443 : 80;
    if (forwarded.n > 0 && str_to_u64(forwarded, UINT16_MAX, &said) == 0 && said != 0)
        ex->server_port = (uint32_t)said;
    if (port != 0)
        ex->server_port = port;
}

static void decide_host(struct exchange *ex, const struct proxies_said *said)
{
    struct str host = choose_host(ex, said->host);
    struct uri_authority authority;
    union sock_addr local;
    socklen_t len;

    if (host.n > 0 && uri_authority_parse(host, &authority) == 0) {
        ex->host = arena_dup(&ex->arena, host);
        ex->server_name = str_cut(ex->host, 0, authority.host.n);
        decide_port(ex, authority.port, said->port);
        return;
    }
    decide_port(ex, 0, said->port);
    ex->server_name = STR("localhost");
    if (sock_local(ex->stream_fd, &local, &len) == 0 && local.sa.sa_family != AF_UNIX) {
        ex->server_name = address_text(ex, &local);
        ex->server_port = sock_port(&local);
    }
}

/* ---- the id ---- */

static bool id_is_sane(struct str id)
{
    if (id.n == 0 || id.n > EXCHANGE_ID_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] <= ' ' || id.p[i] >= 0x7f || id.p[i] == '"' || id.p[i] == '\\')
            return false;
    }
    return true;
}

static struct str new_id(struct exchange *ex)
{
    uint64_t r[2];
    char *id;

    lane_random(ex->lane, r);
    id = arena_alloc(&ex->arena, 2 * DIGITS_HEX);
    must(id != NULL);
    return str_make(id, digits_hex(id, r[0]) + digits_hex(id + DIGITS_HEX, r[1]));
}

/* ---- all of it ---- */

static void behind_proxy(struct exchange *ex, const union sock_addr *peer, struct proxies_said *said)
{
    proxies_read(ex, peer, said);
    ex->distrust = said->why;
    if (said->client.address.p != NULL) {
        ex->remote_addr = arena_dup(&ex->arena, said->client.address);
        ex->remote_port = said->client.port;
    }
    ex->forwarded_for = said->chain;
    ex->forwarded_proto = said->proto.p != NULL;
    decide_scheme(ex, said->proto);
}

/* What is kept is copied: the head's bytes may move while the body arrives. */
void exchange_identify(struct exchange *ex, const union sock_addr *peer, int fd)
{
    struct proxies_said said = { .why = NULL };
    struct str id = { NULL, 0 };

    ex->stream_fd = fd;
    ex->route = ex->snapshot->sites->elsewhere;
    ex->peer_text = ex->remote_addr = address_text(ex, peer);
    ex->remote_port = sock_port(peer);
    ex->secure = ex->tls || ex->proxied_tls;
    ex->trusted = snapshot_trusts(ex->snapshot, peer);
    if (ex->trusted) {
        behind_proxy(ex, peer, &said);
        id = exchange_field(ex, HTTP_F_X_REQUEST_ID);
    }
    ex->id = id_is_sane(id) ? arena_dup(&ex->arena, id) : new_id(ex);
    decide_host(ex, &said);
}
