/* Objects of one size from a free list: see slab.h. */
#include "base/slab.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/poison.h"

#define SLAB_ALIGN 16

struct slab_chunk {
    struct slab_chunk *next;
    size_t pad; /* objects start aligned */
};

struct free_object {
    struct free_object *next;
};

_Static_assert(sizeof(struct slab_chunk) % SLAB_ALIGN == 0, "objects start aligned");

void slab_init(struct slab *s, size_t object_size, size_t per_chunk, size_t max)
{
    must(object_size > 0 && object_size < SIZE_MAX / 2 && per_chunk > 0);
    *s = (struct slab){
        .object_size = (object_size + SLAB_ALIGN - 1) & ~(size_t)(SLAB_ALIGN - 1),
        .per_chunk = per_chunk,
        .max = max,
    };
    must(per_chunk < SIZE_MAX / 2 / s->object_size);
}

void slab_fini(struct slab *s)
{
    must(s->in_use == 0);
    while (s->chunks != NULL) {
        struct slab_chunk *chunk = s->chunks;

        s->chunks = chunk->next;
        UNPOISON(chunk + 1, s->object_size * s->per_chunk);
        mem_free(chunk);
    }
    s->free = NULL;
}

static void push_free(struct slab *s, void *object)
{
    struct free_object *f = object;

    f->next = s->free;
    s->free = f;
    POISON(object, s->object_size);
}

static bool add_chunk(struct slab *s)
{
    struct slab_chunk *chunk = mem_try_alloc(sizeof(*chunk) + s->object_size * s->per_chunk);
    char *objects;

    if (chunk == NULL)
        return false;
    objects = (char *)(chunk + 1);
    chunk->next = s->chunks;
    s->chunks = chunk;
    for (size_t i = s->per_chunk; i-- > 0;)
        push_free(s, objects + i * s->object_size);
    return true;
}

void *slab_get(struct slab *s)
{
    struct free_object *f;

    if (s->max != 0 && s->in_use >= s->max)
        return NULL;
    if (s->free == NULL && !add_chunk(s))
        return NULL;
    f = s->free;
    must(f != NULL);
    UNPOISON(f, s->object_size);
    s->free = f->next;
    s->in_use++;
    return memset(f, 0, s->object_size);
}

void slab_put(struct slab *s, void *object)
{
    must(object != NULL && s->in_use > 0);
    s->in_use--;
    push_free(s, object);
}
