/*
 * `quintet check`: everything that would stop a start, or make it unfit for production, found before.
 *
 * Each step adds its findings to one list (a JSON array, which --json prints as it is); errors make the exit status 1, warnings do not.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "super/certs.h"
#include "super/commands.h"
#include "super/inspect.h"
#include "super/listen.h"
#include "super/secrets.h"
#include "super/super.h"

#define DAY_S 86400

struct check {
    struct plan *plan;
    json_t *findings;
    json_t *good; /* what was tried and is well */
    struct why why;
};

static void bad(struct check *check, const char *level, const char *id, const char *what, const char *mend)
{
    json_array_append_new(check->findings,
                          json_pack("{s:s, s:s, s:s, s:s}", "id", id, "level", level, "what", what, "mend", mend));
}

static void good(struct check *check, const char *what)
{
    json_array_append_new(check->good, json_string(what));
}

/* The reason of a step that failed, with what to do said in it already. */
static void failed(struct check *check, const char *id)
{
    bad(check, "error", id, check->why.text, "");
}

static void check_settings(struct check *check)
{
    const struct django_answer *django = &check->plan->django;

    if (check->plan->notice != NULL)
        bad(check, "warning", "django-settings", check->plan->notice,
            "without them no static files and security settings are known");
    for (size_t i = 0; i < django->n_findings; i++)
        bad(check, django->findings[i].error ? "error" : "warning", django->findings[i].id, django->findings[i].what,
            django->findings[i].mend);
}

/* From strangers the field is removed, so nobody is secure, and the redirect leads to itself. */
static void check_proxies(struct check *check)
{
    const struct conf *conf = check->plan->conf;

    if (conf->proxy_ssl_header != NULL && conf->trusted_proxies.n == 0)
        bad(check, "warning", "trusted-proxies",
            "SECURE_PROXY_SSL_HEADER is set, but trusted_proxies is empty: what proxies say is not believed",
            "name the proxy's addresses (trusted_proxies: private, or its networks), or remove the setting where there "
            "is none");
}

/* False: nothing more can be tried. */
static bool check_plan(struct check *check, const struct launch *launch)
{
    if (plan_read(launch, &check->plan, &check->why) != 0) {
        failed(check, "configuration");
        return false;
    }
    if (inspect_wanted(check->plan) && inspect_wait(check->plan, &check->why) != 0) {
        failed(check, "django-settings");
        return false;
    }
    if (plan_finish(check->plan, 0, &check->why) != 0) {
        failed(check, "configuration");
        return false;
    }
    good(check, "the configuration is well-formed");
    check_settings(check);
    check_proxies(check);
    if (plan_check(check->plan, &check->why) != 0) {
        failed(check, "application");
        return false;
    }
    return true;
}

static void check_import(struct check *check)
{
    const struct plan *plan = check->plan;
    struct script script = { .name = "check_app", .args = { plan->app } };
    struct script_result result = { 0 };
    struct buf out, err;
    int r;

    buf_init(&out, SCRIPT_OUTPUT_MAX);
    buf_init(&err, SCRIPT_OUTPUT_MAX);
    r = script_wait(plan, &script, &out, &err, &result);
    if (r != 0)
        r = script_cannot_run(plan, r, &check->why);
    else if (result.late)
        r = why_set(&check->why, -ETIME, "importing %s takes longer than a minute", plan->app);
    else if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0)
        r = why_set(&check->why, -ENOEXEC, "%s cannot be imported:\n" STR_FMT, plan->app,
                    STR_ARG(str_cut(result.err, 0, WIRE_TEXT_MAX)));
    if (r != 0)
        failed(check, "import");
    else
        good(check, "the application can be imported");
    buf_fini(&out);
    buf_fini(&err);
}

static bool is_running(const struct plan *plan)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", plan->conf->control);
    bool yes = fd >= 0 && n > 0 && (size_t)n < sizeof(addr.sun_path) &&
               connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0;

    if (fd >= 0)
        close(fd);
    return yes;
}

static void check_addresses(struct check *check)
{
    struct listeners listeners;

    if (is_running(check->plan)) {
        good(check, "an instance is running here: its addresses are not tried");
        return;
    }
    if (listeners_open(&listeners, check->plan->conf, &check->why) != 0) {
        failed(check, "bind");
        return;
    }
    listeners_close(&listeners);
    good(check, "every address can be bound");
}

