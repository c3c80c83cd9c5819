/*
 * The rows of sites and routes, in the order of the manual.
 */
#include "conf/route_options.h"

#include <string.h>

#include "conf/mistake.h"
#include "conf/value.h"

#define AT(field) .offset = offsetof(struct conf_route, field)
#define TOP_SITE (OPTION_AT_TOP | OPTION_AT_SITE)
#define EVERYWHERE (OPTION_AT_TOP | OPTION_AT_SITE | OPTION_AT_ROUTE)
#define MILLISECOND UINT64_C(1000000)
#define DAY (86400 * UINT64_C(1000000000))
#define TIB (UINT64_C(1) << 40)

/* clang-format off */
const struct option_row route_table[] = {
    { .name = "hosts", .type = OPTION_HOST, .group = OPTION_GROUP_MATCH, .flags = OPTION_LIST | OPTION_COMMAS | OPTION_OWN | TOP_SITE, AT(hosts),
      .example = "example.com", .fallback_help = "any host",
      .help = "names of the site: example.com, *.example.com (one label), * (any other)" },
    { .name = "path", .type = OPTION_ROUTE_PATH, .group = OPTION_GROUP_MATCH, .flags = OPTION_OWN | OPTION_AT_ROUTE, AT(path),
      .example = "/docs/", .help = "/docs/ is all below it, /docs also itself; the longest wins" },
    { .name = "exact", .type = OPTION_BOOL, .group = OPTION_GROUP_MATCH, .flags = OPTION_OWN | OPTION_AT_ROUTE, AT(exact), .fallback = "no",
      .help = "this very path alone" },

    { .name = "app", .type = OPTION_BOOL, .group = OPTION_GROUP_ANSWER, .flags = OPTION_ANSWER | OPTION_AT_SITE | OPTION_AT_ROUTE, AT(app), .fallback = "no",
      .fallback_help = "yes, but for static and media files", .help = "the application answers, static and media directories or not" },
    { .name = "root", .type = OPTION_DIRECTORY, .group = OPTION_GROUP_ANSWER, .flags = OPTION_ANSWER | EVERYWHERE, AT(root),
      .example = "docs/", .help = "files of this directory; index.html for a directory" },
    { .name = "redirect", .type = OPTION_REDIRECT, .group = OPTION_GROUP_ANSWER, .flags = OPTION_ANSWER | EVERYWHERE, AT(redirect),
      .example = "https://www.example.com", .help = "go there: a path or URL; the rest of the path and the query are appended, or stand for {path}, {query} and {host}" },
    { .name = "respond", .type = OPTION_CONTENT, .group = OPTION_GROUP_ANSWER, .flags = OPTION_ANSWER | EVERYWHERE, AT(respond),
      .example = "\"User-agent: *\"", .help = "this very text" },
    { .name = "status", .type = OPTION_NUMBER, .group = OPTION_GROUP_ANSWER, .flags = OPTION_ANSWER | EVERYWHERE, AT(status), .min = 200, .max = 599,
      .fallback_help = "200; of a redirect 301, and 308 where the method is to be kept",
      .help = "of redirect (301, 302, 303, 307, 308) or respond; alone: a page of our own with it" },
    { .name = "content-type", .type = OPTION_FIELD, .group = OPTION_GROUP_ANSWER, .flags = OPTION_ANSWER | EVERYWHERE, AT(content_type),
      .fallback = "text/plain; charset=utf-8", .help = "of respond" },

    { .name = "internal", .type = OPTION_BOOL, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_AT_SITE | OPTION_AT_ROUTE, AT(internal), .fallback = "no",
      .help = "404 for clients: only the application sends files from here, by X-Accel-Redirect" },
    { .name = "error-pages", .type = OPTION_DIRECTORY, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_AT_SITE | OPTION_AT_ROUTE, AT(error_pages),
      .example = "errors/", .fallback_help = "the option's", .help = "pages of yours for errors: 404.html, 5xx.html, 429.json" },
    { .name = "headers", .type = OPTION_HEADER, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_LIST | EVERYWHERE, AT(headers),
      .example = "{X-Frame-Options: DENY, X-Powered-By: \"\"}", .help = "fields set on every answer, the application's too; an empty one is removed" },
    { .name = "max-body-size", .type = OPTION_SIZE, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_AT_SITE | OPTION_AT_ROUTE, AT(max_body_size),
      .min = 1, .max = TIB, .example = "1g", .fallback_help = "the option's", .help = "longest request body, 413 beyond" },
    { .name = "timeout", .type = OPTION_DURATION, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_AT_SITE | OPTION_AT_ROUTE, AT(timeout), .max = DAY,
      .example = "2m", .fallback_help = "the option's", .help = "longest a request may run in the application; 0: no limit" },
    { .name = "queue-timeout", .type = OPTION_DURATION, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_AT_SITE | OPTION_AT_ROUTE, AT(queue_timeout),
      .min = MILLISECOND, .max = DAY, .example = "2s", .fallback_help = "the option's", .help = "longest a request may wait for a worker, then 503" },
    { .name = "compress", .type = OPTION_BOOL, .group = OPTION_GROUP_SETTINGS, .flags = EVERYWHERE, AT(compress), .fallback = "yes",
      .help = "compress answers on the fly for clients that take it" },
    { .name = "allow", .type = OPTION_NETWORK, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_LIST | OPTION_COMMAS | EVERYWHERE, AT(allow),
      .example = "[10.0.0.0/8, 2001:db8::/32]", .fallback_help = "everybody", .help = "addresses that may come in, 403 for all others; an empty list: everybody again" },
    { .name = "deny", .type = OPTION_NETWORK, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_LIST | OPTION_COMMAS | EVERYWHERE, AT(deny),
      .example = "192.0.2.0/24", .fallback_help = "nobody", .help = "addresses that may not, asked before `allow`" },
    { .name = "rate-limit", .type = OPTION_RATE_LIMIT, .group = OPTION_GROUP_SETTINGS, .flags = OPTION_LIST | OPTION_COMMAS | EVERYWHERE, AT(rate_limit),
      .example = "10/s burst 20 by address", .fallback_help = "none",
      .help = "how many requests from whom, 429 beyond: N/s, /m, /h or /d, burst N, by address, header NAME, cookie NAME or route; up to four" },
    { .name = "concurrency", .type = OPTION_NUMBER, .group = OPTION_GROUP_SETTINGS, .flags = EVERYWHERE, AT(concurrency), .max = 1000000, .fallback = "0",
      .fallback_help = "0: no limit", .help = "most requests with the application at a time, 503 beyond" },
    { .name = "basic-auth", .type = OPTION_SECRET_FILE, .group = OPTION_GROUP_SETTINGS, .flags = EVERYWHERE, AT(basic_auth),
      .example = "/etc/mysite/htpasswd", .help = "names and passwords (htpasswd) of who may come in; off: anybody again" },
    { .name = "signed", .type = OPTION_SECRET_FILE, .group = OPTION_GROUP_SETTINGS, .flags = EVERYWHERE, AT(signed_by),
      .example = "/etc/mysite/url.key", .help = "only URLs signed with the key in this file, see quintet.signing; off: any again" },
};
/* clang-format on */
const size_t route_option_count = ARRAY_LEN(route_table);
_Static_assert(ARRAY_LEN(route_table) <= 64, "a bit a row");

