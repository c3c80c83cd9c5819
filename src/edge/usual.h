/*
 * What requests usually take: which kinds are slow, so that these few do not occupy all workers at once (express.h).
 *
 * A kind is a method and a path in which every segment with a digit counts as the same one: /orders/17/ is /orders/18/. Only slow kinds are
 * remembered, so that a site without any pays one comparison a request. An estimate begins with half of what was measured, as a
 * single slow answer proves little, and moves a quarter of the way each time. Guarded by the dispatch lock.
 */
#ifndef QUINTET_EDGE_USUAL_H
#define QUINTET_EDGE_USUAL_H

#include <stdint.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"

#define USUAL_KINDS 256                /* remembered; the shortest of a set gives way */
#define USUAL_SLOW_NS (40 * NS_PER_MS) /* an estimate from which a kind is slow */

struct usual_kind {
    uint64_t key; /* 0: free */
    uint64_t ns;
};

struct usual {
    struct hash_seed seed;
    struct usual_kind kinds[USUAL_KINDS];
    uint32_t n;
};

void usual_init(struct usual *u);
/* The estimate, in ns, for a kind that is slow; 0: it is not, or nobody knows. */
uint64_t usual_slow(const struct usual *u, struct str method, struct str path);
void usual_note(struct usual *u, struct str method, struct str path, uint64_t ran_ns);

#endif
