/*
 * Garbage collection out of the request: the cyclic collector runs between requests, and mostly when there is none.
 *
 *   one thread        the interpreter's threshold is raised so far that it is a safety net inside one huge request. Between two requests nothing that
 *                     is young is needed any more: a collection there is short, and what the next request needs has not grown old by it.
 *   several threads   another may be in the middle of a request whenever one has ended its own. The interpreter keeps its own way, and we
 *                     collect only in moments when no thread runs a request, which leaves it little to do.
 *
 * The first full collection is `settle`, the one that the boot has put off: it looks through what the boot has frozen, too.
 *
 * Whether the application has switched the collector off is asked at each look. All fields are guarded by the GIL.
 */
#ifndef QUINTET_WORKER_COLLECT_H
#define QUINTET_WORKER_COLLECT_H

#include "worker/python.h"

#include <stdbool.h>
#include <stdint.h>

struct collect {
    PyObject *get_count, *collect; /* owned: of module gc; NULL: the interpreter is left alone */
    PyObject *settle;              /* owned: gives what gc.collect() does; NULL: it has been called */
    long bound;       /* young objects that are worth a collection under load: the interpreter's own threshold before */
    long net;         /* its threshold now if it has been raised; 0: it collects in its own way */
    uint32_t running; /* requests under way */
    uint32_t skip;    /* requests to come that need no look at their end */
    long last;        /* young objects at the last look */
    uint32_t young_rounds;  /* collections of generation 0 since one of generation 1 */
    long seen[2];           /* the older generations' counts as our last collection left them */
    long pending;           /* objects that have survived their first collection since the last full one, nearly */
    long hidden;            /* at most so many more have, in collections that were not ours */
    long old;               /* objects that have survived the last full one */
    uint64_t idle_since_ns; /* 0: a request runs, or nobody has looked yet */
    uint64_t full_at_ns;    /* end of the last full collection */
    uint64_t full_took_ns;
};

/* From now on. `c` is zeroed but for bound and net. 0, or -1 with a Python error. */
int collect_init(struct collect *c, PyObject *get_count, PyObject *collect, PyObject *settle);
void collect_begin(struct collect *c); /* a request begins */
void collect_end(struct collect *c);   /* it has ended: perhaps a short collection */
/* There is nothing to take: for how many ns to sleep at most before collect_idle has work. */
uint64_t collect_wait(struct collect *c);
void collect_idle(struct collect *c); /* slept so long and still nothing */

#endif
