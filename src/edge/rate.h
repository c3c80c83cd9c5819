/*
 * How fast requests get through while others wait for them: what Retry-After and the refusal of hopeless requests are made of.
 *
 * Measured only while the queue is not empty, as an idle server's rate says nothing of what it could do. A window ends with a request that comes
 * after at least 100 ms and 16 ends (the first: 8; or 5 s, where requests are slow); windows are averaged over about a second. No clock is read here: requests
 * bring the time they came at. Guarded by the dispatch lock.
 */
#ifndef QUINTET_EDGE_RATE_H
#define QUINTET_EDGE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t ended;    /* requests that workers have finished; the owner counts */
    uint64_t since_ns; /* of the open window; 0: none */
    uint64_t base;     /* `ended` at its begin */
    bool
        aligned; /* it began with an end, as every window will end with one: else it would count part of a request as a whole */
    double per_second; /* 0: not known yet */
};

void rate_busy(struct rate *r, uint64_t now); /* a request has come that must wait behind others */
void rate_idle(struct rate *r);               /* nobody waits any more: the open window is given up */
/* How long the nth in the queue waits at the average rate, in ns; 0: not known. */
uint64_t rate_wait(const struct rate *r, uint64_t nth);
/* When to come again, in seconds, for who would be the nth: 1 to 300. Sees also that all has come to a halt, or has just begun. */
uint32_t rate_retry_after(const struct rate *r, uint64_t nth, uint64_t now);

#endif
