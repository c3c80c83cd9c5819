/*
 * Memory with the lifetime of a request: see arena.h.
 *
 * Blocks of ARENA_BLOCK bytes; a piece that does not fit one gets a block of its own size. The chain grows at its end, and
 * only `current`, the last one, has room.
 */
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/poison.h"

#define ARENA_BLOCK 32768 /* an application request with its tables fits the first block */
#define ARENA_ALIGN 16

struct arena_block {
    struct arena_block *next;
    size_t size; /* bytes behind this header */
    size_t used;
    size_t pad; /* the bytes behind the header are aligned as malloc aligns the header */
};

struct arena_cleanup {
    struct arena_cleanup *next;
    arena_cleanup_fn *fn;
    void *arg;
};

_Static_assert(sizeof(struct arena_block) % ARENA_ALIGN == 0, "pieces start aligned");

static char *block_bytes(struct arena_block *block)
{
    return (char *)(block + 1);
}

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){ .max = max };
}

static void run_cleanups(struct arena *a)
{
    while (a->cleanups != NULL) {
        struct arena_cleanup *cleanup = a->cleanups;

        a->cleanups = cleanup->next;
        cleanup->fn(cleanup->arg);
    }
}

static void free_chain(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;

        UNPOISON(block_bytes(block), block->size);
        mem_free(block);
        block = next;
    }
}

void arena_reset(struct arena *a)
{
    struct arena_block *first = a->first;

    run_cleanups(a);
    a->used = 0;
    if (first == NULL)
        return;
    free_chain(first->next);
    first->next = NULL;
    first->used = 0;
    POISON(block_bytes(first), first->size);
    a->current = first;
}

void arena_fini(struct arena *a)
{
    run_cleanups(a);
    free_chain(a->first);
    arena_init(a, a->max);
}

/* The first block always has the common size, so what arena_reset keeps does not depend on what a peer sent. */
static bool grow(struct arena *a, size_t size)
{
    size_t room = a->first == NULL || size < ARENA_BLOCK - sizeof(struct arena_block)
                      ? ARENA_BLOCK - sizeof(struct arena_block)
                      : size;
    struct arena_block *block = mem_try_alloc(sizeof(*block) + room);

    if (block == NULL)
        return false;
    *block = (struct arena_block){ .size = room };
    POISON(block_bytes(block), room);
    if (a->current != NULL)
        a->current->next = block;
    else
        a->first = block;
    a->current = block;
    return true;
}

int arena_reserve(struct arena *a, size_t size)
{
    if (size > a->max || a->used > a->max - size)
        return -ENOMEM;
    while (a->current == NULL || size > a->current->size - a->current->used)
        if (!grow(a, size)) /* twice when the very first piece is a large one */
            return -ENOMEM;
    return 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded;
    char *p;

    if (size > SIZE_MAX - ARENA_ALIGN)
        return NULL;
    rounded = size == 0 ? ARENA_ALIGN : (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (arena_reserve(a, rounded) != 0)
        return NULL;
    p = block_bytes(a->current) + a->current->used;
    a->current->used += rounded;
    a->used += rounded;
    UNPOISON(p, size);
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);

    if (p != NULL)
        memset(p, 0, size);
    return p;
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;

    if (p == NULL)
        return str_make(NULL, 0);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_make(p, s.n);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    must(n >= 0);
    p = arena_alloc(a, (size_t)n + 1);
    if (p == NULL)
        return str_make(NULL, 0);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return str_make(p, (size_t)n);
}

int arena_defer(struct arena *a, arena_cleanup_fn *fn, void *arg)
{
    struct arena_cleanup *cleanup = arena_alloc(a, sizeof(*cleanup));

    if (cleanup == NULL)
        return -ENOMEM;
    *cleanup = (struct arena_cleanup){ .next = a->cleanups, .fn = fn, .arg = arg };
    a->cleanups = cleanup;
    return 0;
}