static void check_certificate(struct check *check, const struct tls_cert_info *cert)
{
    int64_t now = (int64_t)time(NULL), days = (cert->expires - now) / DAY_S;
    char what[TLS_ERROR_MAX + 256];

    if (cert->warning != NULL) {
        (void)snprintf(what, sizeof(what), "%s: %s", cert->label, cert->warning);
        bad(check, "warning", "certificate", what, "ask whoever issued it for the whole chain, in order");
    }
    if (cert->begins > now) {
        (void)snprintf(what, sizeof(what), "%s is not valid yet", cert->label);
        bad(check, "error", "certificate-early", what, "look at the clock of this machine");
    } else if (cert->expires < now) {
        (void)snprintf(what, sizeof(what), "%s has expired", cert->label);
        bad(check, "error", "certificate-expired", what, "renew it, then `quintet reload --edge`");
    } else if (now >= tls_cert_warn_from(cert)) {
        (void)snprintf(what, sizeof(what), "%s ends in %lld days", cert->label, (long long)days);
        bad(check, "warning", "certificate-expires", what, "renew it, then `quintet reload --edge`");
    }
}

static void check_certificates(struct check *check)
{
    struct tls_ctx *ctx;
    char what[128];

    if (check->plan->conf->certfile.n == 0)
        return;
    if (certs_check(check->plan->conf, &ctx, &check->why) != 0) {
        failed(check, "certificate");
        return;
    }
    (void)snprintf(what, sizeof(what), "certificates and keys fit; the first ends in %lld days",
                   (long long)((tls_ctx_expires(ctx) - (int64_t)time(NULL)) / DAY_S));
    good(check, what);
    for (size_t i = 0; i < tls_ctx_certs(ctx); i++)
        check_certificate(check, tls_ctx_cert(ctx, i));
    tls_ctx_unref(ctx);
}

static void check_root(struct check *check, const char *map)
{
    struct str dir = str_of(map);
    char *path;

    (void)str_split(&dir, '=');
    path = str_dup(dir);
    /* What is not there yet the settings' findings name, or the start makes. */
    if (access(path, R_OK | X_OK) != 0 && errno != ENOENT) {
        (void)why_set(&check->why, 0, "%s, whose files are to be served, cannot be read: %s", path, why_errno(errno));
        failed(check, "root");
    }
    mem_free(path);
}

static void check_roots(struct check *check)
{
    for (size_t i = 0; i < check->plan->conf->static_map.n; i++)
        check_root(check, check->plan->conf->static_map.items[i]);
    for (size_t i = 0; i < check->plan->conf->media_map.n; i++)
        check_root(check, check->plan->conf->media_map.items[i]);
}

/* Warnings do not keep a site from serving: the directory may be made later, and reload finds it. */
static void check_directory(struct check *check, const char *id, const char *name, const char *who)
{
    struct stat st;

    if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
        return;
    (void)why_set(&check->why, 0, "%s, which %s, is no directory that can be read", name, who);
    bad(check, "warning", id, check->why.text, "make it, or name another; then `quintet reload`");
}

static void check_directories(struct check *check)
{
    const struct conf *conf = check->plan->conf;
    const char *names[CONF_SITE_FILES_MAX];
    size_t n = conf_sites_files(&conf->sites, CONF_FILES_DIRECTORY, names);

    for (size_t i = 0; i < n; i++)
        check_directory(check, "route-directory", names[i], "sites and routes name");
    if (conf->error_pages != NULL)
        check_directory(check, "error-pages", conf->error_pages, "error_pages names");
}

static void check_secrets(struct check *check)
{
    const char *names[CONF_SITE_FILES_MAX];
    size_t n = conf_sites_files(&check->plan->conf->sites, CONF_FILES_SECRET, names);
    struct stat st;

    if (secrets_check(check->plan->conf, &check->why) != 0)
        failed(check, "route-secret");
    for (size_t i = 0; i < n; i++) {
        if (stat(names[i], &st) != 0 || (st.st_mode & 077) == 0)
            continue;
        (void)why_set(&check->why, 0, "%s can be read by others than its owner", names[i]);
        bad(check, "warning", "route-secret-mode", check->why.text, "chmod 600: only the supervisor reads it");
    }
}

