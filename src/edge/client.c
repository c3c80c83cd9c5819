/* Who the client is, from the socket and, where they are trusted, from the fields of proxies. */
#include "edge/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "edge/edge_process.h"
#include "http/uri.h"

static struct str address_text(struct exchange *ex, const union sock_addr *peer)
{
    char text[SOCK_TEXT_MAX];

    if (peer->sa.sa_family == AF_UNIX)
        return STR("");
    return arena_dup(&ex->arena, str_make(text, sock_host_text(peer, text)));
}

/* The last address of the list that no trusted proxy added (each hop appends the peer it saw). */
static struct str forwarded_for(const struct exchange *ex)
{
    struct str found = { NULL, 0 };
    uint32_t from = 0;

    for (;;) { /* later fields are further right: walk all, keep the last stranger */
        const struct http_field *f = http_head_find(&ex->head, HTTP_F_X_FORWARDED_FOR, from);
        struct str rest;

        if (f == NULL)
            return found;
        rest = http_str(ex->bytes, f->value);
        while (rest.p != NULL) {
            struct str part = str_trim(str_split(&rest, ','));

            if (part.n > 0 && (found.p == NULL || !snapshot_trusts_text(ex->snapshot, part)))
                found = part;
        }
        from = (uint32_t)(f - ex->head.fields) + 1;
    }
}

static void behind_proxy(struct exchange *ex)
{
    struct str client = forwarded_for(ex);
    struct str proto = exchange_field(ex, HTTP_F_X_FORWARDED_PROTO);
    struct in6_addr any;
    char text[INET6_ADDRSTRLEN];

    if (client.n > 0 && client.n < sizeof(text)) {
        memcpy(text, client.p, client.n);
        text[client.n] = '\0';
        if (inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1) {
            ex->remote_addr = arena_dup(&ex->arena, client);
            ex->remote_port = 0;
        }
    }
    if (str_eq_nocase(proto, STR("https")))
        ex->secure = true;
    else if (str_eq_nocase(proto, STR("http")))
        ex->secure = false;
}

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

    lane_random(ex->lane, r);
    return arena_printf(&ex->arena, "%016llx%016llx", (unsigned long long)r[0], (unsigned long long)r[1]);
}

static void identify_host(struct exchange *ex)
{
    struct uri_authority authority;
    union sock_addr local;
    socklen_t len;

    ex->server_port = ex->secure ? 443 : 80;
    if (ex->head.authority.len > 0 && uri_authority_parse(http_str(ex->bytes, ex->head.authority), &authority) == 0) {
        ex->server_name = arena_dup(&ex->arena, authority.host);
        if (authority.port != 0)
            ex->server_port = authority.port;
        return;
    }
    if (sock_local(ex->stream_fd, &local, &len) == 0 && local.sa.sa_family != AF_UNIX) {
        ex->server_name = address_text(ex, &local);
        ex->server_port = sock_port(&local);
        return;
    }
    ex->server_name = STR("localhost");
}

/* What is kept is copied: the head's bytes may move while the body arrives. */
void exchange_identify(struct exchange *ex, const union sock_addr *peer, int fd)
{
    struct str id = { NULL, 0 };

    ex->stream_fd = fd;
    ex->route = ex->snapshot->sites->elsewhere;
    ex->peer_text = ex->remote_addr = address_text(ex, peer);
    ex->remote_port = sock_port(peer);
    ex->secure = ex->tls;
    ex->trusted = snapshot_trusts(ex->snapshot, peer);
    if (ex->trusted) {
        behind_proxy(ex);
        id = exchange_field(ex, HTTP_F_X_REQUEST_ID);
    }
    ex->id = id_is_sane(id) ? arena_dup(&ex->arena, id) : new_id(ex);
    identify_host(ex);
}

bool client_field_passes(const struct exchange *ex, const struct http_field *field)
{
    struct str name = http_str(ex->bytes, field->name);

    switch (field->id) {
    case HTTP_F_PROXY:
    case HTTP_F_EXPECT:
    case HTTP_F_X_REQUEST_ID: /* ours goes in its place */
        return false;
    case HTTP_F_FORWARDED:
    case HTTP_F_X_REAL_IP:
        return ex->trusted;
    default:
        break;
    }
    if (http_field_is_hop_by_hop(field->id))
        return false;
    if (!ex->trusted && name.n >= 12 && str_eq_nocase(str_cut(name, 0, 12), STR("x-forwarded-")))
        return false;
    if (memchr(name.p, '_', name.n) != NULL)
        return false;
    /* Fields that we know are for the recipient: who lists Host or Cookie wants to get rid of them (RFC 9110 7.6.1). */
    return field->id != HTTP_F_OTHER || !http_head_connection_lists(&ex->head, ex->bytes, name);
}
