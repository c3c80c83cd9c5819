/*
 * What is logged of a worker that died or is stuck: its flight recorder and its stacks as lines for a person.
 *
 * Built from what the worker wrote, which is hostile: bounded in length, checked by wire/recorder.h, escaped by the log. The supervisor's thread.
 */
#ifndef QUINTET_SUPER_REPORT_H
#define QUINTET_SUPER_REPORT_H

#include "base/buf.h"
#include "wire/recorder.h"

#define REPORT_TEXT_MAX (24u << 10) /* a log collector still takes this as one line of JSON */
#define REPORT_NO_THREAD UINT32_MAX

struct report {
    struct buf text;
    bool cut;
    int recorder; /* borrowed; -1: the worker had none */
    uint32_t threads;
    uint64_t now_ns;  /* clock_mono_ns at the death, or now */
    uint64_t *selves; /* owned: how faulthandler calls each thread; NULL until report_stacks */
};

void report_init(struct report *report, int recorder, uint32_t threads, uint64_t now_ns);
void report_fini(struct report *report);
void report_say(struct report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
void report_threads(struct report *report); /* what each is doing */
void report_last(struct report *report);    /* the last requests that had ended, newest first */
/* What faulthandler wrote, the thread of most interest first (REPORT_NO_THREAD: the one that wrote it). False: it wrote nothing. */
bool report_stacks(struct report *report, uint32_t first);
/* NUL-terminated; valid until report_fini. */
const char *report_text(struct report *report);
/* "GET /path (id)" of the request that thread runs into out; false: none. */
bool report_request(const struct report *report, uint32_t thread, struct recorder_shown *out);

#endif
