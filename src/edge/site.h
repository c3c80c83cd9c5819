/*
 * Sites and routes as the edge serves by them: conf/sites.h, compiled once a snapshot.
 *
 *      host ─▶ site: the name itself, then "*.rest", then the default; none: 421
 *      path ─▶ route of the site: the longest that encloses it, else the site's own
 *
 * A request's path can be written in many ways ("/%61dmin/", "//admin/", "/x/../admin/"), and the application and the file handler read it each in
 * theirs. So it is looked up twice when it is not plain: as the application sees it (percent-decoded), and with "//", "." and ".." resolved as well.
 * If that leads to different routes, nobody can say which rules are meant, and site_find refuses (400): no spelling slips past a rule.
 *
 * Immutable and owned by the snapshot; any lane. What a reload must not forget (rates, counters) is kept elsewhere, under route->name.
 */
#ifndef QUINTET_EDGE_SITE_H
#define QUINTET_EDGE_SITE_H

#include "base/hash.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/conf.h"
#include "http/head.h"

struct error_pages;
struct exchange;
struct log;
struct site;
struct root;
struct secret;

struct route {
    const struct conf_route *conf; /* borrowed from the snapshot's conf: every setting has its value there */
    const struct site *site;
    struct str path;         /* "/docs/"; a site's own: "/" */
    struct str name;         /* "example.com/docs/", " =" behind an exact one; the same in every snapshot; owned */
    uint32_t nth;            /* of all routes of the snapshot, for arrays beside this one */
    enum conf_answer answer; /* the handler; a default one is decided by static and media directories */
    const struct root *root; /* CONF_ANSWER_ROOT: borrowed; NULL: the directory is not there */
    const struct error_pages *pages;      /* borrowed; NULL: our own alone */
    bool basic, is_signed;                /* asked for: whoever has no passwords or key then lets nobody in */
    const struct secret *passwords, *key; /* borrowed; NULL: none, or it did not come */
    struct header *headers;               /* owned; to be set, or removed when the value is empty */
    uint32_t n_headers;
};

struct site {
    const struct conf_site *conf;
    struct route own;     /* what no route matches */
    struct route *routes; /* owned; longest path first */
    uint32_t n_routes;
};

struct sites {
    struct site *sites; /* owned */
    uint32_t n;
    struct map exact, wildcard;    /* host; what follows "*." */
    const struct site *fallback;   /* "*"; NULL: unknown hosts are refused */
    const struct route *elsewhere; /* of what is refused before it is known whose it is */
    uint32_t n_routes;             /* of all */
    bool simple;                   /* one site for all hosts, without routes: nothing to look for */
};

/* From a conf that has been resolved. 0 or -EINVAL. */
MUST_CHECK int sites_new(const struct conf *conf, struct sites **out);
/* A directory has come: the routes that name it have it from now on, for files or for error pages, which are read then. */
void sites_bind_root(struct sites *sites, struct root *root, struct log *log);
/* The same for a file of passwords or a key. */
void sites_bind_secret(struct sites *sites, const struct secret *secret);
void sites_free(struct sites *sites); /* NULL allowed */

/* By a host in any case, without port, with or without its last dot; NULL: nobody's. */
const struct site *sites_host(const struct sites *sites, struct str host);
/* By a path that is decoded and normalised. */
const struct route *site_route(const struct site *site, struct str path);
/* Sets ex->route. 0; -ENOENT: an unknown host; -EINVAL: a path that belongs to one route or another, depending on who reads it. */
MUST_CHECK int site_find(struct exchange *ex);
/* Are answers for somebody alone? Then no shared cache may keep them: it asks nobody for a password, and all clients' addresses are one to it. */
static inline bool route_is_private(const struct route *route)
{
    return route->basic || route->is_signed || route->conf->allow.n > 0;
}
/* What of the request's path, as the client wrote it, is behind the part that belongs to the level whose answer the route gives. */
struct str site_rest(const struct exchange *ex);

#endif
