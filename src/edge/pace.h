/*
 * How long a client may take: time is earned by bytes, not by signs of life.
 *
 * A transfer begins with PACE_GRACE_NS of credit. Time uses it up, each byte the client sends or takes earns PACE_BYTE_NS of it back, and
 * there is never more than the grace. So a client above PACE_RATE may go on for ever and may pause for a minute; one below it is out of time
 * after a minute and a bit, whether it sends a byte a second or none. The rate is far below what any network carries that a person would wait
 * for (a 2G telephone has some 4 KB/s), and far above what a client can be held to that wants to keep us waiting.
 */
#ifndef QUINTET_EDGE_PACE_H
#define QUINTET_EDGE_PACE_H

#include <stdint.h>

#include "base/clock.h"

#define PACE_RATE 500 /* bytes a second */
#define PACE_BYTE_NS (NS_PER_SEC / PACE_RATE)
#define PACE_GRACE_NS (60 * NS_PER_SEC)

/* The credit's end after so many bytes more; all times as clock_mono_ns. deadline 0: there was none, the credit is full. */
static inline uint64_t pace_earn(uint64_t deadline, uint64_t now, uint64_t bytes)
{
    uint64_t full = now + PACE_GRACE_NS;

    if (deadline == 0 || bytes >= PACE_GRACE_NS / PACE_BYTE_NS || deadline + bytes * PACE_BYTE_NS >= full)
        return full;
    return deadline + bytes * PACE_BYTE_NS;
}

#endif
