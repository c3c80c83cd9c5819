/*
 * Memory with the lifetime of a request: allocate piece by piece, give back all at once.
 *
 * Blocks are chained and kept on reset (the first block only), so a steady connection allocates nothing. Cleanups run
 * newest first at reset or fini; they may not allocate from the arena. One owner, one thread. Pieces are 16-byte aligned.
 */
#ifndef QUINTET_BASE_ARENA_H
#define QUINTET_BASE_ARENA_H

#include <stddef.h>

#include "base/must.h"
#include "base/str.h"

struct arena_block;
struct arena_cleanup;

struct arena {
    struct arena_block *first;      /* owned chain */
    struct arena_block *current;    /* where the next piece comes from */
    struct arena_cleanup *cleanups; /* newest first */
    size_t used;                    /* bytes handed out since the last reset */
    size_t max;                     /* arena_alloc fails past this */
};

typedef void arena_cleanup_fn(void *arg);

void arena_init(struct arena *a, size_t max);     /* allocates nothing yet */
void arena_reset(struct arena *a);                /* runs cleanups, keeps the first block */
void arena_fini(struct arena *a);                 /* runs cleanups, frees all */
void *arena_alloc(struct arena *a, size_t size);  /* uninitialised; NULL past max or without memory */
void *arena_zalloc(struct arena *a, size_t size); /* zeroed; NULL as above */
/* NUL-terminated copy whose str does not count the NUL; .p is NULL as above. */
struct str arena_dup(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The next pieces, `size` bytes of them (each rounded up to 16), will be there. 0 or -ENOMEM as above; then nothing has changed. */
MUST_CHECK int arena_reserve(struct arena *a, size_t size);
/* fn(arg) at reset or fini. 0, or -ENOMEM as above (fn has then not been registered). */
MUST_CHECK int arena_defer(struct arena *a, arena_cleanup_fn *fn, void *arg);

#endif
