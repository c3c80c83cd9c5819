/*
 * A binary min-heap of intrusive nodes ordered by a 64-bit key: the timers' order.
 * A node's `index` is its place, or HEAP_NONE when it is in no heap, so removal is O(log n) without a search.
 */
#ifndef QUINTET_BASE_HEAP_H
#define QUINTET_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

#define HEAP_NONE SIZE_MAX

struct heap_node {
    uint64_t key;
    size_t index; /* HEAP_NONE or the place in heap.nodes */
};

struct heap {
    struct heap_node **nodes; /* owned array of borrowed nodes */
    size_t n, cap;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h); /* nodes still inside become HEAP_NONE */
void heap_node_init(struct heap_node *node);
/* Room for n nodes in all, so that inserting up to so many needs no memory. 0 or -ENOMEM. */
MUST_CHECK int heap_reserve(struct heap *h, size_t n);
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key); /* node must be in no heap */
void heap_remove(struct heap *h, struct heap_node *node);               /* nothing when in no heap */
struct heap_node *heap_min(const struct heap *h);                       /* NULL when empty */

#endif
