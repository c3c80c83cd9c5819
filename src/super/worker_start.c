/* The command line of a worker, word by word, which python/quintet/worker.py reads; and its descriptors. */
#include "super/worker_start.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/proc.h"
#include "super/generation.h"
#include "wire/inherit.h"

/* Makes room in argv for the title that the worker writes over it. */
#define PADDING "                                                                "
#define WORDS_FIXED 32 /* all that do not come from a list, and the NULL */

struct words {
    char **items;
    size_t n, room;
};

static void add(struct words *w, const char *word)
{
    must(w->n + 1 < w->room);
    w->items[w->n++] = mem_strdup(word);
}

static void add_text(struct words *w, const char *option, const char *value)
{
    add(w, option);
    add(w, value);
}

static void add_number(struct words *w, const char *option, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    add_text(w, option, text);
}

/* Pages are asked for as visitors do: by https where that is served here. */
static void add_warm_up(struct words *w, const struct conf *conf)
{
    if (conf->warmup.n > 0 && conf->tls_bind.n > 0)
        add_text(w, "--scheme", "https");
    for (size_t i = 0; i < conf->warmup.n; i++)
        add_text(w, "--warmup", conf->warmup.items[i]);
}

static void add_recycling(struct words *w, const struct conf *conf)
{
    if (conf->max_requests == 0)
        return;
    add_number(w, "--max-requests", conf->max_requests);
    add_number(w, "--max-requests-jitter", conf->max_requests_jitter);
}

static void add_script(struct words *w, const struct plan *plan)
{
    size_t room = strlen(plan->package) + sizeof("/quintet/worker.py");
    char *script = mem_alloc(room);

    (void)snprintf(script, room, "%s/quintet/worker.py", plan->package);
    add(w, script);
    mem_free(script);
}

static char **make_words(const struct worker_start *start)
{
    const struct generation *g = start->generation;
    const struct plan *plan = start->plan;
    struct words w = { .room = WORDS_FIXED + 2 * plan->conf->warmup.n };

    w.items = mem_calloc(w.room, sizeof(char *));
    add(&w, plan->python);
    add_script(&w, plan);
    if (start->index == WORKER_START_PRELOADER)
        add_text(&w, "--preload", "yes");
    else
        add_number(&w, "--worker", start->index);
    add_number(&w, "--workers", g->n_workers);
    add_number(&w, "--threads", plan->threads);
    add_number(&w, "--lanes", g->n_pool_fds - 1);
    add_number(&w, "--generation", start->release);
    add_text(&w, "--gc", plan->conf->gc == CONF_GC_PYTHON ? "python" : "idle");
    add_recycling(&w, plan->conf);
    add_warm_up(&w, plan->conf);
    add(&w, plan->app);
    add(&w, PADDING);
    return w.items;
}

static void free_words(char **words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        mem_free(words[i]);
    mem_free(words);
}

static void place(struct proc_spawn *spawn, struct proc_fd *fds, int from, int to)
{
    if (from >= 0)
        fds[spawn->n_fds++] = (struct proc_fd){ from, to };
}

pid_t worker_start(const struct worker_start *start)
{
    const struct generation *g = start->generation;
    const struct plan *plan = start->plan;
    char **words = make_words(start);
    struct proc_fd fds[WIRE_FDS_MAX + 8];
    struct proc_spawn spawn = { .path = plan->python,
                                .argv = words,
                                .envp = plan->env,
                                .chdir = plan->directory,
                                .fds = fds,
                                .uid = plan->uid,
                                .gid = plan->gid,
                                .umask = plan->umask,
                                .own_group = true };
    pid_t pid;

    place(&spawn, fds, start->output, 1);
    place(&spawn, fds, start->output, 2);
    place(&spawn, fds, start->supervisor, INHERIT_SUPERVISOR);
    place(&spawn, fds, start->edge, INHERIT_EDGE);
    place(&spawn, fds, start->recorder, INHERIT_RECORDER);
    for (size_t i = 0; i < g->n_pool_fds; i++)
        place(&spawn, fds, g->pool_fds[i], INHERIT_POOL + (int)i);
    pid = proc_spawn(&spawn);
    free_words(words);
    return pid;
}
