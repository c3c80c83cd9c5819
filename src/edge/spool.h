/*
 * Bytes that must be kept until somebody takes them: memory first, then an unlinked file.
 *
 * Request bodies before a worker is chosen, and responses whose client reads slowly. Written at the end, read from the front. One lane.
 */
#ifndef QUINTET_EDGE_SPOOL_H
#define QUINTET_EDGE_SPOOL_H

#include <stdint.h>

#include "base/buf.h"

struct spool {
    struct buf memory; /* the bytes while they fit */
    int fd;            /* -1, or the unlinked file with all of them; owned */
    uint64_t size;     /* bytes written */
    uint64_t taken;    /* bytes read from the front */
    size_t memory_max; /* goes to a file past this */
    uint64_t max;      /* -EMSGSIZE past this */
};

void spool_init(struct spool *s, size_t memory_max, uint64_t max);
void spool_fini(struct spool *s);
/* 0; -EMSGSIZE past max; -errno when the file cannot be written (-ENOSPC). */
MUST_CHECK int spool_add(struct spool *s, const void *p, size_t n);
/* A body known to be large: straight to the file. 0 or -errno. */
MUST_CHECK int spool_to_file(struct spool *s);

static inline uint64_t spool_left(const struct spool *s)
{
    return s->size - s->taken;
}

#endif
