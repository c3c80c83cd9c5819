/*
 * The configuration in force: a typed struct, filled row by row from the option table (conf/options.c).
 *
 * Precedence: command line, QUINTET_<OPTION> in the environment (and the few foreign names of the interface page), quintet.yaml, the project's Django settings,
 * the default. Each value remembers where it came from. A malformed or unknown option is an error with its place, what was found, what was expected and
 * the nearest known name. Immutable once built, except by whoever builds it; one thread.
 */
#ifndef QUINTET_CONF_CONF_H
#define QUINTET_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/list.h"
#include "conf/sites.h"

enum conf_gc { CONF_GC_IDLE, CONF_GC_PYTHON };
enum conf_reload_strategy { CONF_RELOAD_BESIDE, CONF_RELOAD_ROLLING };
enum conf_tls_client { CONF_TLS_CLIENT_NONE, CONF_TLS_CLIENT_OPTIONAL, CONF_TLS_CLIENT_REQUIRED };
enum conf_log_format { CONF_LOG_AUTO, CONF_LOG_TEXT, CONF_LOG_JSON };

#define CONF_AUTO UINT64_MAX /* a duration that was left to a rule */

/* Durations are nanoseconds, sizes bytes. Strings are owned; NULL: not set. timeout 0: no limit; keep_alive 0: close after each answer. */
struct conf {
    /* what to run */
    char *app; /* MODULE[:CALLABLE]; NULL: find the Django project */
    char *chdir;
    char *python;
    struct conf_list env; /* K=V */
    struct conf_list env_file;
    char *user, *group;
    char *umask; /* octal text; NULL: leave */
    char *pid;
    char *config;
    char *control;
    /* listeners */
    struct conf_list bind, tls_bind, certfile, keyfile;
    char *tls_client_ca;
    enum conf_tls_client tls_client_auth; /* without tls_client_ca: nobody is asked */
    char *metrics_bind;
    /* processes */
    uint64_t workers, threads; /* workers 0: number of cores */
    uint64_t edge_threads;     /* 0: by rule */
    uint64_t timeout, queue_timeout, graceful_timeout, keep_alive;
    uint64_t shutdown_delay; /* CONF_AUTO: by the supervisor's rule */
    uint64_t queue_size;
    uint64_t max_requests, max_requests_jitter; /* max_requests 0: never recycled */
    uint64_t max_worker_memory;                 /* 0: no limit */
    enum conf_gc gc;
    bool preload;            /* workers are forked from a process that has imported the application */
    struct conf_list warmup; /* paths asked of each worker before it serves */
    bool reload;
    enum conf_reload_strategy reload_strategy;
    uint64_t keep_generation; /* 0: not kept */
    /* limits */
    uint64_t limit_request_line, limit_request_fields, limit_request_field_size, max_body_size;
    uint64_t limit_connections, limit_connections_per_address; /* 0: by rule; off */
    struct conf_list trusted_proxies; /* ADDRESS/PREFIX or a preset; "*" has become 0.0.0.0/0 and ::/0 */
    /* files: URL=DIR */
    struct conf_list static_map, media_map;
    char *error_pages; /* directory */
    char *health_path;
    /* hosts and paths; in the file alone */
    struct conf_sites sites;
    /* logs */
    char *access_log, *log;
    enum conf_log_format log_format;
    char *log_level;
    /* known from the Django settings only (not on the command line; shown by `quintet config`) */
    char *django_settings;          /* DJANGO_SETTINGS_MODULE; NULL: not Django */
    struct conf_list allowed_hosts; /* ALLOWED_HOSTS */
    char *static_manifest;          /* path of staticfiles.json */
    char *x_frame_options;          /* X_FRAME_OPTIONS */
    char *referrer_policy;          /* SECURE_REFERRER_POLICY */
    char *hsts;                     /* whole Strict-Transport-Security value, or NULL */
    char *cross_origin_opener_policy;
    bool nosniff;              /* SECURE_CONTENT_TYPE_NOSNIFF; default true */
    bool use_x_forwarded_host; /* USE_X_FORWARDED_HOST */
    char *proxy_ssl_header;    /* SECURE_PROXY_SSL_HEADER as "X-Forwarded-Proto: https"; NULL: none */
    bool ssl_redirect;         /* SECURE_SSL_REDIRECT, where it can be done without running Python */
    char *ssl_host;            /* SECURE_SSL_HOST */
    bool debug;                /* DEBUG */
};

