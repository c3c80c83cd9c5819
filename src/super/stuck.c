/* Timeouts that explain themselves. */
#include "super/stuck.h"

#include <signal.h>

#include "base/clock.h"
#include "os/proc.h"
#include "os/tasks.h"
#include "super/report.h"
#include "super/super.h"

#define PATIENCE_NS (1 * NS_PER_SEC) /* a process that runs at all dumps within milliseconds */
#define LOOK_NS (5 * NS_PER_MS)
#define TASKS_TEXT_MAX (8u << 10)

static struct stuck *stuck_of(struct child *child)
{
    return &worker_process_of(child)->stuck;
}

static struct report open_report(const struct child *child)
{
    const struct worker_process *p = CONTAINER_OF(child, const struct worker_process, child);
    struct report report;

    report_init(&report, child->recorder, p->plan->threads, clock_mono_ns());
    return report;
}

/* ---- the block ---- */

/* Method and target, and the id behind them. From the edge; else from the recorder. */
struct named {
    struct recorder_shown shown;
    char text[RECORDER_METHOD_MAX + sizeof(((struct recorder_shown *)NULL)->target) + 2];
    struct str what, id;
};

static void name_request(const struct report *report, const struct stuck_request *r, struct named *out)
{
    struct str text = str_of(r->text);
    ptrdiff_t space = str_rfind(text, ' ');

    out->what = text;
    out->id = STR("");
    if (space > 0 && str_starts(str_cut(text, (size_t)space, text.n), STR(" id="))) {
        out->what = str_cut(text, 0, (size_t)space);
        out->id = str_cut(text, (size_t)space + 4, text.n);
    }
    if (text.n > 0 || !report_request(report, r->thread, &out->shown))
        return;
    (void)snprintf(out->text, sizeof(out->text), "%s %s", out->shown.method, out->shown.target);
    out->what = str_of(out->text);
    out->id = str_of(out->shown.id);
}

/* No stack: the process is stopped, sleeps where no signal reaches, or blocks it. The kernel knows a little. */
static void say_tasks(struct report *report, const struct child *child)
{
    struct buf tasks;

    buf_init(&tasks, TASKS_TEXT_MAX);
    report_say(report,
               "no Python stack came within a second: the process is stopped, blocks signals, or sleeps where none "
               "reaches it. Its threads, as the kernel sees them:\n");
    tasks_describe(child->pid, &tasks);
    report_say(report, STR_FMT, STR_ARG(buf_str(&tasks)));
    buf_fini(&tasks);
}

static void log_one(struct child *child, const struct stuck_request *r, bool dumped)
{
    const struct worker *w = child->owner;
    struct report report = open_report(child);
    struct named name;

    name_request(&report, r, &name);
    report_threads(&report);
    report_last(&report);
    if (!dumped || !report_stacks(&report, r->thread))
        say_tasks(&report, child);
    logs_report(&w->generation->super->logs, LOG_ERROR, "a request ran past the timeout",
                (const struct log_field[]){
                    LOG_S("request", name.what), LOG_S("request_id", name.id), LOG_N("age_ms", r->age_ms),
                    LOG_N("worker", w->index + 1), LOG_N("thread", r->thread + 1),
                    LOG_N("generation", worker_process_of(child)->release), LOG_N("pid", child->pid),
                    LOG_N("memory_mb", proc_rss(child->pid) >> 20), LOG_END },
                report_text(&report));
    report_fini(&report);
}

static void log_all(struct child *child, bool dumped)
{
    struct stuck *stuck = stuck_of(child);

    loop_timer_stop(child->loop, &stuck->timer);
    stuck->asked = false;
    for (uint32_t i = 0; i < stuck->n; i++)
        log_one(child, &stuck->requests[i], dumped);
    stuck->n = 0;
}

/* ---- the dump ---- */

static void end(struct child *child)
{
    child_kill(child, "a request ran past the timeout, and nobody waits for anything else it runs");
}

static void look(struct loop_timer *timer)
{
    struct stuck *stuck = CONTAINER_OF(timer, struct stuck, timer);
    struct child *child = &CONTAINER_OF(stuck, struct worker_process, stuck)->child;
    bool dumped = child->recorder >= 0 && recorder_dumps(child->recorder) != stuck->dumps;

    if (!dumped && clock_mono_ns() < stuck->until_ns) {
        loop_timer_set(child->loop, timer, LOOK_NS);
        return;
    }
    log_all(child, dumped);
    if (stuck->spent)
        end(child);
}

/* It handles no signal: there is nothing to wait for. */
static bool is_stopped(struct child *child)
{
    return standstill_lasts(&worker_process_of(child)->still);
}

/* The stuck thread itself is interrupted: its stack is then at rest, and faulthandler calls it the current one. */
static void ask(struct child *child, uint32_t thread)
{
    struct stuck *stuck = stuck_of(child);
    struct recorder_view view;

    stuck->asked = true;
    stuck->until_ns = clock_mono_ns() + PATIENCE_NS;
    if (child->recorder < 0 || is_stopped(child) || !tasks_catches(child->pid, RECORDER_SIGNAL)) {
        stuck->until_ns = 0;
    } else {
        recorder_rewind(child->recorder, worker_process_of(child)->plan->threads);
        stuck->dumps = recorder_dumps(child->recorder);
        if (recorder_look(child->recorder, thread, &view) != 0 || view.tid <= 0 ||
            tgkill(child->pid, view.tid, RECORDER_SIGNAL) != 0)
            (void)kill(child->pid, RECORDER_SIGNAL);
    }
    loop_timer_set(child->loop, &stuck->timer, NS_PER_MS);
}

void stuck_told(struct child *child, uint32_t thread, uint32_t age_ms, struct str text)
{
    struct stuck *stuck = stuck_of(child);
    struct stuck_request *r = &stuck->requests[stuck->n];

    if (thread >= worker_process_of(child)->plan->threads)
        thread = 0;
    stuck->marked = true;
    if (stuck->n == STUCK_REQUESTS_MAX) {
        log_event(child->log, LOG_ERROR, "one more request ran past the timeout", LOG_S("request", text),
                  LOG_N("age_ms", age_ms), LOG_N("pid", child->pid));
        return;
    }
    stuck->n++;
    r->thread = thread;
    r->age_ms = age_ms;
    text = str_cut(text, 0, sizeof(r->text) - 1);
    memcpy(r->text, text.p, text.n);
    r->text[text.n] = '\0';
    if (!stuck->asked)
        ask(child, thread);
    (void)worker_replace(child->owner, "a request ran past the timeout");
}

void stuck_spent(struct child *child)
{
    struct stuck *stuck = stuck_of(child);

    if (stuck->asked)
        stuck->spent = true;
    else
        end(child);
}

void stuck_gone(struct child *child)
{
    struct stuck *stuck = stuck_of(child);

    if (stuck->asked)
        log_all(child, child->recorder >= 0 && recorder_dumps(child->recorder) != stuck->dumps);
    stuck_init(stuck);
}

void stuck_init(struct stuck *stuck)
{
    *stuck = (struct stuck){ 0 };
    loop_timer_init(&stuck->timer, look);
}

static void edge_gone(struct child *child)
{
    if (stuck_of(child)->marked && child->pid > 0 && !child->dead)
        stuck_spent(child);
}

void stuck_edge_gone(struct super *super, const struct child *edge)
{
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        for (uint32_t i = 0; g->edge == edge && i < g->n_workers; i++)
            for (size_t p = 0; p < ARRAY_LEN(g->workers[i].processes); p++)
                edge_gone(&g->workers[i].processes[p].child);
    }
}
