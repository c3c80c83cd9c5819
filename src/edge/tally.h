/*
 * What is counted of one limit, for all lanes and across reloads: how many requests are inside now, and how many were refused.
 *
 * Whoever may need it later holds a reference: the snapshot, a request that is inside, a slot whose client has left. A new snapshot takes over the
 * tallies of the one before by their identity. Any thread.
 */
#ifndef QUINTET_EDGE_TALLY_H
#define QUINTET_EDGE_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"

struct tally {
    atomic_uint refs;
    uint64_t id; /* of the limit */
    atomic_uint inside;
    atomic_ullong unsaid, quiet_ns; /* refused since it was last logged; before then nothing is said */
};

struct tally *tally_new(uint64_t id);
struct tally *tally_ref(struct tally *tally);
void tally_unref(struct tally *tally); /* NULL allowed */
/* One more is inside, unless `most` are. */
MUST_CHECK bool tally_enter(struct tally *tally, uint64_t most);
/* It left: exactly once for each that entered. NULL allowed. Gives the reference up that tally_enter took. */
void tally_leave(struct tally *tally);
/* One was refused, now. 0: say nothing; else how many since it was last said, this one included. Once a minute. */
uint64_t tally_refused(struct tally *tally, uint64_t now_ns);

#endif
