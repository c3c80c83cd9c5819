/*
 * Pauses: `quintet pause` lets requests wait in the edge's queue until `quintet resume`, or until its time is over, whichever is first.
 *
 *      pause_begin ─ HOLD ─▶ paused ── HELD: nothing runs any more, who asked is told ──▶ paused ── resume, time over, stop ──▶ HOLD 0
 *
 * A second pause begins the time anew. A new edge is told of the rest. While one edge takes over from another, both are paused. One thread.
 */
#ifndef QUINTET_SUPER_PAUSE_H
#define QUINTET_SUPER_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/loop.h"

#define PAUSE_DEFAULT_NS (30 * UINT64_C(1000000000))
#define PAUSE_MAX_NS (3600 * UINT64_C(1000000000))

struct super;
struct child;

struct pause {
    uint64_t until_ns; /* clock_mono_ns; 0: not paused */
    uint32_t number;   /* of the last pause; the edge gives it back */
    bool quiet[2];     /* super->edges: nothing runs there */
    struct loop_timer timer;
};

void pause_init(struct super *super);
uint32_t pause_begin(struct super *super, uint64_t max_ns); /* its number */
/* Goes on. `error` is for those who still wait for "nothing runs". False: was not paused. */
bool pause_end(struct super *super, const char *why, const char *error);
void pause_again(struct super *super, struct child *edge); /* there is a new edge: before it is told of a generation */
bool pause_quiet(struct super *super, struct child *edge,
                 uint32_t number);                /* HELD; false: there was never such a pause */
void pause_generation_ended(struct super *super); /* its edge may be gone with it, or before: nobody says HELD for it */
uint64_t pause_left(const struct super *super);   /* ns; 0: not paused */

#endif
