/* Forwarded, X-Forwarded-* and what CDNs add. */
#include "edge/proxies.h"

#include <string.h>

#include "base/buf.h"

#define CHAIN_BYTES 800 /* of PROXIES_CHAIN_MAX addresses */

/* ---- members of a field that may come several times ---- */

struct members {
    const struct exchange *ex;
    enum http_field_id id;
    uint32_t next; /* index of a field */
    struct str rest;
};

static bool next_field(struct members *m)
{
    const struct http_field *f = http_head_find(&m->ex->head, m->id, m->next);

    if (f == NULL)
        return false;
    m->next = (uint32_t)(f - m->ex->head.fields) + 1;
    m->rest = http_str(m->ex->bytes, f->value);
    return true;
}

static bool next_member(struct members *m, struct str *out)
{
    do {
        if (m->rest.p != NULL && forwarded_member(&m->rest, out))
            return true;
    } while (next_field(m));
    return false;
}

/* The same of Forwarded. 1, 0, -EINVAL. */
static int next_element(struct members *m, struct forwarded_element *out)
{
    do {
        int r = m->rest.p != NULL ? forwarded_next(&m->rest, out) : 0;

        if (r != 0)
            return r;
    } while (next_field(m));
    return 0;
}

/* ---- the way back to the client ---- */

struct way {
    const struct snapshot *snapshot;
    struct forwarded_node client; /* .address.p == NULL: not known */
    uint32_t n, start;            /* entries; the client's is the one at start, what is right of it are proxies */
    enum conf_preset cdn;         /* of the proxy nearest to the client that is a CDN's */
    bool named;                   /* somebody spoke about it at all */
};

/* The next entry towards us. */
static void way_step(struct way *w, struct str text)
{
    struct forwarded_node node;
    uint8_t address[ADDRESS_LEN];
    bool trusted;

    w->n++;
    w->named = true;
    if (!forwarded_node_parse(text, &node) || !address_of_text(node.address, address)) {
        w->client = (struct forwarded_node){ 0 };
        w->cdn = CONF_PRESET_NONE;
        w->start = w->n;
        return;
    }
    trusted = networks_have(&w->snapshot->trusted, address);
    if (!trusted || w->client.address.p == NULL) {
        w->client = node;
        w->cdn = CONF_PRESET_NONE;
        w->start = w->n - 1;
    }
    if (trusted && w->cdn == CONF_PRESET_NONE)
        w->cdn = snapshot_cdn(w->snapshot, address);
}

/* The member at the client's place where there are as many as entries, else the last. */
static struct str at_client(const struct exchange *ex, enum http_field_id id, const struct way *w)
{
    struct members m = { .ex = ex, .id = id };
    struct str member, last = { NULL, 0 }, found = { NULL, 0 };
    uint32_t n = 0;

    while (next_member(&m, &member)) {
        if (n == w->start)
            found = member;
        last = member;
        n++;
    }
    return n == w->n && found.p != NULL ? found : last;
}

static void read_x_fields(const struct exchange *ex, struct way *w, struct proxies_said *said)
{
    struct members m = { .ex = ex, .id = HTTP_F_X_FORWARDED_FOR };
    struct str member;

    while (next_member(&m, &member))
        way_step(w, member);
    said->client = w->client;
    said->proto = at_client(ex, HTTP_F_X_FORWARDED_PROTO, w);
    said->host = at_client(ex, HTTP_F_X_FORWARDED_HOST, w);
    said->port = at_client(ex, HTTP_F_X_FORWARDED_PORT, w);
}

/* An element without for= says nothing of the way, but may name scheme and host. 0 or -EINVAL. */
static int read_forwarded(const struct exchange *ex, struct way *w, struct proxies_said *said)
{
    struct members m = { .ex = ex, .id = HTTP_F_FORWARDED };
    struct forwarded_element e;
    int r;

    while ((r = next_element(&m, &e)) == 1) {
        if (e.node.p != NULL) {
            way_step(w, e.node);
            if (w->start + 1 >= w->n)
                said->proto = said->host = str_make(NULL, 0);
        }
        if (said->proto.p == NULL)
            said->proto = e.proto;
        if (said->host.p == NULL)
            said->host = e.host;
    }
    said->client = w->client;
    return r;
}

/* ---- the two families ---- */

static bool same_address(struct str a, struct str b)
{
    uint8_t x[ADDRESS_LEN], y[ADDRESS_LEN];

    return address_of_text(a, x) && address_of_text(b, y) && memcmp(x, y, ADDRESS_LEN) == 0;
}

static bool differ(struct str a, struct str b)
{
    return a.p != NULL && b.p != NULL && !str_eq_nocase(a, b);
}

