/* A worker's last steps and stacks, as lines. */
#include "super/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define THREADS_MAX 16 /* told one by one */
#define LAST_MAX 8
#define RAW_MAX (64u << 10) /* of the stacks: what is read to find the thread that comes first */

void report_init(struct report *report, int recorder, uint32_t threads, uint64_t now_ns)
{
    *report = (struct report){ .recorder = recorder, .threads = threads, .now_ns = now_ns };
    buf_init(&report->text, REPORT_TEXT_MAX);
}

void report_fini(struct report *report)
{
    buf_fini(&report->text);
    mem_free(report->selves);
}

void report_say(struct report *report, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report->cut = report->cut || buf_vprintf(&report->text, fmt, ap) != 0;
    va_end(ap);
}

static void add_line(struct report *report, struct str line)
{
    report->cut = report->cut || buf_add_str(&report->text, line) != 0 || buf_add_char(&report->text, '\n') != 0;
}

const char *report_text(struct report *report)
{
    report->text.max = REPORT_TEXT_MAX + 16; /* room kept for this */
    while (report->text.len > 0 && report->text.data[report->text.len - 1] == '\n')
        report->text.len--;
    if (report->cut)
        must(buf_add_str(&report->text, STR("\n...")) == 0);
    must(buf_add_char(&report->text, '\0') == 0);
    return report->text.data;
}

/* ---- the recorder ---- */

static bool look(const struct report *report, uint32_t thread, struct recorder_view *view)
{
    return report->recorder >= 0 && thread < report->threads && recorder_look(report->recorder, thread, view) == 0;
}

static uint64_t ms_between(uint64_t from, uint64_t to)
{
    return from > 0 && to > from ? (to - from) / NS_PER_MS : 0;
}

bool report_request(const struct report *report, uint32_t thread, struct recorder_shown *out)
{
    struct recorder_view view;

    if (!look(report, thread, &view) || !view.busy)
        return false;
    *out = view.requests[0];
    return true;
}

static void say_thread(struct report *report, uint32_t thread, const struct recorder_view *view)
{
    const struct recorder_shown *r = &view->requests[0];

    if (!view->busy)
        report_say(report, "thread %u: %s\n", thread + 1, recorder_phase_text(view->phase));
    else
        report_say(report, "thread %u: %s %s, id %s: %s, %" PRIu64 " ms after it was taken\n", thread + 1, r->method,
                   r->target, r->id, recorder_phase_text(view->phase), ms_between(r->start_ns, report->now_ns));
}

/* The busy ones, as far as there is room; of the idle ones how many. */
void report_threads(struct report *report)
{
    struct recorder_view view;
    uint32_t told = 0, idle = 0, more = 0;

    for (uint32_t i = 0; i < report->threads && look(report, i, &view); i++) {
        if (view.phase == RECORDER_IDLE || view.phase == RECORDER_NONE) {
            idle++;
        } else if (told == THREADS_MAX) {
            more++;
        } else {
            say_thread(report, i, &view);
            told++;
        }
    }
    if (more > 0)
        report_say(report, "%u threads more were busy\n", more);
    if (idle > 0)
        report_say(report, "%u of %u threads waiting for a request\n", idle, report->threads);
}

struct last {
    struct recorder_shown requests[LAST_MAX];
    uint32_t threads[LAST_MAX];
    uint32_t n;
};

/* Keeps the newest, in order. */
static void keep(struct last *last, const struct recorder_shown *r, uint32_t thread)
{
    uint32_t at = last->n;

    while (at > 0 && last->requests[at - 1].end_ns < r->end_ns)
        at--;
    if (at == LAST_MAX)
        return;
    if (last->n < LAST_MAX)
        last->n++;
    for (uint32_t i = last->n - 1; i > at; i--) {
        last->requests[i] = last->requests[i - 1];
        last->threads[i] = last->threads[i - 1];
    }
    last->requests[at] = *r;
    last->threads[at] = thread;
}

void report_last(struct report *report)
{
    struct last *last = mem_zalloc(sizeof(*last));
    struct recorder_view view;

    for (uint32_t t = 0; t < report->threads && look(report, t, &view); t++)
        for (uint32_t i = 0; i < view.n; i++)
            if (view.requests[i].end_ns != 0)
                keep(last, &view.requests[i], t);
    if (last->n > 0)
        report_say(report, "last requests before, the newest first:\n");
    for (uint32_t i = 0; i < last->n; i++) {
        const struct recorder_shown *r = &last->requests[i];

        report_say(report, "  thread %u: %s %s, id %s: %u in %" PRIu64 " ms, ended %" PRIu64 " ms before\n",
                   last->threads[i] + 1, r->method, r->target, r->id, r->status, ms_between(r->start_ns, r->end_ns),
                   ms_between(r->end_ns, report->now_ns));
    }
    mem_free(last);
}

/* ---- stacks ---- */

/* "Thread 0x00007f… (most recent call first):", "Current thread 0x…". Its number, or 0. */
static uint64_t section_of(struct str line, bool *current)
{
    char digits[20] = "";
    ptrdiff_t x = str_find(line, 'x');

    *current = str_starts(line, STR("Current thread 0x"));
    if (!*current && !str_starts(line, STR("Thread 0x")))
        return 0;
    line = str_cut(line, (size_t)x + 1, (size_t)x + 17);
    memcpy(digits, line.p, line.n);
    return strtoull(digits, NULL, 16);
}

/* Which of the worker's threads has this number; REPORT_NO_THREAD: one of the application's own. */
static uint32_t find_thread(const struct report *report, uint64_t self)
{
    for (uint32_t i = 0; i < report->threads; i++)
        if (report->selves[i] == self)
            return i;
    return REPORT_NO_THREAD;
}

static void read_selves(struct report *report)
{
    struct recorder_view view;

    report->selves = mem_calloc(report->threads, sizeof(*report->selves));
    for (uint32_t i = 0; i < report->threads && look(report, i, &view); i++)
        report->selves[i] = view.self;
}

static void add_header(struct report *report, struct str line, uint32_t thread)
{
    struct recorder_shown r;

    if (thread == REPORT_NO_THREAD)
        add_line(report, line);
    else if (report_request(report, thread, &r))
        report_say(report, STR_FMT " thread %u, %s %s\n", STR_ARG(line), thread + 1, r.method, r.target);
    else
        report_say(report, STR_FMT " thread %u\n", STR_ARG(line), thread + 1);
}

/* One pass over the dump: the section that comes first, with what stands before all of them; or all others. */
static void add_sections(struct report *report, struct str rest, uint32_t first, bool pass)
{
    bool wanted = pass, current;

    while (rest.p != NULL && !report->cut) {
        struct str line = str_split(&rest, '\n');
        uint64_t self = section_of(line, &current);
        uint32_t thread;

        if (self == 0) {
            if (wanted && (line.n > 0 || rest.p != NULL))
                add_line(report, line);
            continue;
        }
        thread = find_thread(report, self);
        wanted = (first == REPORT_NO_THREAD ? current : thread == first) == pass;
        if (wanted)
            add_header(report, line, thread);
    }
}

bool report_stacks(struct report *report, uint32_t first)
{
    char *raw = mem_alloc(RAW_MAX);
    size_t n = report->recorder >= 0 ? recorder_stacks(report->recorder, report->threads, raw, RAW_MAX) : 0;

    if (n > 0) {
        read_selves(report);
        add_sections(report, str_make(raw, n), first, true);
        add_sections(report, str_make(raw, n), first, false);
    }
    mem_free(raw);
    return n > 0;
}
