/* The configuration as the edge serves by it. */
#include "edge/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "edge/bounds.h"
#include "edge/error_pages.h"
#include "edge/manifest.h"

/* ---- trusted proxies ---- */

bool snapshot_trusts(const struct snapshot *s, const union sock_addr *peer)
{
    uint8_t address[ADDRESS_LEN];

    if (peer->sa.sa_family == AF_UNIX)
        return s->trusted.n > 0; /* whoever may open the socket is a local proxy */
    return address_of_peer(peer, address) && networks_have(&s->trusted, address);
}

bool snapshot_trusts_text(const struct snapshot *s, struct str text)
{
    uint8_t address[ADDRESS_LEN];

    return address_of_text(text, address) && networks_have(&s->trusted, address);
}

enum conf_preset snapshot_cdn(const struct snapshot *s, const uint8_t address[ADDRESS_LEN])
{
    for (unsigned i = CONF_PRESET_NONE + 1; i < CONF_PRESETS; i++) {
        if (networks_have(&s->cdn[i], address))
            return (enum conf_preset)i;
    }
    return CONF_PRESET_NONE;
}

static int read_cdns(struct snapshot *s)
{
    const struct conf_list *list = &s->conf->trusted_proxies;

    for (size_t i = 0; i < list->n; i++) {
        enum conf_preset preset = conf_preset_find(str_of(list->items[i]));

        if (preset != CONF_PRESET_CLOUDFLARE && preset != CONF_PRESET_CLOUDFRONT)
            continue;
        if (networks_add(&s->cdn[preset], str_of(list->items[i])) != 0)
            return -EINVAL;
        networks_seal(&s->cdn[preset]);
    }
    return 0;
}

/* "Name: value" */
static void read_ssl_header(struct snapshot *s)
{
    struct str rest = str_of(s->conf->proxy_ssl_header);

    s->ssl_name = str_trim(str_split(&rest, ':'));
    s->ssl_value = str_trim(rest);
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
    *root = (struct root){ .prefix = { str_dup(prefix), prefix.n }, .dir = dir, .media = media, .sendable = true };
    root->id = atomic_fetch_add_explicit(&roots_made, 1, memory_order_relaxed);
    s->n_roots++;
    if (!media)
        manifest_read(dir, &s->immutable);
    return 0;
}

void snapshot_name_root(struct snapshot *s, struct str real, struct str configured)
{
    struct root *root = &s->roots[s->n_roots - 1];

    must(s->n_roots > 0);
    while (configured.n > 1 && configured.p[configured.n - 1] == '/')
        configured.n--;
    root->names[0] = (struct str){ str_dup(real), real.n };
    root->names[1] = (struct str){ str_dup(configured), configured.n };
}

int snapshot_add_dir(struct snapshot *s, struct str name, struct str real, int dir, struct log *log)
{
    struct root *root = &s->dirs[s->n_dirs];

    if (s->n_dirs == SNAPSHOT_DIRS_MAX) {
        close(dir);
        return -ENOSPC;
    }
    *root =
        (struct root){ .names = { { str_dup(real), real.n }, { str_dup(name), name.n } }, .dir = dir, .index = true };
    root->id = atomic_fetch_add_explicit(&roots_made, 1, memory_order_relaxed);
    s->n_dirs++;
    sites_bind_root(s->sites, root, log);
    return 0;
}

const struct root *snapshot_dir(const struct snapshot *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_dirs; i++)
        if (str_eq(s->dirs[i].names[1], str_of(name)))
            return &s->dirs[i];
    return NULL;
}

static void secret_fini(struct secret *secret)
{
    passwords_fini(&secret->users);
    mem_wipe((void *)secret->bytes.p, secret->bytes.n);
    mem_free((void *)secret->bytes.p);
    mem_free((void *)secret->name.p);
}

int snapshot_add_secret(struct snapshot *s, struct str name, struct str bytes)
{
    char why[PASSWORDS_ERROR_MAX];
    struct secret secret = { .name = { str_dup(name), name.n }, .bytes = bytes };

    if (s->n_secrets == CONF_SITE_FILES_MAX) {
        secret_fini(&secret);
        return -ENOSPC;
    }
    (void)!passwords_read(bytes, &secret.users, why); /* a key is none */
    s->secrets[s->n_secrets] = secret;
    sites_bind_secret(s->sites, &s->secrets[s->n_secrets++]);
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
    error = conf_resolve(s->builder);
    if (error != 0)
        goto fail;
    s->conf = conf_of(s->builder);
    s->limits = (struct h1_limits){ .request_line = (uint32_t)s->conf->limit_request_line,
                                    .fields = (uint32_t)s->conf->limit_request_fields,
                                    .field_size = (uint32_t)s->conf->limit_request_field_size };
    error = networks_read(&s->trusted, s->conf->trusted_proxies.items, s->conf->trusted_proxies.n);
    if (error != 0)
        goto fail;
    error = sites_new(s->conf, &s->sites);
    if (error != 0)
        goto fail;
    error = bounds_new(s->sites, s->conf, &s->bounds);
    if (error != 0)
        goto fail;
    error = read_cdns(s);
    if (error != 0)
        goto fail;
    read_ssl_header(s);
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
        mem_free((void *)s->roots[i].names[0].p);
        mem_free((void *)s->roots[i].names[1].p);
    }
    for (uint32_t i = 0; i < s->n_secrets; i++)
        secret_fini(&s->secrets[i]);
    for (uint32_t i = 0; i < s->n_dirs; i++) {
        error_pages_free(s->dirs[i].pages);
        mem_free((void *)s->dirs[i].names[0].p);
        close(s->dirs[i].dir);
        mem_free((void *)s->dirs[i].names[1].p);
    }
    map_fini(&s->immutable);
    tls_ctx_unref(s->tls);
    bounds_free(s->bounds);
    sites_free(s->sites);
    conf_builder_free(s->builder);
    networks_fini(&s->trusted);
    for (unsigned i = 0; i < CONF_PRESETS; i++)
        networks_fini(&s->cdn[i]);
    mem_free(s);
}