enum conf_source { CONF_DEFAULT, CONF_DJANGO, CONF_FILE, CONF_ENVIRONMENT, CONF_COMMAND_LINE };

struct conf_builder; /* a conf under construction with the source of each value */

#define CONF_ERROR_MAX 1024

struct conf_builder *conf_builder_new(void); /* all defaults */
void conf_builder_free(struct conf_builder *b);
/* Each returns 0, or -EINVAL with a whole message in `error` (place, found, expected, nearest name): print it and exit 2. A lower-ranking source never
 * replaces a value of a higher one, whatever the order of the calls. */
/* argv as main's: argv[0] (the program, or the command such as "run") is not looked at. --help and what belongs to one command alone
 * (--json …) the caller has taken out. */
MUST_CHECK int conf_read_args(struct conf_builder *b, int argc, char *const *argv, char error[CONF_ERROR_MAX]);
/* `envp` as environ; what does not begin with QUINTET_ and is none of the foreign names is ignored. */
MUST_CHECK int conf_read_env(struct conf_builder *b, char *const *envp, char error[CONF_ERROR_MAX]);
/* `must_exist`: named by -c. -ENOENT is no error otherwise. */
MUST_CHECK int conf_read_file(struct conf_builder *b, const char *path, bool must_exist, char error[CONF_ERROR_MAX]);
/* name = an option's name with underscores or one of the Django-only ones; used for what the inspection of the settings found. */
MUST_CHECK int conf_set(struct conf_builder *b, enum conf_source source, struct str place, struct str name,
                        struct str value, char error[CONF_ERROR_MAX]);
/* Rules between options (a certificate without key, threads × workers too many …) and the filled-in defaults. The conf stays the builder's. */
MUST_CHECK int conf_finish(struct conf_builder *b, char error[CONF_ERROR_MAX]);
/* Sites and routes get what they inherit, once, for who serves by it. 0, or -EINVAL when conf_finish would refuse them. */
MUST_CHECK int conf_resolve(struct conf_builder *b);
/* Who has set an option (its name with underscores or dashes); must exist. */
enum conf_source conf_source_of(const struct conf_builder *b, struct str name);
const struct conf *conf_of(const struct conf_builder *b);

/* Names of the options, comma-separated, that differ between the two and that a reload cannot change. Nothing is added when there are none. */
MUST_CHECK int conf_restart_needed(const struct conf_builder *running, const struct conf_builder *wanted,
                                   struct buf *out);

/* The same for those that take effect with new workers only. */
MUST_CHECK int conf_workers_needed(const struct conf_builder *running, const struct conf_builder *wanted,
                                   struct buf *out);

/* The form in which a conf travels to the edge: "name value\n" a line, values escaped; Django-only ones included; `env` and `env_file` left
 * out, as they may hold secrets. 0 or -EMSGSIZE. */
MUST_CHECK int conf_write(const struct conf_builder *b, struct buf *out);
/* 0 and a builder of the caller's, or -EPROTO. Every value is checked as if a user had given it. */
MUST_CHECK int conf_read(struct str text, struct conf_builder **out);
/* The same for a text of another version: what it does not know is left out, what the text lacks has its default. */
struct conf_builder *conf_read_old(struct str text);

/* `quintet config`: a table "option value source", or JSON; `defaults` shows a complete example file in YAML instead. */
MUST_CHECK int conf_show_table(const struct conf_builder *b, struct buf *out);
MUST_CHECK int conf_show_json(const struct conf_builder *b, struct buf *out);
MUST_CHECK int conf_show_defaults(struct buf *out);
/* The options part of --help, from the same table. */
MUST_CHECK int conf_help(struct buf *out);

#endif
