/* Memory of many small sizes that is kept: see bins.h. */
#include "base/bins.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/poison.h"

/* Before each piece: where it goes when it comes back. */
struct bins_piece {
    struct bins_piece *next; /* in its list */
    size_t room;             /* bytes behind this head */
};

#define HEAD sizeof(struct bins_piece)
#define LARGEST (BINS_N * BINS_STEP - HEAD)

_Static_assert(HEAD % 16 == 0, "pieces are aligned");

void bins_init(struct bins *b, size_t keep)
{
    *b = (struct bins){ .keep = keep };
}

void bins_fini(struct bins *b)
{
    must(b->in_use == 0);
    for (size_t i = 0; i < BINS_N; i++) {
        while (b->kept[i] != NULL) {
            struct bins_piece *piece = b->kept[i];

            b->kept[i] = piece->next;
            UNPOISON(piece + 1, piece->room);
            mem_free(piece);
        }
    }
    b->n_kept = 0;
}

/* The list of a piece with so much room. */
static size_t bin_of(size_t room)
{
    return (room + HEAD - 1) / BINS_STEP;
}

static struct bins_piece *piece_of(void *p)
{
    return (struct bins_piece *)p - 1;
}

static struct bins_piece *take_kept(struct bins *b, size_t bin)
{
    struct bins_piece *piece = b->kept[bin];

    if (piece == NULL)
        return NULL;
    b->kept[bin] = piece->next;
    b->n_kept -= HEAD + piece->room;
    UNPOISON(piece + 1, piece->room);
    return piece;
}

static struct bins_piece *make(size_t room)
{
    struct bins_piece *piece = room > SIZE_MAX - HEAD ? NULL : mem_try_alloc(HEAD + room);

    if (piece != NULL)
        piece->room = room;
    return piece;
}

void *bins_alloc(struct bins *b, size_t size)
{
    struct bins_piece *piece;

    if (size > LARGEST) {
        piece = make(size);
    } else {
        size_t bin = bin_of(size);

        piece = take_kept(b, bin);
        if (piece == NULL)
            piece = make((bin + 1) * BINS_STEP - HEAD);
    }
    if (piece == NULL)
        return NULL;
    b->in_use++;
    return piece + 1;
}

void *bins_calloc(struct bins *b, size_t n, size_t size)
{
    size_t all;
    void *p;

    if (__builtin_mul_overflow(n, size, &all))
        return NULL;
    p = bins_alloc(b, all);
    return p == NULL ? NULL : memset(p, 0, all);
}

void *bins_realloc(struct bins *b, void *p, size_t size)
{
    size_t room = p == NULL ? 0 : piece_of(p)->room;
    void *other;

    if (p != NULL && size <= room)
        return p;
    other = bins_alloc(b, size);
    if (other == NULL)
        return NULL;
    if (p != NULL)
        memcpy(other, p, room);
    bins_free(b, p);
    return other;
}

void bins_free(struct bins *b, void *p)
{
    struct bins_piece *piece;
    size_t bin;

    if (p == NULL)
        return;
    must(b->in_use > 0);
    b->in_use--;
    piece = piece_of(p);
    if (piece->room > LARGEST || b->n_kept + HEAD + piece->room > b->keep) {
        mem_free(piece);
        return;
    }
    bin = bin_of(piece->room);
    piece->next = b->kept[bin];
    b->kept[bin] = piece;
    b->n_kept += HEAD + piece->room;
    POISON(p, piece->room);
}
