/*
 * How often somebody has asked: the generic cell rate algorithm over a table of fixed size, shared by all lanes.
 *
 * A key has one number, the time at which it would have used up nothing any more were it to stay away (its theoretical arrival time, TAT). A request is let
 * through while the TAT is less than burst × interval ahead, and moves it one interval on. So exactly `burst` requests pass at once, and then one in each
 * interval, whatever lanes they come by.
 *
 *      set:  ┌ hash │ TAT ┐ × 8     chosen by some bits of the keyed hash; a lock for every 64th set
 *
 * The table never grows. In a full set the entry goes whose TAT is the earliest: mostly one that says nothing any more (TAT in the past). If all eight
 * are still owed, the one that owes least is forgotten (answer.forgot) and its next request finds a fresh burst. Who can make the table forget has, for
 * that, more fresh keys than forgetting gives him; to be strict there would let him shut out others. Keys are hashed under a random key of the process, so nobody aims at a
 * set. Two keys are one if their 64 bits of hash are: never by intent, once in 10^19 otherwise.
 */
#ifndef QUINTET_EDGE_THROTTLE_H
#define QUINTET_EDGE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct throttle;

struct throttle_rate {
    uint64_t interval_ns; /* at least 1; between two requests once the burst is used up */
    uint64_t burst;       /* at least 1; burst × interval_ns below 2^62 */
};

struct throttle_answer {
    bool pass;
    bool forgot;      /* another key that still owed made room */
    uint64_t left;    /* requests that would pass at once now, after this one */
    uint64_t wait_ns; /* until one more than `left` would */
};

/* For so many keys at 16 bytes each, rounded up to a power of two; untouched memory costs nothing. */
struct throttle *throttle_new(uint32_t keys);
struct throttle *throttle_ref(struct throttle *t);
void throttle_unref(struct throttle *t); /* NULL allowed */
/* Who is asked about: a rule's identity and the key's text. */
uint64_t throttle_key(const struct throttle *t, uint64_t rule, struct str key);
/* Counts a request at `now` (clock_mono_ns; two callers' may be some ms apart) and says whether it passes; a refused one costs nothing. Any thread. A key whose
 * rate has changed since goes on with what it owes, at most a whole burst of the new rate. */
struct throttle_answer throttle_ask(struct throttle *t, uint64_t key, const struct throttle_rate *rate, uint64_t now);

#endif
