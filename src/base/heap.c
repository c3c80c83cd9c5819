/* A binary min-heap of intrusive nodes: see heap.h. */
#include "base/heap.h"

#include <errno.h>

#include "base/mem.h"
#include "base/must.h"

void heap_init(struct heap *h)
{
    *h = (struct heap){ 0 };
}

void heap_fini(struct heap *h)
{
    for (size_t i = 0; i < h->n; i++)
        h->nodes[i]->index = HEAP_NONE;
    mem_free(h->nodes);
    *h = (struct heap){ 0 };
}

void heap_node_init(struct heap_node *node)
{
    *node = (struct heap_node){ .index = HEAP_NONE };
}

static void place(struct heap *h, size_t at, struct heap_node *node)
{
    h->nodes[at] = node;
    node->index = at;
}

/* Moves the hole at `at` up until `node` fits into it. */
static void sift_up(struct heap *h, size_t at, struct heap_node *node)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;

        if (h->nodes[parent]->key <= node->key)
            break;
        place(h, at, h->nodes[parent]);
        at = parent;
    }
    place(h, at, node);
}

static void sift_down(struct heap *h, size_t at, struct heap_node *node)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= h->n)
            break;
        if (child + 1 < h->n && h->nodes[child + 1]->key < h->nodes[child]->key)
            child++;
        if (node->key <= h->nodes[child]->key)
            break;
        place(h, at, h->nodes[child]);
        at = child;
    }
    place(h, at, node);
}

int heap_reserve(struct heap *h, size_t n)
{
    size_t cap = h->cap != 0 ? h->cap : 64;
    struct heap_node **nodes;

    if (n <= h->cap)
        return 0;
    while (cap < n)
        cap *= 2;
    nodes = mem_try_realloc(h->nodes, cap * sizeof(struct heap_node *));
    if (nodes == NULL)
        return -ENOMEM;
    h->nodes = nodes;
    h->cap = cap;
    return 0;
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
    must(node->index == HEAP_NONE);
    if (h->n == h->cap) {
        h->cap = h->cap != 0 ? h->cap * 2 : 64;
        h->nodes = mem_realloc(h->nodes, h->cap * sizeof(struct heap_node *));
    }
    node->key = key;
    sift_up(h, h->n++, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    size_t at = node->index;
    struct heap_node *last;

    if (at == HEAP_NONE)
        return;
    must(at < h->n && h->nodes[at] == node);
    node->index = HEAP_NONE;
    last = h->nodes[--h->n];
    if (last == node)
        return;
    if (at > 0 && last->key < h->nodes[(at - 1) / 2]->key)
        sift_up(h, at, last);
    else
        sift_down(h, at, last);
}

struct heap_node *heap_min(const struct heap *h)
{
    return h->n > 0 ? h->nodes[0] : NULL;
}
