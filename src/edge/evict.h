/*
 * Who must go when there is no room for one more connection: whoever has no request, and has had no request for longest.
 *
 *      1. kept alive and idle, longest idle first
 *      2. handshake, or no complete head yet, longest connected first; after EVICT_BEGIN_NS at the earliest
 *      3. a body below the pace (edge/pace.h) for EVICT_UPLOAD_NS, longest first
 *
 * Never one whose request is with the application or being answered. A flood of slow clients evicts itself: those who send their head in time
 * are out of reach, and each newcomer has its chance, the minimum time, before it can be asked to go. Each rank is a list in order, so that
 * finding the next is O(1). A lane evicts its own connections only. Own thread, but for evict_elsewhere.
 */
#ifndef QUINTET_EDGE_EVICT_H
#define QUINTET_EDGE_EVICT_H

#include <stdbool.h>

#include "base/clock.h"

enum evict_rank { EVICT_NEVER, EVICT_KEPT, EVICT_BEGINNING, EVICT_UPLOAD, EVICT_RANKS };

#define EVICT_KEPT_NS (100 * NS_PER_MS) /* so that the next request is not already on its way to us */
#define EVICT_BEGIN_NS (500 * NS_PER_MS)
#define EVICT_UPLOAD_NS (5 * NS_PER_SEC)

struct conn;
struct lane;

/* The connection has this rank from now on. It keeps its place when that is the rank it had. */
void evict_rank(struct conn *c, enum evict_rank rank);
void evict_last(struct conn *c); /* to the end of its rank: it is as good as a new one */
/* Closes the first connection that may go. Its descriptor is free at the end of the turn. False: there is none. */
bool evict_one(struct lane *lane);
void evict_elsewhere(struct lane *lane); /* asks the other lanes to do so */

#endif
