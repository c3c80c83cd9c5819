/*
 * Answers to unknown names. People come with the command lines of other servers in their hands: the table says in a word what
 * those options are called here, or why there is none. Short options of theirs are rows of one letter.
 */
#include "conf/hint.h"

#include <string.h>

#include "conf/mistake.h"

#define NO_KIND "there is one kind of worker here; leave it out, and see --workers and --threads"
#define FOREGROUND "run it in the foreground, under systemd or in a container"
#define NOT_NEEDED "not needed here; leave it out"

static const struct {
    const char *name;
    const char *say;
} foreign[] = {
    /* Gunicorn */
    { "access-logfile", "use --access-log FILE" },
    { "error-logfile", "use --log FILE" },
    { "log-file", "use --log FILE" },
    { "access-logformat", "use --log-format text or json" },
    { "log-config", "use --log-format and --log-level; the application's own logging stays Django's" },
    { "capture-output", "what the application prints is always in the log; leave it out" },
    { "worker-class", NO_KIND },
    { "k", NO_KIND },
    { "worker-connections", NO_KIND },
    { "worker-tmp-dir", NOT_NEEDED },
    { "daemon", FOREGROUND },
    { "D", FOREGROUND },
    { "backlog", "use --queue-size N" },
    { "preload-app", "see --preload" },
    { "forwarded-allow-ips", "use --trusted-proxies CIDR" },
    { "proxy-allow-from", "use --trusted-proxies CIDR" },
    { "proxy-protocol", "use --trusted-proxies CIDR" },
    { "pythonpath", "use --env PYTHONPATH=DIR" },
    { "paste", "give MODULE:CALLABLE" },
    { "name", "process titles are fixed; leave it out" },
    { "proc-name", "process titles are fixed; leave it out" },
    { "n", "process titles are fixed; leave it out" },
    { "e", "use --env K=V" },
    { "u", "use --user NAME" },
    { "g", "use --group NAME" },
    { "m", "use --umask MODE" },
    { "p", "use --pid FILE" },
    { "R", NOT_NEEDED },
    { "check-config", "use `quintet check`" },
    { "print-config", "use `quintet config`" },
    { "ca-certs", "use --tls-client-ca FILE" },
    { "statsd-host", "see --metrics-bind (Prometheus)" },
    /* uvicorn, hypercorn, granian */
    { "host", "use --bind HOST:PORT" },
    { "port", "use --bind HOST:PORT" },
    { "uds", "use --bind unix:PATH" },
    { "fd", "use --bind fd://N" },
    { "ssl-certfile", "use --certfile FILE and --tls-bind ADDR" },
    { "ssl-keyfile", "use --keyfile FILE and --tls-bind ADDR" },
    { "ssl-certificate", "use --certfile FILE and --tls-bind ADDR" },
    { "proxy-headers", "use --trusted-proxies CIDR" },
    { "app-dir", "use --chdir DIR" },
    { "root-path", "set FORCE_SCRIPT_NAME in the Django settings" },
    { "factory", "give MODULE:CALLABLE() to call a factory" },
    { "interface", NO_KIND },
    { "loop", NO_KIND },
    { "http", "use --bind HOST:PORT" },
    { "lifespan", NO_KIND },
    { "timeout-keep-alive", "use --keep-alive TIME" },
    { "timeout-graceful-shutdown", "use --graceful-timeout TIME" },
    { "limit-concurrency", "use --queue-size N" },
    { "limit-max-requests", "see --max-requests" },
    { "workers-max-rss", "see --max-worker-memory" },
    { "static-path-mount", "use --static URL=DIR" },
    { "static-path-route", "use --static URL=DIR" },
    /* uWSGI */
    { "processes", "use --workers N" },
    { "module", "give MODULE:CALLABLE" },
    { "wsgi-file", "give MODULE:CALLABLE" },
    { "socket", "use --bind ADDR" },
    { "http-socket", "use --bind ADDR" },
    { "harakiri", "use --timeout TIME" },
    { "static-map", "use --static URL=DIR" },
    { "virtualenv", "use --python PATH" },
    { "pidfile", "use --pid FILE" },
    { "uid", "use --user NAME" },
    { "gid", "use --group NAME" },
    { "buffer-size", "use --limit-request-field-size SIZE" },
};

/* Small letters and dashes, except that a single letter keeps its case: -R is not -r. */
static struct str normal_name(struct str name, char out[OPTION_NAME_MAX])
{
    size_t n = name.n < OPTION_NAME_MAX ? name.n : 0;

    for (size_t i = 0; i < n; i++)
        out[i] = name.p[i] == '_' ? '-' : n == 1 ? name.p[i] : ascii_lower(name.p[i]);
    return str_make(out, n);
}

/* The nearest so far. */
struct nearest {
    const struct option_row *row;
    unsigned distance;
};

static void consider(struct nearest *best, struct str name, const struct option_row *row)
{
    struct str other = str_of(row->name);
    /* "graceful" stands for graceful-timeout, but a near misspelling of a whole name is the better guess */
    unsigned distance = name.n >= 3 && str_starts(other, name) ? 1 : str_distance(name, other);

    if (distance < best->distance || (distance == best->distance && !best->row))
        *best = (struct nearest){ row, distance };
}

static unsigned near_enough(struct str name)
{
    return name.n < 4 ? 1 : name.n < 9 ? 2 : 3;
}

const struct option_row *hint_nearest(struct str typed)
{
    char normal[OPTION_NAME_MAX];
    struct str name = normal_name(typed, normal);
    struct nearest best = { NULL, near_enough(name) };

    for (size_t i = 0; i < option_count && name.n >= 2; i++)
        if (option_is_public(&option_table[i]))
            consider(&best, name, &option_table[i]);
    return best.row;
}

const struct option_row *hint_nearest_route(struct str typed, enum conf_level level)
{
    char normal[OPTION_NAME_MAX];
    struct str name = normal_name(typed, normal);
    struct nearest best = { NULL, near_enough(name) };

    for (size_t i = 0; i < route_option_count && name.n >= 2; i++)
        if (route_option_at(&route_table[i], level))
            consider(&best, name, &route_table[i]);
    return best.row;
}

int hint_unknown(struct str label, struct str typed, enum option_spelling how, char *error)
{
    char normal[OPTION_NAME_MAX], spelled[OPTION_NAME_MAX];
    struct str name = normal_name(typed, normal);
    const struct option_row *row;

    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (str_eq(name, str_of(foreign[i].name)))
            return mistake_say(error, STR_FMT ": no such option; %s", STR_ARG(label), foreign[i].say);
    row = hint_nearest(name);
    if (!row)
        return mistake_say(error, STR_FMT ": no such option; `quintet run --help` lists them", STR_ARG(label));
    option_spell(row, how, spelled);
    return mistake_say(error, STR_FMT ": no such option; did you mean %s?", STR_ARG(label), spelled);
}
