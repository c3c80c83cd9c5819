/*
 * The rows. Order is the order of --help and of the manual: grouped, the most used first.
 * Fixed ones are what a running instance cannot take back: sockets, identity, log files (those are reopened, not renamed).
 */
#include "conf/options.h"

#include <ctype.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct conf, field)
#define MILLISECOND UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define DAY (86400 * SECOND)
#define KIB UINT64_C(1024)
#define TIB (KIB * KIB * KIB * KIB)

static const char *const gc_ways[] = { "idle", "python", NULL };           /* enum conf_gc */
static const char *const log_formats[] = { "auto", "text", "json", NULL }; /* enum conf_log_format */
static const char *const auto_word[] = { "auto", NULL };
static const char *const tls_client_ways[] = { "none", "optional", "required", NULL }; /* enum conf_tls_client */
static const char *const reload_strategies[] = { "beside", "rolling", NULL };          /* enum conf_reload_strategy */
static const char *const log_levels[] = { "debug", "info", "warning", "error", "alert", NULL };

/* clang-format off */
const struct option_row option_table[] = {
    { .name = "app", .type = OPTION_APP, .group = OPTION_GROUP_APP, .flags = OPTION_POSITIONAL | OPTION_WORKERS, AT(app),
      .argument = "MODULE[:CALLABLE]",
      .example = "mysite.wsgi:application", .fallback_help = "the Django project here",
      .help = "what to serve" },
    { .name = "chdir", .type = OPTION_PATH, .group = OPTION_GROUP_APP, .flags = OPTION_FIXED, AT(chdir), .argument = "DIR",
      .example = "/srv/mysite", .fallback_help = "where the command is given",
      .help = "go there first: the project's directory" },
    { .name = "python", .type = OPTION_PATH, .group = OPTION_GROUP_APP, .flags = OPTION_WORKERS, AT(python), .argument = "PATH",
      .example = ".venv/bin/python", .fallback_help = "$VIRTUAL_ENV, .venv or venv here, then python3",
      .help = "the interpreter that runs the application" },
    { .name = "env", .type = OPTION_PAIR, .group = OPTION_GROUP_APP, .flags = OPTION_LIST | OPTION_SECRET | OPTION_WORKERS, AT(env), .argument = "K=V",
      .example = "DJANGO_SETTINGS_MODULE=mysite.settings", .help = "set an environment variable of the application" },
    { .name = "env-file", .type = OPTION_PATH, .group = OPTION_GROUP_APP, .flags = OPTION_LIST | OPTION_SECRET | OPTION_WORKERS, AT(env_file),
      .argument = "FILE", .example = ".env", .help = "read K=V lines from FILE; --env wins" },
    { .name = "reload", .type = OPTION_BOOL, .group = OPTION_GROUP_APP, .flags = OPTION_FIXED, AT(reload), .fallback = "no",
      .help = "reload when a source file changes (development)" },

    { .name = "bind", .flag = 'b', .type = OPTION_ADDRESS, .group = OPTION_GROUP_LISTEN,
      .flags = OPTION_LIST | OPTION_FIXED, AT(bind), .fallback = "127.0.0.1:8000", .argument = "ADDR",
      .fallback_help = "127.0.0.1:8000, or 0.0.0.0:$PORT",
      .help = "listen for HTTP: HOST:PORT, [V6]:PORT, unix:PATH or fd://N; empty: not at all" },
    { .name = "tls-bind", .type = OPTION_ADDRESS, .group = OPTION_GROUP_LISTEN, .flags = OPTION_LIST | OPTION_FIXED,
      AT(tls_bind), .argument = "ADDR", .example = "0.0.0.0:443", .help = "listen for HTTPS" },
    { .name = "certfile", .type = OPTION_PATH, .group = OPTION_GROUP_LISTEN, .flags = OPTION_LIST, AT(certfile), .argument = "FILE",
      .example = "/etc/ssl/mysite.pem", .help = "certificate chain (PEM); repeat in pairs with --keyfile, chosen by the name asked for" },
    { .name = "keyfile", .type = OPTION_PATH, .group = OPTION_GROUP_LISTEN, .flags = OPTION_LIST, AT(keyfile), .argument = "FILE",
      .example = "/etc/ssl/mysite.key", .help = "private key (PEM) of the certificate of the same place" },
    { .name = "tls-client-ca", .type = OPTION_PATH, .group = OPTION_GROUP_LISTEN, AT(tls_client_ca), .argument = "FILE",
      .example = "/etc/ssl/staff-ca.pem", .fallback_help = "clients are not asked for certificates",
      .help = "ask HTTPS clients for a certificate of one of these authorities (PEM, revocation lists too)" },
    { .name = "tls-client-auth", .type = OPTION_CHOICE, .group = OPTION_GROUP_LISTEN, AT(tls_client_auth), .fallback = "required",
      .argument = "HOW", .choices = tls_client_ways,
      .help = "with --tls-client-ca: required, optional (the application decides) or none; the application sees it as SSL_CLIENT_VERIFY" },

    { .name = "workers", .flag = 'w', .type = OPTION_NUMBER, .group = OPTION_GROUP_WORKERS, .flags = OPTION_WORKERS, AT(workers), .max = 256, .fallback = "0",
      .argument = "N", .foreign = "WEB_CONCURRENCY", .fallback_help = "0: number of cores", .help = "worker processes" },
    { .name = "threads", .type = OPTION_NUMBER, .group = OPTION_GROUP_WORKERS, .flags = OPTION_WORKERS, AT(threads), .min = 1, .max = 1024, .fallback = "1",
      .argument = "N", .help = "threads in each worker" },
    { .name = "edge-threads", .type = OPTION_NUMBER, .group = OPTION_GROUP_WORKERS, .flags = OPTION_FIXED, AT(edge_threads), .max = 8,
      .fallback = "0", .argument = "N", .fallback_help = "0: by the number of cores", .help = "threads of the edge" },
    { .name = "timeout", .flag = 't', .type = OPTION_DURATION, .group = OPTION_GROUP_WORKERS, AT(timeout), .max = DAY,
      .fallback = "30s", .argument = "TIME", .help = "longest a request may run in the application; 0: no limit" },
    { .name = "queue-timeout", .type = OPTION_DURATION, .group = OPTION_GROUP_WORKERS, AT(queue_timeout), .min = MILLISECOND, .max = DAY,
      .fallback = "10s", .argument = "TIME", .help = "longest a request may wait for a worker, then 503" },
    { .name = "queue-size", .type = OPTION_NUMBER, .group = OPTION_GROUP_WORKERS, AT(queue_size), .min = 1, .max = 1000000,
      .fallback = "1024", .argument = "N", .help = "most requests waiting for a worker, then 503" },
    { .name = "graceful-timeout", .type = OPTION_DURATION, .group = OPTION_GROUP_WORKERS, AT(graceful_timeout), .max = DAY,
      .fallback = "30s", .argument = "TIME", .help = "longest drain at reload and stop" },
    { .name = "shutdown-delay", .type = OPTION_DURATION, .group = OPTION_GROUP_WORKERS, AT(shutdown_delay), .max = DAY,
      .fallback = "auto", .argument = "TIME", .choices = auto_word,
      .fallback_help = "auto: 5s where readiness is watched, else 0",
      .help = "at a stop, serve on for so long while readiness fails already" },
    { .name = "keep-alive", .type = OPTION_DURATION, .group = OPTION_GROUP_WORKERS, AT(keep_alive), .max = DAY, .fallback = "75s",
      .argument = "TIME", .help = "how long a client may stay connected idle; 0: close after each answer" },
    { .name = "warmup", .type = OPTION_URL_PATH, .group = OPTION_GROUP_WORKERS, .flags = OPTION_LIST | OPTION_WORKERS, AT(warmup), .argument = "PATH",
      .example = "/", .help = "a page each worker must answer before it serves; an error fails the start or the reload" },
    { .name = "gc", .type = OPTION_CHOICE, .group = OPTION_GROUP_WORKERS, .flags = OPTION_WORKERS, AT(gc), .fallback = "idle", .argument = "WHEN",
      .choices = gc_ways, .help = "collect Python's garbage between requests (idle), or leave it to the interpreter (python)" },
    { .name = "max-requests", .type = OPTION_NUMBER, .group = OPTION_GROUP_WORKERS, .flags = OPTION_WORKERS, AT(max_requests), .max = 1000000000,
      .fallback = "0", .argument = "N", .fallback_help = "0: never", .help = "replace a worker after so many requests, its successor ready first" },
    { .name = "max-requests-jitter", .type = OPTION_NUMBER, .group = OPTION_GROUP_WORKERS, .flags = OPTION_WORKERS, AT(max_requests_jitter), .max = 1000000000,
      .fallback = "0", .argument = "N", .help = "up to so many more, drawn for each worker: they are not replaced all at once" },
    { .name = "max-worker-memory", .type = OPTION_SIZE, .group = OPTION_GROUP_WORKERS, AT(max_worker_memory), .max = TIB,
      .fallback = "0", .argument = "SIZE", .fallback_help = "0: no limit", .example = "500m",
      .help = "replace a worker that has grown past SIZE, its successor ready first" },
    { .name = "reload-strategy", .type = OPTION_CHOICE, .group = OPTION_GROUP_WORKERS, AT(reload_strategy), .fallback = "beside",
      .argument = "HOW", .choices = reload_strategies,
      .help = "beside: all new workers boot beside the old ones; rolling: one after the other, where memory is short" },
    { .name = "keep-generation", .type = OPTION_DURATION, .group = OPTION_GROUP_WORKERS, AT(keep_generation), .max = DAY, .fallback = "0",
      .argument = "TIME", .fallback_help = "0: not at all", .example = "10m",
      .help = "how long the workers before a reload stay booted, for `quintet rollback`" },
    { .name = "preload", .type = OPTION_BOOL, .group = OPTION_GROUP_WORKERS, AT(preload), .fallback = "no",
      .help = "import the application once and fork the workers from it: they share memory" },

    { .name = "limit-request-line", .type = OPTION_SIZE, .group = OPTION_GROUP_LIMITS, AT(limit_request_line), .min = 256,
      .max = 32 * KIB, .fallback = "8k", .argument = "SIZE", .help = "longest request line, 414 beyond" },
    { .name = "limit-request-fields", .type = OPTION_NUMBER, .group = OPTION_GROUP_LIMITS, AT(limit_request_fields), .min = 8,
      .max = 256, .fallback = "100", .argument = "N", .help = "most header fields of a request, 431 beyond" },
    { .name = "limit-request-field-size", .type = OPTION_SIZE, .group = OPTION_GROUP_LIMITS, AT(limit_request_field_size), .min = 256,
      .max = 48 * KIB, .fallback = "16k", .argument = "SIZE", .help = "longest header field of a request, 431 beyond" },
    { .name = "max-body-size", .type = OPTION_SIZE, .group = OPTION_GROUP_LIMITS, AT(max_body_size), .min = 1, .max = TIB,
      .fallback = "100m", .argument = "SIZE", .help = "longest request body, 413 beyond" },
    { .name = "limit-connections", .type = OPTION_NUMBER, .group = OPTION_GROUP_LIMITS, AT(limit_connections), .max = 1000000,
      .fallback = "0", .argument = "N", .fallback_help = "0: by descriptors and memory",
      .help = "most connections at a time; beyond, idle and slow ones make room" },
    { .name = "limit-connections-per-address", .type = OPTION_NUMBER, .group = OPTION_GROUP_LIMITS,
      AT(limit_connections_per_address), .max = 1000000, .fallback = "0", .argument = "N", .fallback_help = "0: no limit",
      .help = "most connections of one client address (IPv6: /64), closed beyond; not of --trusted-proxies" },
    { .name = "trusted-proxies", .type = OPTION_NETWORK, .group = OPTION_GROUP_LIMITS, .flags = OPTION_LIST | OPTION_COMMAS,
      AT(trusted_proxies), .argument = "CIDR,…", .example = "10.0.0.0/8", .foreign = "FORWARDED_ALLOW_IPS",
      .help = "whose X-Forwarded-*, Forwarded and PROXY protocol count; also private, cloudflare, cloudfront; *: anybody's" },

    { .name = "static", .type = OPTION_MAP, .group = OPTION_GROUP_FILES, .flags = OPTION_LIST, AT(static_map), .argument = "URL=DIR",
      .example = "/static/=var/static", .fallback_help = "from Django", .help = "serve the files of DIR under URL" },
    { .name = "media", .type = OPTION_MAP, .group = OPTION_GROUP_FILES, .flags = OPTION_LIST, AT(media_map), .argument = "URL=DIR",
      .example = "/media/=var/media", .fallback_help = "from Django", .help = "the same for files that users have uploaded" },

    { .name = "error-pages", .type = OPTION_DIRECTORY, .group = OPTION_GROUP_FILES, AT(error_pages), .argument = "DIR", .example = "errors/",
      .fallback_help = "Quintet's own", .help = "pages of yours for errors that Quintet answers: 404.html, 5xx.html, 429.json" },

    { .name = "access-log", .type = OPTION_PATH, .group = OPTION_GROUP_LOGS, .flags = OPTION_FIXED, AT(access_log), .fallback = "-",
      .argument = "FILE", .fallback_help = "-: standard output", .help = "a line for each answer; - or off" },
    { .name = "log", .type = OPTION_PATH, .group = OPTION_GROUP_LOGS, .flags = OPTION_FIXED, AT(log), .fallback = "-", .argument = "FILE",
      .fallback_help = "-: standard error", .help = "what happens, and what the application prints; - or off" },
    { .name = "log-format", .type = OPTION_CHOICE, .group = OPTION_GROUP_LOGS, .flags = OPTION_FIXED, AT(log_format), .fallback = "auto",
      .argument = "FORMAT", .choices = log_formats, .fallback_help = "text on a terminal, json elsewhere", .help = "text or json" },
    { .name = "log-level", .type = OPTION_WORD, .group = OPTION_GROUP_LOGS, AT(log_level), .fallback = "info", .argument = "LEVEL",
      .choices = log_levels, .help = "debug, info, warning, error or alert" },
    { .name = "metrics-bind", .type = OPTION_ADDRESS, .group = OPTION_GROUP_LOGS, .flags = OPTION_FIXED, AT(metrics_bind),
      .argument = "ADDR", .example = "127.0.0.1:9000",
      .help = "listen for /metrics (Prometheus), /healthz, /readyz and /status, and nothing else" },
    { .name = "health-path", .type = OPTION_URL_PATH, .group = OPTION_GROUP_LOGS, AT(health_path), .argument = "PATH",
      .example = "/up", .help = "answer liveness there, without the application, on the public listeners" },

    { .name = "config", .flag = 'c', .type = OPTION_PATH, .group = OPTION_GROUP_INSTANCE, .flags = OPTION_FIXED | OPTION_NO_FILE,
      AT(config), .argument = "FILE", .fallback_help = "quintet.yaml if there", .help = "the configuration file" },
    { .name = "control", .type = OPTION_PATH, .group = OPTION_GROUP_INSTANCE, .flags = OPTION_FIXED, AT(control),
      .fallback = ".quintet/control.sock", .argument = "PATH", .help = "the socket by which reload, stop, status and the other commands reach what runs" },
    { .name = "pid", .type = OPTION_PATH, .group = OPTION_GROUP_INSTANCE, .flags = OPTION_FIXED, AT(pid), .argument = "FILE",
      .example = "/run/mysite.pid", .help = "write the supervisor's process id to FILE" },
    { .name = "user", .type = OPTION_TEXT, .group = OPTION_GROUP_INSTANCE, .flags = OPTION_FIXED, AT(user), .argument = "NAME",
      .example = "www-data", .help = "run the workers as this user" },
    { .name = "group", .type = OPTION_TEXT, .group = OPTION_GROUP_INSTANCE, .flags = OPTION_FIXED, AT(group), .argument = "NAME",
      .example = "www-data", .fallback_help = "the user's", .help = "run the workers in this group" },
    { .name = "umask", .type = OPTION_OCTAL, .group = OPTION_GROUP_INSTANCE, .flags = OPTION_FIXED, AT(umask), .max = 0777,
      .argument = "MODE", .example = "022", .help = "file mode bits the workers leave out" },

    { .name = "django-settings", .type = OPTION_TEXT, .group = OPTION_GROUP_DJANGO, AT(django_settings), .help = "DJANGO_SETTINGS_MODULE" },
    { .name = "allowed-hosts", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, .flags = OPTION_LIST, AT(allowed_hosts),
      .help = "ALLOWED_HOSTS" },
    { .name = "static-manifest", .type = OPTION_PATH, .group = OPTION_GROUP_DJANGO, AT(static_manifest), .help = "path of staticfiles.json" },
    { .name = "x-frame-options", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, AT(x_frame_options), .help = "X_FRAME_OPTIONS" },
    { .name = "referrer-policy", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, AT(referrer_policy), .help = "SECURE_REFERRER_POLICY" },
    { .name = "hsts", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, AT(hsts), .help = "Strict-Transport-Security" },
    { .name = "cross-origin-opener-policy", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, AT(cross_origin_opener_policy),
      .help = "SECURE_CROSS_ORIGIN_OPENER_POLICY" },
    { .name = "nosniff", .type = OPTION_BOOL, .group = OPTION_GROUP_DJANGO, AT(nosniff), .fallback = "yes",
      .help = "SECURE_CONTENT_TYPE_NOSNIFF" },
    { .name = "use-x-forwarded-host", .type = OPTION_BOOL, .group = OPTION_GROUP_DJANGO, AT(use_x_forwarded_host), .fallback = "no",
      .help = "USE_X_FORWARDED_HOST" },
    { .name = "proxy-ssl-header", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, AT(proxy_ssl_header), .help = "SECURE_PROXY_SSL_HEADER" },
    { .name = "ssl-redirect", .type = OPTION_BOOL, .group = OPTION_GROUP_DJANGO, AT(ssl_redirect), .fallback = "no",
      .help = "SECURE_SSL_REDIRECT, unless SECURE_REDIRECT_EXEMPT says more" },
    { .name = "ssl-host", .type = OPTION_FIELD, .group = OPTION_GROUP_DJANGO, AT(ssl_host), .help = "SECURE_SSL_HOST" },
    { .name = "debug", .type = OPTION_BOOL, .group = OPTION_GROUP_DJANGO, AT(debug), .fallback = "no", .help = "DEBUG" },
};
/* clang-format on */
const size_t option_count = ARRAY_LEN(option_table);

