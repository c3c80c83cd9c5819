/* The configuration as the edge serves by it. */
#include "edge/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "edge/manifest.h"

/* ---- trusted proxies ---- */

/* IPv4 becomes ::ffff:a.b.c.d, so that one comparison serves both. */
static bool address_parse(struct str text, uint8_t out[16], bool *v4)
{
    char z[INET6_ADDRSTRLEN + 1];
    struct in_addr in;

    if (text.n == 0 || text.n >= sizeof(z))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    *v4 = inet_pton(AF_INET, z, &in) == 1;
    if (!*v4)
        return inet_pton(AF_INET6, z, out) == 1;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, &in, 4);
    return true;
}

static bool network_parse(struct str text, struct network *out)
{
    struct str rest = text, address = str_trim(str_split(&rest, '/'));
    uint64_t bits;
    bool v4;

    if (str_eq(text, STR("*"))) {
        memset(out, 0, sizeof(*out));
        return true;
    }
    if (!address_parse(address, out->address, &v4))
        return false;
    bits = v4 ? 32 : 128;
    if (rest.p != NULL && str_to_u64(rest, bits, &bits) != 0)
        return false;
    out->bits = (uint8_t)(v4 ? bits + 96 : bits);
    return true;
}

static bool network_has(const struct network *n, const uint8_t address[16])
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (memcmp(n->address, address, whole) != 0)
        return false;
    return rest == 0 || (uint8_t)((n->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool trusts(const struct snapshot *s, const uint8_t address[16])
{
    for (uint32_t i = 0; i < s->n_trusted; i++) {
        if (network_has(&s->trusted[i], address))
            return true;
    }
    return false;
}

bool snapshot_trusts(const struct snapshot *s, const union sock_addr *peer)
{
    uint8_t address[16] = { [10] = 0xff, [11] = 0xff };

    if (peer->sa.sa_family == AF_UNIX)
        return s->n_trusted > 0; /* whoever may open the socket is a local proxy */
    if (peer->sa.sa_family == AF_INET)
        memcpy(address + 12, &peer->in.sin_addr, 4);
    else if (peer->sa.sa_family == AF_INET6)
        memcpy(address, &peer->in6.sin6_addr, 16);
    else
        return false;
    return trusts(s, address);
}

bool snapshot_trusts_text(const struct snapshot *s, struct str text)
{
    uint8_t address[16];
    bool v4;

    return address_parse(text, address, &v4) && trusts(s, address);
}

static int read_trusted(struct snapshot *s)
{
    const struct conf_list *list = &s->conf->trusted_proxies;

    s->trusted = mem_calloc(list->n + 1, sizeof(*s->trusted));
    for (size_t i = 0; i < list->n; i++) {
        if (!network_parse(str_of(list->items[i]), &s->trusted[s->n_trusted]))
            return -EINVAL;
        s->n_trusted++;
    }
    return 0;
}

/* ---- headers ---- */

static void add_header(struct snapshot *s, struct str name, const char *value)
{
    if (value != NULL && value[0] != '\0' && s->n_headers < SNAPSHOT_FILE_HEADERS)
        s->headers[s->n_headers++] = (struct header){ name, str_of(value) };
}

static void make_headers(struct snapshot *s)
{
    const struct conf *c = s->conf;

    if (c->nosniff)
        add_header(s, STR("X-Content-Type-Options"), "nosniff");
    add_header(s, STR("Referrer-Policy"), c->referrer_policy != NULL ? c->referrer_policy : "same-origin");
    add_header(s, STR("X-Frame-Options"), c->x_frame_options != NULL ? c->x_frame_options : "SAMEORIGIN");
    add_header(s, STR("Cross-Origin-Opener-Policy"), c->cross_origin_opener_policy);
}

/* ---- roots ---- */

static atomic_uint roots_made;

int snapshot_add_root(struct snapshot *s, struct str prefix, bool media, int dir)
{
    struct root *root = &s->roots[s->n_roots];

    if (s->n_roots == SNAPSHOT_ROOTS_MAX) {
        close(dir);
        return -ENOSPC;
    }
    *root = (struct root){ .prefix = { str_dup(prefix), prefix.n }, .dir = dir, .media = media };
    root->id = atomic_fetch_add_explicit(&roots_made, 1, memory_order_relaxed);
    s->n_roots++;
    if (!media)
        manifest_read(dir, &s->immutable);
    return 0;
}

const struct root *snapshot_root(const struct snapshot *s, struct str path)
{
    const struct root *best = NULL;

    for (uint32_t i = 0; i < s->n_roots; i++) {
        if (str_starts(path, s->roots[i].prefix) && (best == NULL || s->roots[i].prefix.n > best->prefix.n))
            best = &s->roots[i];
    }
    return best;
}

/* ---- life ---- */

int snapshot_new(struct str conf_text, struct snapshot **out)
{
    struct snapshot *s = mem_zalloc(sizeof(*s));
    int error = conf_read(conf_text, &s->builder);

    atomic_init(&s->refs, 1);
    map_init(&s->immutable);
    if (error != 0)
        goto fail;
    s->conf = conf_of(s->builder);
    s->limits = (struct h1_limits){ .request_line = (uint32_t)s->conf->limit_request_line,
                                    .fields = (uint32_t)s->conf->limit_request_fields,
                                    .field_size = (uint32_t)s->conf->limit_request_field_size };
    error = read_trusted(s);
    if (error != 0)
        goto fail;
    make_headers(s);
    *out = s;
    return 0;

fail:
    snapshot_unref(s);
    return error;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (uint32_t i = 0; i < s->n_roots; i++) {
        close(s->roots[i].dir);
        mem_free((void *)s->roots[i].prefix.p);
    }
    map_fini(&s->immutable);
    tls_ctx_unref(s->tls);
    conf_builder_free(s->builder);
    mem_free(s->trusted);
    mem_free(s);
}
