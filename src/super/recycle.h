/*
 * Recycling: workers that ask to be replaced (--max-requests), or have grown past --max-worker-memory, one after the other.
 *
 * The replacement is ready first (worker.h), and a generation replaces one worker at a time for such a reason; the others serve on until it is
 * their turn, in the order in which they asked. A worker that asks again and again while it is young waits longer and longer, and the log says
 * what to change: else a limit below what the import needs would be a loop of boots. Memory is looked at once a second from outside: no
 * request pays for it. A generation has one of these while it serves; one thread.
 */
#ifndef QUINTET_SUPER_RECYCLE_H
#define QUINTET_SUPER_RECYCLE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/str.h"
#include "os/loop.h"

#define RECYCLE_YOUNG_NS (10 * NS_PER_SEC) /* who asks before this age asks early */
#define RECYCLE_EARLY_FREE 3               /* that often in a row it is believed to have had bad luck */
#define RECYCLE_PAUSE_NS (1 * NS_PER_SEC)  /* then it must have served this long, twice as long the next time … */
#define RECYCLE_PAUSE_MAX_NS (60 * NS_PER_SEC)

struct generation;
struct worker;

struct recycle {
    struct list queue;       /* workers, by their `turn`, in the order in which they asked */
    struct worker *now;      /* borrowed: being replaced; NULL: none */
    struct loop_timer timer; /* once a second, while there is something to look at */
};

void recycle_init(struct generation *g);
void recycle_start(struct generation *g); /* it serves now */
void recycle_stop(struct generation *g);  /* it does not any more; again is harmless */
/* The worker wants a successor; `why`, untrusted, is for the log. Asked again before it came to that: nothing. */
void recycle_request(struct worker *w, struct str why);
void recycle_step(struct generation *g); /* a process of one of its workers is down: the next one's turn? */
/* How long a worker must have served before it is replaced, after so many early requests in a row. */
uint64_t recycle_pause(uint32_t early);

#endif
