/* The command line of a worker, word by word; python/quintet/worker.py reads it. */
#include "super/worker_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "super/generation.h"

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

char **worker_words(struct worker_process *process)
{
    const struct worker *worker = process->child.owner;
    const struct generation *g = worker->generation;
    const struct plan *plan = process->plan;
    struct words w = { .room = WORDS_FIXED + 2 * plan->conf->warmup.n };

    w.items = mem_calloc(w.room, sizeof(char *));
    add(&w, plan->python);
    add_script(&w, plan);
    add_number(&w, "--worker", worker->index);
    add_number(&w, "--workers", g->n_workers);
    add_number(&w, "--threads", plan->threads);
    add_number(&w, "--lanes", g->n_pool_fds - 1);
    add_number(&w, "--generation", process->release);
    add_text(&w, "--gc", plan->conf->gc == CONF_GC_PYTHON ? "python" : "idle");
    add_recycling(&w, plan->conf);
    add_warm_up(&w, plan->conf);
    add(&w, plan->app);
    add(&w, PADDING);
    return w.items;
}

void worker_words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        mem_free(words[i]);
    mem_free(words);
}
