/* `quintet compress`: precompressed siblings for static files, after collectstatic. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "super/commands.h"
#include "super/inspect.h"
#include "super/siblings.h"
#include "super/super.h"

#define BAR 30

/* ---- signals: what lies aside is removed before we go ---- */

static struct siblings siblings;
static volatile sig_atomic_t signalled; /* which; 0: none */

static void on_signal(int number)
{
    signalled = number;
    atomic_store(&siblings.run.stop, true);
}

/* The second one has its usual effect. */
static void heed_signals(void)
{
    static const int those[] = { SIGINT, SIGTERM, SIGHUP };
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART };
    struct sigaction now;

    for (size_t i = 0; i < ARRAY_LEN(those); i++)
        if (sigaction(those[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            (void)sigaction(those[i], &action, NULL);
}

/* ---- what is said ---- */

/* Names are whatever somebody has called a file: nothing of them may speak to the terminal. */
static void put_name(const char *name)
{
    for (; *name != '\0'; name++)
        (void)putc((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name, stderr);
}

static void say_failed(const char *path, int error)
{
    (void)fprintf(stderr, "%squintet: ", isatty(STDERR_FILENO) ? "\r\x1b[K" : "");
    put_name(path);
    (void)fprintf(stderr, ": %s\n", error == -EAGAIN ? "changed while it was read" : why_errno(error));
}

static void show_bar(uint64_t done, uint64_t all, size_t n_done)
{
    unsigned part = all == 0 ? BAR : (unsigned)(done * BAR / all);

    (void)fprintf(stderr, "\r[%.*s%.*s] %3u %%  %zu files\x1b[K", (int)part, "##############################",
                  (int)(BAR - part), "                              ", (unsigned)(all == 0 ? 100 : done * 100 / all),
                  n_done);
}

static void show_nothing(uint64_t done, uint64_t all, size_t n_done)
{
}

/* "1.2 MB": for people, who do not need the last byte. */
static const char *human(uint64_t bytes, char text[32])
{
    static const char *const units[] = { "kB", "MB", "GB" };
    double value = (double)bytes / 1000;
    size_t u = 0;

    while (value >= 1000 && u + 1 < ARRAY_LEN(units)) {
        value /= 1000;
        u++;
    }
    (void)snprintf(text, 32, "%.*f %s", value < 10 ? 1 : 0, value, units[u]);
    return text;
}

static void summarise(const struct siblings *s, const char *dir, uint64_t took_ns)
{
    char text[32];

    (void)printf("%s: %zu files, %zu siblings written, %zu up to date, %zu not worth it (%.1f s)\n", dir, s->n_files,
                 s->results[SIBLING_WRITTEN], s->results[SIBLING_FRESH], s->results[SIBLING_NO_GAIN],
                 (double)took_ns / 1e9);
    if (s->before == 0)
        return;
    (void)printf("  %s", human(s->before, text));
    for (int c = CODINGS - 1; c > CODING_IDENTITY; c--) {
        struct str name = coding_name((enum coding)c);

        (void)printf("%s" STR_FMT " %s", c == CODINGS - 1 ? " -> " : ", ", STR_ARG(name), human(s->after[c], text));
    }
    (void)printf("\n");
}

static int compress_dir(const char *dir)
{
    bool terminal = isatty(STDERR_FILENO);
    uint64_t start = clock_mono_ns();
    int r = siblings_find(&siblings, dir, say_failed);

    if (r != 0) {
        (void)fprintf(stderr, "quintet: %s: %s\n", dir, why_errno(r));
        return EXIT_FAILED;
    }
    heed_signals();
    atomic_store(&siblings.run.stop, signalled != 0); /* one may have come between two directories */
    siblings_make(&siblings, terminal ? show_bar : show_nothing);
    if (terminal)
        (void)fprintf(stderr, "\r\x1b[K");
    if (signalled != 0)
        (void)raise(signalled); /* the handler has been taken away */
    summarise(&siblings, dir, clock_mono_ns() - start);
    r = siblings.n_failed == 0 ? EXIT_OK : EXIT_FAILED;
    siblings_fini(&siblings);
    return r;
}

/* ---- which ---- */

static int compress_words(const struct command_switches *switches)
{
    int r = EXIT_OK;

    for (size_t i = 0; i < switches->n_words; i++) {
        if (compress_dir(switches->words[i]) != EXIT_OK)
            r = EXIT_FAILED;
    }
    return r;
}

static int compress_static(const struct conf *conf)
{
    int r = EXIT_OK;

    for (size_t i = 0; i < conf->static_map.n; i++) {
        struct str dir = str_of(conf->static_map.items[i]);
        char *path;

        (void)str_split(&dir, '=');
        path = str_dup(dir);
        if (compress_dir(path) != EXIT_OK)
            r = EXIT_FAILED;
        mem_free(path);
    }
    if (conf->static_map.n == 0) {
        (void)fprintf(
            stderr, "quintet: there are no static files here that are served: name a directory, or set STATIC_ROOT\n");
        r = EXIT_FAILED;
    }
    return r;
}

/* The project's, as `quintet run` would serve them. */
static int compress_project(const struct launch *launch)
{
    static struct why why;
    char error[CONF_ERROR_MAX] = "";
    struct plan *plan = NULL;
    int r = plan_read(launch, &plan, &why);

    if (r == 0 && inspect_wanted(plan))
        r = inspect_wait(plan, &why);
    if (r == 0 && conf_finish(plan->builder, error) != 0)
        r = why_set(&why, EXIT_USAGE, "%s", error);
    if (r == 0)
        r = compress_static(plan->conf);
    else
        (void)fprintf(stderr, "quintet: %s\n", why.text);
    plan_free(plan);
    return r;
}

int command_compress(struct launch *launch, const struct command_switches *switches)
{
    if (switches->n_words > 0 && launch->argc > 1) {
        (void)fprintf(stderr, "quintet: %s: which project is meant does not matter when directories are named\n",
                      launch->argv[1]);
        return EXIT_USAGE;
    }
    return switches->n_words > 0 ? compress_words(switches) : compress_project(launch);
}
