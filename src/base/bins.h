/*
 * Memory of many small sizes that is kept for the next one who asks: for a library that allocates and frees within every request.
 *
 * A list for each 64 bytes up to 1 KiB; what is larger goes to the heap and back. Up to `keep` bytes are kept, what comes back beyond that is freed,
 * so that a crowd that has left leaves no memory behind. What is kept is poisoned under AddressSanitizer. One thread; bins_fini with pieces still
 * out is a bug (must).
 */
#ifndef QUINTET_BASE_BINS_H
#define QUINTET_BASE_BINS_H

#include <stddef.h>

#include "base/must.h"

#define BINS_STEP 64
#define BINS_N 16

struct bins_piece;

struct bins {
    struct bins_piece *kept[BINS_N]; /* owned; [i]: pieces of (i + 1) * BINS_STEP bytes, their heads included */
    size_t n_kept;                   /* bytes in all lists */
    size_t keep;                     /* most of them */
    size_t in_use;                   /* pieces handed out */
};

void bins_init(struct bins *b, size_t keep);
void bins_fini(struct bins *b);

/* As malloc, calloc, realloc and free; uninitialised, aligned to 16 bytes. NULL without memory. */
MUST_CHECK void *bins_alloc(struct bins *b, size_t size);
MUST_CHECK void *bins_calloc(struct bins *b, size_t n, size_t size);
MUST_CHECK void *bins_realloc(struct bins *b, void *p, size_t size); /* NULL: p is as it was */
void bins_free(struct bins *b, void *p);                             /* NULL is allowed */

#endif
