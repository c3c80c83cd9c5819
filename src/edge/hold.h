/*
 * Pauses: for a while nothing is handed to workers. Requests wait in the queue, as many as it holds, and the time does not count against their
 * queue_timeout; what runs goes on, what was READY goes back to its place in the queue. Files and health checks are served as ever.
 *
 *      hold_begin ─▶ held ── nothing runs any more: told once ──▶ held ── hold_end, or the time is over ──▶ fed again, in order
 *
 * Any thread unless said otherwise; the functions take the dispatch lock.
 */
#ifndef QUINTET_EDGE_HOLD_H
#define QUINTET_EDGE_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct dispatch;
struct job;

/* For so many ns, by the caller's timer. `number` is given back by hold_quiet. A second one goes on from where the first was, and wants to be told
 * of again. Lane 0. */
void hold_begin(struct dispatch *d, uint64_t now, uint64_t ns, uint32_t number);
void hold_end(struct dispatch *d, uint64_t now); /* what waits is handed over; harmless when nothing was held. Lane 0 */
/* Nothing runs in any worker any more: true once for each hold_begin, with its number. */
bool hold_quiet(struct dispatch *d, uint32_t *number);
/* How long requests have been held since the job was submitted. */
uint64_t hold_of(struct dispatch *d, const struct job *job, uint64_t now);

/* ---- for dispatch.c, slots.c and pools.c: under the lock ---- */

struct hold {
    uint64_t since_ns; /* clock_mono_ns; 0: not held */
    uint64_t until_ns; /* when it is expected to end */
    uint64_t total_ns; /* of earlier pauses */
    uint32_t number;
    bool told; /* that nothing runs */
};

static inline bool hold_on(const struct hold *h)
{
    return h->since_ns != 0;
}
uint64_t hold_total(const struct hold *h, uint64_t now); /* of all pauses so far */
bool hold_is_quiet(const struct dispatch *d);            /* held, not told yet, and no slot in use */

#endif
