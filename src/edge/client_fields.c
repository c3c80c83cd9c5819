/* Which request fields the application gets, and what they say about the client. */
#include "edge/client.h"

#include <string.h>

#include "http/forwarded.h"

/* Fields by which servers and CDNs name the client's address, but those that have an id: what applications read when they do not trust REMOTE_ADDR. */
static const struct str address_fields[] = {
    STR_INIT("true-client-ip"),
    STR_INIT("client-ip"),
    STR_INIT("x-client-ip"),
    STR_INIT("x-cluster-client-ip"),
    STR_INIT("forwarded-for"),
    STR_INIT("x-forwarded"),
    STR_INIT("x-original-forwarded-for"),
    STR_INIT("x-envoy-external-address"),
    STR_INIT("fastly-client-ip"),
    STR_INIT("fly-client-ip"),
    STR_INIT("do-connecting-ip"),
    STR_INIT("x-azure-clientip"),
    STR_INIT("x-azure-socketip"),
    STR_INIT("x-appengine-user-ip"),
    STR_INIT("x-remote-ip"),
    STR_INIT("x-remote-addr"),
    STR_INIT("x-proxyuser-ip"),
    STR_INIT("wl-proxy-client-ip"),
    STR_INIT("proxy-client-ip"),
};

/* What else only a proxy may say. A prefix when it ends with a dash. */
static const struct str proxy_fields[] = {
    STR_INIT("x-forwarded-"),
    STR_INIT("cf-"),
    STR_INIT("cloudfront-"),
    STR_INIT("front-end-https"),
    STR_INIT("x-original-host"),
    STR_INIT("x-url-scheme"),
    STR_INIT("x-scheme"),
    /* certificates of clients (RFC 9440, and what was usual before) */
    STR_INIT("client-cert"),
    STR_INIT("client-cert-"),
    STR_INIT("ssl-client-"),
    STR_INIT("x-ssl-"),
    STR_INIT("x-client-cert"),
    STR_INIT("x-client-dn"),
    STR_INIT("x-client-verify"),
    STR_INIT("x-arr-clientcert"),
    STR_INIT("x-amzn-mtls-"),
};

/* Nearly all fields of a browser begin otherwise: accept-, sec-, upgrade-, origin. */
static bool may_be_listed(struct str name)
{
    if (name.n < 2)
        return false;
    switch (ascii_lower(name.p[0])) {
    case 'c':
    case 'd':
    case 'f':
    case 'p':
    case 't':
    case 'w':
    case 'x':
        return true;
    default:
        return ascii_lower(name.p[1]) == 's'; /* ssl-, not sec- */
    }
}

static bool names_address(const struct http_field *field, struct str name)
{
    switch (field->id) {
    case HTTP_F_X_REAL_IP:
    case HTTP_F_CF_CONNECTING_IP:
    case HTTP_F_CLOUDFRONT_VIEWER_ADDRESS:
        return true;
    case HTTP_F_OTHER:
        break;
    default:
        return false;
    }
    if (!may_be_listed(name))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(address_fields); i++) {
        if (str_eq_nocase(name, address_fields[i]))
            return true;
    }
    return false;
}

static bool is_proxys(const struct exchange *ex, struct str name)
{
    for (size_t i = 0; may_be_listed(name) && i < ARRAY_LEN(proxy_fields); i++) {
        struct str row = proxy_fields[i];

        if (name.n < row.n || !str_eq_nocase(str_cut(name, 0, row.n), row))
            continue;
        if (name.n == row.n || row.p[row.n - 1] == '-')
            return true;
    }
    return ex->snapshot->ssl_name.n > 0 && str_eq_nocase(name, ex->snapshot->ssl_name);
}

static bool says_the_same(const struct exchange *ex, struct str value)
{
    struct forwarded_node node;

    return (forwarded_node_parse(value, &node) && str_eq_nocase(node.address, ex->remote_addr)) ||
           (forwarded_viewer_parse(value, &node) && str_eq_nocase(node.address, ex->remote_addr));
}

/* What nearly every request has, and nobody lists: the rules below would let it pass. */
static const bool ordinary[HTTP_F_COUNT] = {
    [HTTP_F_ACCEPT] = true,        [HTTP_F_ACCEPT_ENCODING] = true, [HTTP_F_AUTHORIZATION] = true,
    [HTTP_F_CACHE_CONTROL] = true, [HTTP_F_CONTENT_LENGTH] = true,  [HTTP_F_CONTENT_TYPE] = true,
    [HTTP_F_COOKIE] = true,        [HTTP_F_REFERER] = true,         [HTTP_F_USER_AGENT] = true,
};

bool client_field_passes(const struct exchange *ex, const struct http_field *field)
{
    struct str name = http_str(ex->bytes, field->name);

    if (ordinary[field->id] && name.n != ex->snapshot->ssl_name.n)
        return true;
    switch (field->id) {
    case HTTP_F_PROXY:
    case HTTP_F_EXPECT:
    case HTTP_F_FORWARDED:
    case HTTP_F_HOST:
    case HTTP_F_X_FORWARDED_FOR:
    case HTTP_F_X_FORWARDED_HOST:
    case HTTP_F_X_FORWARDED_PORT:
    case HTTP_F_X_FORWARDED_PROTO:
    case HTTP_F_X_REQUEST_ID:
        return false;
    default:
        break;
    }
    if (http_field_is_hop_by_hop(field->id) || memchr(name.p, '_', name.n) != NULL)
        return false;
    if (names_address(field, name))
        return ex->trusted && says_the_same(ex, http_str(ex->bytes, field->value));
    if (!ex->trusted && is_proxys(ex, name))
        return false;
    /* Fields that we know are for the recipient: who lists Host or Cookie wants to get rid of them (RFC 9110 7.6.1). */
    return field->id != HTTP_F_OTHER || !http_head_connection_lists(&ex->head, ex->bytes, name);
}

static void add(struct pool_request *request, struct str name, struct str value)
{
    if (value.n > 0 && request->n_fields < POOL_FIELDS_MAX)
        request->fields[request->n_fields++] = (struct pool_field){ name, value };
}

void client_add_fields(const struct exchange *ex, struct pool_request *request)
{
    add(request, STR("Host"), ex->host);
    add(request, STR("X-Forwarded-For"), ex->forwarded_for);
    if (ex->forwarded_proto)
        add(request, STR("X-Forwarded-Proto"), ex->secure ? STR("https") : STR("http"));
}
