/*
 * The lanes, all together: how many there are, and what is done in each of them.
 *
 * Lane 0 is the main thread's and there from the beginning; the others start once, before anybody listens.
 */
#ifndef QUINTET_EDGE_LANES_H
#define QUINTET_EDGE_LANES_H

#include <stdint.h>

struct edge;
struct lane;

/* Starts them if a configuration says how many: before the first pool is made, as their number is part of its geometry. Harmless later. Lane 0.
 * inherited: the lanes of a pool that is taken over from a dead edge, whose options may have been others; 0: none, the rule decides. */
void lanes_ensure(struct edge *edge, uint32_t inherited);
/* fn runs once in each lane's thread; in lane 0's at once, in the others' when they come to it, in the order of the calls. Lane 0. */
void lanes_each(struct edge *edge, void (*fn)(struct lane *lane, void *arg), void *arg);
/* Every lane looks at its attention bits soon. Any thread. */
void lanes_wake(struct edge *edge);

#endif
