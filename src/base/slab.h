/*
 * Objects of one size from a free list: connections, exchanges, timers.
 *
 * slab_get is a pop and slab_put a push; memory comes in chunks and returns to the system at slab_fini only. Freed objects
 * are poisoned under AddressSanitizer. One thread. slab_fini with objects still out is a bug (must).
 */
#ifndef QUINTET_BASE_SLAB_H
#define QUINTET_BASE_SLAB_H

#include <stddef.h>

struct slab_chunk;

struct slab {
    size_t object_size;        /* rounded up to 16 */
    size_t per_chunk;          /* objects in a chunk */
    void *free;                /* singly linked through the objects */
    struct slab_chunk *chunks; /* owned */
    size_t in_use;             /* objects handed out */
    size_t max;                /* slab_get returns NULL past this; 0: no limit */
};

void slab_init(struct slab *s, size_t object_size, size_t per_chunk, size_t max);
void slab_fini(struct slab *s);
void *slab_get(struct slab *s); /* zeroed; NULL past max or without memory */
void slab_put(struct slab *s, void *object);

#endif
