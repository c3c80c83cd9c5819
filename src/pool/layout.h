/*
 * What lies where in the shared area, and a process's private view of it. For pool/ and its tests only.
 *
 *      page 0      shared_header: magic, version, geometry. Written once by pool_create, read once by pool_map
 *      line        shared_ready: head | tail                      workers and edge | edge
 *      lines       entries[capacity]                              edge
 *      lines       sleepers[]: a bit a seat                       workers set, whoever wakes clears
 *      lines       shared_seat[seats]                             its worker; the edge opens and closes
 *      lines       shared_lane[lanes]                             workers set bits, the lane takes them
 *      lines       shared_slot[slots]: word | worker's | edge's   see pool/slot.h
 *      pages       areas[slots]: request area, response ring      edge | worker
 *
 * A word is written by one side where that was possible, and words of different writers lie on different cache lines. A new pool is
 * all zeroes: every slot FREE with serial 0, nobody asleep, nothing closed.
 */
#ifndef QUINTET_POOL_LAYOUT_H
#define QUINTET_POOL_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/must.h"
#include "pool/pool.h"
#include "pool/slot.h"

#define POOL_LINE 64
#define POOL_PAGE 4096
#define POOL_MAGIC UINT64_C(0x7465746e69755131) /* "1Quintet" */
#define POOL_VERSION 2u
#define POOL_AREA_BYTES (POOL_REQUEST_BYTES + POOL_RING_BYTES)
#define POOL_ATTENTION_WORDS (POOL_SLOTS_MAX / 64)
#define POOL_CLOSED_ANY UINT32_MAX
#define POOL_ROOM_WAKE (POOL_RING_BYTES / 4) /* bytes that must be free before a waiting worker is woken */

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "words shared between processes must be lock-free");
static_assert((POOL_RING_BYTES & (POOL_RING_BYTES - 1)) == 0, "positions in the response ring are masked");
static_assert(POOL_AREA_BYTES % POOL_PAGE == 0 && POOL_REQUEST_BYTES % POOL_PAGE == 0, "areas start on pages");
static_assert(POOL_HEAD_MAX + 8 <= POOL_RING_BYTES, "a head frame fits an empty ring");

struct shared_header {
    uint64_t magic;
    uint32_t version;
    struct pool_geometry geometry;
};

struct shared_ready {
    alignas(POOL_LINE) _Atomic uint64_t head;   /* entries popped: compare-and-swap by whoever pops */
    alignas(POOL_LINE) _Atomic uint32_t hungry; /* 1: the edge wants to hear of every free slot. The edge's */
    alignas(POOL_LINE) _Atomic uint64_t tail; /* entries pushed: the edge's; it never reads it back but at pool_adopt */
};

struct shared_seat {
    alignas(POOL_LINE) _Atomic uint32_t futex; /* changes with each wake-up of the seat */
    _Atomic uint32_t closed;                   /* pid that shall end; 0: none, POOL_CLOSED_ANY: whoever it is */
    _Atomic uint32_t owner;                    /* pid that may take; 0: any (edge's, by pool_reopen) */
    _Atomic uint32_t busy;                     /* slot + 1, 0: idle. This and the next two are the worker's notes */
    _Atomic uint64_t since_ns;
    _Atomic uint64_t requests;
};

enum { LANE_AWAKE, LANE_SLEEPS, LANE_NAPS };

struct shared_lane {
    alignas(POOL_LINE) _Atomic uint32_t asleep; /* one of the above */
    alignas(POOL_LINE) _Atomic uint64_t bits[POOL_ATTENTION_WORDS];
};

struct shared_slot {
    alignas(POOL_LINE) _Atomic uint64_t word;    /* slot.h */
    _Atomic uint32_t lane;                       /* edge's, while FREE */
    alignas(POOL_LINE) _Atomic uint64_t written; /* worker's line: bytes of frames published */
    _Atomic uint32_t waiting;                    /* 1: it waits for room. The edge takes it back to 0 when it wakes */
    _Atomic uint32_t asked;     /* 1: it wants the body. The edge takes it back to 0 when it has seen it */
    _Atomic uint64_t announced; /* `written` at its last pool_attention */
    _Atomic uint64_t taken_ns;  /* clock_mono_ns when it took the request */
    alignas(POOL_LINE) _Atomic uint64_t consumed; /* edge's line: bytes of frames read */
    _Atomic uint32_t cancel;
    _Atomic uint32_t room; /* futex word: changes with each wake-up for room or cancellation */
};

static_assert(sizeof(struct shared_seat) == POOL_LINE, "a seat is a line");
static_assert(sizeof(struct shared_slot) == 3 * POOL_LINE, "a slot's control words are three lines");
static_assert(sizeof(struct shared_ready) == 3 * POOL_LINE, "head, hungry and tail apart");

struct pool {
    struct pool_geometry geometry; /* private copy, checked once */
    uint32_t seats_n;              /* workers × threads */
    uint64_t capacity;             /* of the ready ring; power of two */
    size_t size;                   /* of the mapping */
    uint32_t pid;                  /* of the process that mapped it: what a seat's owner is compared with */
    unsigned char *base;
    /* into base */
    struct shared_ready *ready;
    _Atomic uint64_t *entries;
    _Atomic uint64_t *sleepers;
    struct shared_seat *seats;
    struct shared_lane *lanes;
    struct shared_slot *slots;
    unsigned char *areas;
    int lane_fds[POOL_LANES_MAX]; /* borrowed; -1: not set */
    /* the edge's own, under its dispatch lock but for `handed`, which the slot's owner also clears */
    bool is_edge;             /* pool_adopt was called */
    uint64_t tail;            /* of the ready ring: the true one */
    _Atomic uint64_t *handed; /* per slot the READY word it was handed over with, 0 while it is FREE */
    uint32_t *seen;           /* per slot the round of ready_rebuild in which it was kept */
    uint32_t round;
};

static inline uint64_t word_make(enum pool_phase phase, uint32_t seat, uint32_t serial)
{
    return (uint64_t)serial << 32 | (uint64_t)seat << 8 | (uint64_t)phase;
}

static inline uint32_t word_phase(uint64_t word)
{
    return (uint32_t)(word & 0xff);
}

static inline uint32_t word_seat(uint64_t word)
{
    return (uint32_t)(word >> 8) & 0xffffff;
}

static inline uint32_t word_serial(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* Slot numbers in our own hands are ours to get right; those read from shared memory are checked before they come here. */
static inline struct shared_slot *slot_at(const struct pool *pool, uint32_t slot)
{
    must(slot < pool->geometry.slots);
    return &pool->slots[slot];
}

static inline struct shared_seat *seat_at(const struct pool *pool, uint32_t seat)
{
    must(seat < pool->seats_n);
    return &pool->seats[seat];
}

static inline unsigned char *request_area(const struct pool *pool, uint32_t slot)
{
    must(slot < pool->geometry.slots);
    return pool->areas + (size_t)slot * POOL_AREA_BYTES;
}

static inline unsigned char *ring_area(const struct pool *pool, uint32_t slot)
{
    return request_area(pool, slot) + POOL_REQUEST_BYTES;
}

#endif
