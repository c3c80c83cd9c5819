/*
 * Time. Monotonic nanoseconds for measuring and timers, wall time for people and HTTP dates.
 */
#ifndef QUINTET_BASE_CLOCK_H
#define QUINTET_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SEC UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC: comparable between processes of one machine */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME since 1970 */

#define CLOCK_ISO_LEN 24 /* "2026-01-31T23:59:59.123Z" */
/* RFC 3339 in UTC with milliseconds; writes CLOCK_ISO_LEN bytes and a NUL. */
void clock_iso(uint64_t wall_ns, char out[CLOCK_ISO_LEN + 1]);

#endif
