/*
 * The configuration as the edge serves by it: immutable, reference-counted, swapped whole.
 *
 * An exchange holds the snapshot it began with, so a reload touches no request. Built on lane 0 from what the supervisor sent; read by all lanes.
 */
#ifndef QUINTET_EDGE_SNAPSHOT_H
#define QUINTET_EDGE_SNAPSHOT_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "conf/presets.h"
#include "edge/networks.h"
#include "edge/site.h"
#include "http/h1.h"
#include "os/passwords.h"
#include "os/sock.h"
#include "os/tls.h"

#define SNAPSHOT_ROOTS_MAX 32
#define SNAPSHOT_DIRS_MAX (CONF_SITE_FILES_MAX + 1) /* and that of --error-pages */

/* A directory that is served, known by descriptor only: the edge needs no path to it. */
struct root {
    struct str prefix; /* URL prefix, begins and ends with '/' */
    /* What the application may call it (X-Sendfile), owned: the real path, and the configured one. Compared, never opened. Empty: not known. */
    struct str names[2];
    int dir;    /* O_PATH directory, owned */
    bool media; /* uploads: never a page of the site's origin */
    bool
        index; /* pages: a directory's URL ends with '/' and means its index.html; otherwise directories are not there */
    bool sendable;             /* the application may name a file of it */
    struct error_pages *pages; /* owned; NULL: it is no directory of error pages */
    uint32_t id;               /* no other root of this process had it, those of earlier snapshots included */
};

struct bounds;

/* A file of passwords or a key, as sites and routes name it. */
struct secret {
    struct str name;        /* owned */
    struct str bytes;       /* owned, wiped */
    struct passwords users; /* of the bytes; none: they are no such file */
};

struct snapshot {
    atomic_uint refs;
    struct conf_builder *builder; /* owned */
    const struct conf *conf;      /* the builder's */
    struct sites *sites;          /* owned */
    struct bounds *bounds;        /* owned */
    struct h1_limits limits;
    struct root roots[SNAPSHOT_ROOTS_MAX];
    uint32_t n_roots;
    struct root dirs[SNAPSHOT_DIRS_MAX]; /* of sites and routes, by name */
    uint32_t n_dirs;
    struct secret secrets[CONF_SITE_FILES_MAX];
    uint32_t n_secrets;
    struct tls_ctx *tls;     /* owned reference; NULL: no TLS listeners */
    struct map immutable;    /* hashed names of staticfiles.json, relative to the static root */
    struct networks trusted; /* proxies */
    struct networks
        cdn[CONF_PRESETS]; /* those of them that are a CDN's, by preset; empty for a preset that was not named */
    struct str ssl_name, ssl_value; /* SECURE_PROXY_SSL_HEADER; empty: none */
};

/* From conf_write's form. The roots and tls are set by the caller before first use. 0, -EPROTO, -EINVAL. */
MUST_CHECK int snapshot_new(struct str conf_text, struct snapshot **out);
/* Adds a root (dir is taken over). The static root's manifest is read through it. 0 or -ENOSPC. */
MUST_CHECK int snapshot_add_root(struct snapshot *s, struct str prefix, bool media, int dir);
/* Of the root that was added last: absolute paths, empty where there is none. */
void snapshot_name_root(struct snapshot *s, struct str real, struct str configured);
/* Adds a directory that sites and routes name (dir is taken over), and reads it if it is one of error pages. `real`: its real path. 0 or -ENOSPC. */
MUST_CHECK int snapshot_add_dir(struct snapshot *s, struct str name, struct str real, int dir, struct log *log);
/* By its name as configured; NULL: it is not there. */
const struct root *snapshot_dir(const struct snapshot *s, const char *name);
/* Takes over the bytes. 0 or -ENOSPC. */
MUST_CHECK int snapshot_add_secret(struct snapshot *s, struct str name, struct str bytes);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s); /* NULL allowed */
/* The root with the longest prefix of path, or NULL. */
const struct root *snapshot_root(const struct snapshot *s, struct str path);
bool snapshot_trusts(const struct snapshot *s, const union sock_addr *peer);
/* The preset that was named in --trusted-proxies and holds this address. */
enum conf_preset snapshot_cdn(const struct snapshot *s, const uint8_t address[ADDRESS_LEN]);
bool snapshot_trusts_text(const struct snapshot *s, struct str address); /* false for what is no address */

#endif