static const char *const group_titles[OPTION_GROUPS] = {
    [OPTION_GROUP_APP] = "The application",
    [OPTION_GROUP_LISTEN] = "Listening",
    [OPTION_GROUP_WORKERS] = "Workers, queue and time",
    [OPTION_GROUP_LIMITS] = "Limits and proxies",
    [OPTION_GROUP_FILES] = "Static and media files",
    [OPTION_GROUP_LOGS] = "Logs and watching",
    [OPTION_GROUP_INSTANCE] = "The running instance",
    [OPTION_GROUP_DJANGO] = "Known from the Django settings",
    [OPTION_GROUP_MATCH] = "Which requests",
    [OPTION_GROUP_ANSWER] = "What answers",
    [OPTION_GROUP_SETTINGS] = "Under which rules",
};

const char *option_group_title(enum option_group group)
{
    return group_titles[group];
}

size_t option_index(const struct option_row *row)
{
    return (size_t)(row - option_table);
}

/* Dashes and underscores are the same here: each caller has checked the spelling of its place. */
bool option_has_name(const struct option_row *row, struct str name)
{
    if (name.n != strlen(row->name))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((name.p[i] == '_' ? '-' : name.p[i]) != row->name[i])
            return false;
    return true;
}

const struct option_row *option_find(struct str name)
{
    for (size_t i = 0; i < option_count; i++)
        if (option_has_name(&option_table[i], name))
            return &option_table[i];
    return NULL;
}

const struct option_row *option_find_flag(char flag)
{
    for (size_t i = 0; i < option_count; i++)
        if (flag && option_table[i].flag == flag)
            return &option_table[i];
    return NULL;
}

void option_spell(const struct option_row *row, enum option_spelling how, char out[OPTION_NAME_MAX])
{
    static const char *const prefix[] = { "--", "QUINTET_", "" };
    size_t n = strlen(prefix[how]);
    const char *p;

    must(n + strlen(row->name) < OPTION_NAME_MAX);
    memcpy(out, prefix[how], n);
    for (p = row->name; *p; p++) {
        char c = how != OPTION_SPELL_ARGUMENT && *p == '-' ? '_' : *p;

        out[n++] = how == OPTION_SPELL_ENVIRONMENT ? (char)toupper((unsigned char)c) : c;
    }
    out[n] = '\0';
}
