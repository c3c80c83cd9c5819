/*
 * The pool: one shared memory area per generation, mapped by the edge and by that generation's workers.
 *
 *      edge (N threads = lanes)                                      workers (W processes × T threads = seats)
 *      ───────────────────────                                       ────────────────────────────────────────
 *      fill slot, FREE → READY ──▶ ready ring (slot, serial) ──────▶ pop, READY → RUNNING(seat)
 *      wake one sleeper        ──▶ sleepers bitmap, seat futex ────▶ wakes
 *      read frames             ◀── response ring of the slot ◀────── write frames, RUNNING → DONE
 *      take attention bits     ◀── lane's attention bitmap ◀──────── set the slot's bit; eventfd only if the lane sleeps
 *
 * Layout: header, ready ring, sleepers, seats, lanes, slots; every part starts on a cache line and everything is found from the
 * geometry, which each process copies once and never reads again from the shared pages.
 *
 * Nothing in here takes a lock that a dying process could keep. Every hand-over is one atomic operation on one word, so a
 * participant may be killed between any two instructions:
 *   before its compare-and-swap  nothing happened
 *   after it                     the word says who has the slot, and the edge settles it when it is told of the death
 * What a death can lose is a ring entry or a wake-up, never a slot; pool_recover pushes READY slots again and wakes.
 *
 * Trust: the edge takes every word as hostile (a worker runs the user's code). It keeps its own record of each slot's serial and
 * state; a word that does not fit is -EPROTO and the slot is retired with its generation, never followed.
 *
 * Descriptors do not travel here but on each worker's channel (wire/): the pool only says that one is due.
 */
#ifndef QUINTET_POOL_POOL_H
#define QUINTET_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

#define POOL_LANES_MAX 8     /* edge threads */
#define POOL_WORKERS_MAX 256 /* worker processes of a generation */
#define POOL_SEATS_MAX 1024  /* worker threads of a generation: workers × threads */
#define POOL_SLOTS_MAX 2048
#define POOL_INLINE_BODY (64u << 10) /* request bodies up to this travel in the slot, larger ones as a descriptor */
#define POOL_REQUEST_BYTES                                                                                             \
    (160u << 10)                    /* request area of a slot: head + decoded path + table + inline body always fit */
#define POOL_RING_BYTES (64u << 10) /* response ring of a slot; power of two */
#define POOL_HEAD_MAX (32u << 10)   /* largest response head frame */

struct pool_geometry {
    uint32_t workers; /* 1 … POOL_WORKERS_MAX */
    uint32_t threads; /* per worker; workers × threads <= POOL_SEATS_MAX */
    uint32_t lanes;   /* 1 … POOL_LANES_MAX */
    uint32_t slots;   /* pool_geometry_slots(): 8 × seats, at least 64 */
};

struct pool; /* a process's mapping, opaque */

uint32_t pool_geometry_slots(uint32_t workers, uint32_t threads);
/* A sealed memfd (no grow, no shrink) with an empty pool. Descriptor, -EINVAL for a geometry out of range, or -errno. */
MUST_CHECK int pool_create(const struct pool_geometry *geometry);
/* Maps it: seals, size, magic and geometry are checked. The memfd may be closed afterwards. 0, -EPROTO, -errno. */
MUST_CHECK int pool_map(int memfd, struct pool **out);
void pool_unmap(struct pool *pool);
const struct pool_geometry *pool_geometry(const struct pool *pool); /* the private copy */

#endif