const struct option_row *route_option_find(struct str name)
{
    for (size_t i = 0; i < route_option_count; i++)
        if (option_has_name(&route_table[i], name))
            return &route_table[i];
    return NULL;
}

bool route_option_at(const struct option_row *row, enum conf_level level)
{
    static const enum option_flag flags[] = {
        [CONF_LEVEL_TOP] = OPTION_AT_TOP, [CONF_LEVEL_SITE] = OPTION_AT_SITE, [CONF_LEVEL_ROUTE] = OPTION_AT_ROUTE
    };

    return option_is(row, flags[level]);
}

size_t route_option_index(const struct option_row *row)
{
    return (size_t)(row - route_table);
}

bool route_option_is_set(const struct option_row *row, const struct conf_route *route)
{
    return (route->set >> route_option_index(row) & 1) != 0;
}

int route_option_assign(const struct option_row *row, struct conf_route *route, struct str label, struct str text,
                        char *error)
{
    char quoted[MISTAKE_QUOTE_MAX];
    int rc = option_is(row, OPTION_LIST) && text.n == 0 ? 0 : value_parse(row, text, route);

    if (rc < 0)
        return mistake_found(row, label, rc, mistake_quote(text, quoted), error);
    route->set |= UINT64_C(1) << route_option_index(row);
    return 0;
}