/* Django's rule; of "*.example.com" the part behind the asterisk has to be in it. */
static bool is_allowed_host(const struct conf_list *allowed, struct str host)
{
    struct str plain = str_starts(host, STR("*.")) ? str_cut(host, 1, host.n) : host;

    for (size_t i = 0; i < allowed->n; i++) {
        struct str item = str_of(allowed->items[i]);
        bool below = str_starts(item, STR("."));

        if (str_eq(item, STR("*")) || str_eq_nocase(item, host) || (below && str_ends(plain, item)) ||
            (below && str_eq_nocase(str_cut(item, 1, item.n), host)))
            return true;
    }
    return false;
}

/* Hosts whose requests the application would refuse, if they reach it. */
static void check_hosts(struct check *check, const struct conf_site *site)
{
    const struct conf_list *allowed = &check->plan->conf->allowed_hosts;
    enum conf_answer answer = conf_route_answer(&site->own);

    if (allowed->n == 0 || (answer != CONF_ANSWER_DEFAULT && answer != CONF_ANSWER_APP))
        return;
    for (size_t i = 0; i < site->own.hosts.n; i++) {
        const char *host = site->own.hosts.items[i];

        if (strcmp(host, "*") == 0 || is_allowed_host(allowed, str_of(host)))
            continue;
        (void)why_set(&check->why, 0, "requests for %s would be refused: ALLOWED_HOSTS does not have it", host);
        bad(check, "warning", "site-host", check->why.text, "add it to ALLOWED_HOSTS, or take the site out");
    }
}

static void check_routes(struct check *check, const struct conf_site *site)
{
    const char *health = check->plan->conf->health_path;

    for (size_t i = 0; i < site->n_routes; i++) {
        const struct conf_route *r = &site->routes[i];

        if (!r->exact || health == NULL || strcmp(r->path, health) != 0)
            continue;
        (void)why_set(&check->why, 0, "the route %s (%s) can never match: health_path answers there", r->path,
                      r->place != NULL ? r->place : "?");
        bad(check, "warning", "route", check->why.text, "take one of them away");
    }
}

static void check_sites(struct check *check)
{
    const struct conf_sites *sites = &check->plan->conf->sites;

    check_directories(check);
    check_secrets(check);
    for (size_t i = 0; i < sites->n; i++) {
        check_hosts(check, &sites->sites[i]);
        check_routes(check, &sites->sites[i]);
    }
}

static void check_user(struct check *check)
{
    if (geteuid() == 0 && check->plan->conf->user == NULL)
        bad(check, "warning", "root", "the application would run as root", "name a user for it with --user");
}

/* ---- the verdict ---- */

static bool has_errors(const struct check *check)
{
    json_t *f;
    size_t i;

    json_array_foreach(check->findings, i,
                       f) if (strcmp(json_string_value(json_object_get(f, "level")), "error") == 0) return true;
    return false;
}

static void print_json(const struct check *check)
{
    json_t *all =
        json_pack("{s:b, s:O, s:O}", "ok", !has_errors(check), "findings", check->findings, "good", check->good);

    (void)json_dumpf(all, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(all);
}

static void print_text(const struct check *check)
{
    json_t *item;
    size_t i;

    json_array_foreach(check->good, i, item)(void) printf("ok  %s\n", json_string_value(item));
    json_array_foreach(check->findings, i, item)
    {
        const char *mend = json_string_value(json_object_get(item, "mend"));

        (void)printf("\n%zu. %s: %s\n", i + 1, json_string_value(json_object_get(item, "level")),
                     json_string_value(json_object_get(item, "what")));
        if (mend[0] != '\0')
            (void)printf("   %s\n", mend);
    }
    if (json_array_size(check->findings) == 0)
        (void)printf("\nfit to serve\n");
    else
        (void)printf("\n%s\n", has_errors(check) ? "not fit to serve: fix the errors above"
                                                 : "it would serve; the warnings are worth a look");
}

int command_check(struct launch *launch, const struct command_switches *switches)
{
    struct check *check = mem_zalloc(sizeof(*check));
    int r;

    check->findings = json_array();
    check->good = json_array();
    if (check_plan(check, launch)) {
        check_import(check);
        check_addresses(check);
        check_certificates(check);
        check_roots(check);
        check_sites(check);
        check_user(check);
    }
    r = has_errors(check) ? EXIT_FAILED : EXIT_OK;
    if (switches->json)
        print_json(check);
    else
        print_text(check);
    json_decref(check->findings);
    json_decref(check->good);
    plan_free(check->plan);
    mem_free(check);
    return r;
}
