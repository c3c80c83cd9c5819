/*
 * Sites and routes: what quintet.yaml says about hosts and paths.
 *
 *      top      the file's own keys: for everybody
 *      site     hosts, and what is meant for all of them
 *      route    a path and what is below it
 *
 * The three levels are one struct with one table of rows (route_options.c). A row that was set has its bit in `set`; conf_sites_resolve, which the
 * edge calls on its copy, fills in the others: from the route around it (the longest other path that encloses its own), then the site, then the
 * top, then the option of the same name, then the default. Lists replace, headers merge by name. Whoever needs a setting adds its field here and
 * its row there; after conf_sites_resolve it has a value in every route.
 *
 * Owned by struct conf, built by one reader, one thread.
 */
#ifndef QUINTET_CONF_SITES_H
#define QUINTET_CONF_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/list.h"

#define CONF_SITES_MAX 256
#define CONF_ROUTES_MAX 256    /* of a site */
#define CONF_SITE_FILES_MAX 64 /* directories, and secret files, of all */
#define CONF_HEADER_MAX 4096   /* bytes of one: name and value */
#define CONF_RATE_LIMITS_MAX 4
#define CONF_KEY_MIN 16 /* bytes of a key for signed URLs: with an empty one anybody could sign */

struct conf;

/* What answers; the keys of one level exclude each other. */
enum conf_answer {
    CONF_ANSWER_DEFAULT, /* a static or media file where there is such a directory, else the application */
    CONF_ANSWER_APP,     /* the application, also under STATIC_URL */
    CONF_ANSWER_ROOT,
    CONF_ANSWER_REDIRECT,
    CONF_ANSWER_RESPOND,
};

struct conf_route {
    uint64_t set; /* one bit a row: said at this level; after conf_sites_resolve: at this or one around it */
    uint64_t own; /* after conf_sites_resolve: said at this level */
    const struct conf_route *around; /* the same: what it has inherited from; NULL: the file */
    char *place;                     /* owned: "quintet.yaml:12"; NULL: the implied route of a site */
    /* which requests */
    char *path; /* decoded, begins with '/'; "/x" is whole segments, "/x/" what is below; NULL but in a route */
    bool exact; /* this path alone */
    struct conf_list hosts; /* a site's, lower case: "example.com", "*.example.com" (one label), "*"; none: "*" */
    /* what answers */
    bool app;
    char *root;     /* directory */
    char *redirect; /* path or URL; {host} {path} {query} */
    char *respond;  /* text, may be empty */
    uint64_t status;
    char *content_type;
    size_t answer_cut; /* after resolve: bytes of the path that belong to the level whose answer this is */
    /* with which settings */
    bool internal;            /* not for clients: only for files that the application names */
    char *error_pages;        /* directory */
    struct conf_list headers; /* "Name: value"; "Name:" removes */
    uint64_t max_body_size;
    uint64_t timeout, queue_timeout;
    bool compress;
    struct conf_list allow, deny; /* always ADDRESS/PREFIX */
    struct conf_list rate_limit;  /* rate_limit.h; at most CONF_RATE_LIMITS_MAX */
    uint64_t concurrency;         /* 0: no limit */
    char *basic_auth;             /* htpasswd file; "off" */
    char *signed_by;              /* key file; "off" */
};

struct conf_site {
    struct conf_route own;     /* its path becomes "/" in conf_sites_resolve: what no route matches */
    struct conf_route *routes; /* owned; after resolve: shortest path first, an exact one behind its equal */
    size_t n_routes;
};

struct conf_sites {
    struct conf_route top;
    struct conf_site *sites; /* owned */
    size_t n;
    bool listed; /* under `sites:`; else the one site is the file's own */
};

/* New ones are empty; the pointer is good until the next is added. NULL: there are CONF_…_MAX. */
struct conf_site *conf_sites_add(struct conf_sites *sites);
struct conf_route *conf_site_add(struct conf_site *site);
void conf_sites_fini(struct conf_sites *sites);
/* Was anything said at all? */
bool conf_sites_any(const struct conf_sites *sites);
enum conf_files { CONF_FILES_DIRECTORY, CONF_FILES_SECRET };
/* What all levels name of OPTION_DIRECTORY or OPTION_SECRET_FILE, each once, "off" left out. How many. */
size_t conf_sites_files(const struct conf_sites *sites, enum conf_files kind, const char *out[CONF_SITE_FILES_MAX]);
/* Does any level give this value to the option of that name (text types only)? */
bool conf_sites_uses(const struct conf_sites *sites, struct str name, const char *value);
enum conf_answer conf_route_answer(const struct conf_route *route);
/* "example.com", "*"; of the first host. */
struct str conf_site_name(const struct conf_site *site);
/* The rules between the keys. 0 or -EINVAL with the place and what is wrong in error. */
MUST_CHECK int conf_sites_check(const struct conf_sites *sites, char *error);
/* Every level gets the values it inherits; there is at least one site afterwards. Once, on a conf that has been checked. */
void conf_sites_resolve(struct conf *conf);
/* Whose word on this row counts for the route: its own or one around it; the file when nobody has said anything. */
const struct conf_route *conf_route_level(const struct conf_route *route, struct str name);
/* Does a path (decoded, normalised) belong to the route? */
bool conf_route_matches(const struct conf_route *route, struct str path);
/* The key in a file of `signed`: without the ends of lines and blanks around it. */
struct str conf_sites_key(struct str file);

#endif