static bool contradict(const struct way *w, const struct way *x, const struct proxies_said *f,
                       const struct proxies_said *s)
{
    bool nobody = w->client.address.p == NULL && x->client.address.p == NULL;

    if (w->named && x->named && !nobody && !same_address(w->client.address, x->client.address))
        return true;
    return differ(f->proto, s->proto) || differ(f->host, s->host);
}

/* What Forwarded says goes where the others said nothing. */
static void unite(struct proxies_said *said, const struct proxies_said *forwarded)
{
    if (said->client.address.p == NULL)
        said->client = forwarded->client;
    if (said->proto.p == NULL)
        said->proto = forwarded->proto;
    if (said->host.p == NULL)
        said->host = forwarded->host;
}

/* ---- CDNs and X-Real-IP ---- */

/* The value of a field that comes once. */
static struct str only(const struct exchange *ex, enum http_field_id id)
{
    const struct http_field *f = http_head_find(&ex->head, id, 0);

    if (f == NULL || http_head_find(&ex->head, id, (uint32_t)(f - ex->head.fields) + 1) != NULL)
        return str_make(NULL, 0);
    return http_str(ex->bytes, f->value);
}

/* Cloudflare always writes its field; CloudFront does when it is told to, so that where it has also written X-Forwarded-For, the two must agree. */
static void ask_cdn(const struct exchange *ex, enum conf_preset cdn, struct proxies_said *said)
{
    struct forwarded_node node;

    if (cdn == CONF_PRESET_CLOUDFLARE && forwarded_node_parse(only(ex, HTTP_F_CF_CONNECTING_IP), &node))
        said->client = node;
    if (cdn != CONF_PRESET_CLOUDFRONT)
        return;
    if (forwarded_viewer_parse(only(ex, HTTP_F_CLOUDFRONT_VIEWER_ADDRESS), &node) &&
        (said->client.address.p == NULL || same_address(node.address, said->client.address)))
        said->client = node;
    if (said->proto.p == NULL)
        said->proto = only(ex, HTTP_F_CLOUDFRONT_FORWARDED_PROTO);
}

static enum conf_preset cdn_of(const struct way *w, const union sock_addr *peer)
{
    uint8_t address[ADDRESS_LEN];

    if (w->cdn != CONF_PRESET_NONE || !address_of_peer(peer, address))
        return w->cdn;
    return snapshot_cdn(w->snapshot, address);
}

/* ---- X-Forwarded-For as the application gets it ---- */

struct chain {
    char text[CHAIN_BYTES];
    size_t n;
    unsigned addresses;
};

static void chain_add(struct chain *c, struct str address)
{
    if (c->addresses == PROXIES_CHAIN_MAX || c->n + 2 + address.n > sizeof(c->text))
        return;
    if (c->addresses++ > 0) {
        memcpy(c->text + c->n, ", ", 2);
        c->n += 2;
    }
    memcpy(c->text + c->n, address.p, address.n);
    c->n += address.n;
}

/* Entry number i of the way, which led past proxies: its address if it is one of them. */
static void chain_entry(struct chain *c, const struct way *w, uint32_t i, struct str text)
{
    struct forwarded_node node;

    if (i > w->start && forwarded_node_parse(text, &node))
        chain_add(c, node.address);
}

static struct str chain_of(struct exchange *ex, const struct way *w, bool forwarded, struct str client)
{
    struct members m = { .ex = ex, .id = forwarded ? HTTP_F_FORWARDED : HTTP_F_X_FORWARDED_FOR };
    struct chain c = { .n = 0 };
    struct forwarded_element e;
    struct str member;
    uint32_t i = 0;

    chain_add(&c, client);
    while (!forwarded && next_member(&m, &member))
        chain_entry(&c, w, i++, member);
    while (forwarded && next_element(&m, &e) == 1) {
        if (e.node.p != NULL)
            chain_entry(&c, w, i++, e.node);
    }
    return arena_dup(&ex->arena, str_make(c.text, c.n));
}

/* ---- all of it ---- */

void proxies_read(struct exchange *ex, const union sock_addr *peer, struct proxies_said *said)
{
    struct way x = { .snapshot = ex->snapshot }, f = x, *way;
    struct proxies_said forwarded = { .why = NULL };
    struct forwarded_node node;

    *said = (struct proxies_said){ .why = NULL };
    if (read_forwarded(ex, &f, &forwarded) != 0) {
        said->why = "malformed Forwarded";
        return;
    }
    read_x_fields(ex, &x, said);
    if (contradict(&f, &x, &forwarded, said)) {
        *said = (struct proxies_said){ .why = "Forwarded and X-Forwarded-* say different things" };
        return;
    }
    unite(said, &forwarded);
    way = x.named ? &x : &f;
    if (!way->named && forwarded_node_parse(only(ex, HTTP_F_X_REAL_IP), &node))
        said->client = node;
    ask_cdn(ex, cdn_of(way, peer), said);
    if (said->client.address.p != NULL)
        said->chain = chain_of(ex, way, way == &f, said->client.address);
}
