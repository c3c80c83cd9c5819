/*
 * Bytes that must be kept until somebody takes them: memory first, then an unlinked file (at once when there is no memory).
 *
 * Request bodies before a worker is chosen, and responses whose client reads slowly. Written at the end, read from the front. A disk
 * that fills up loses nothing that was taken before: the write that failed can be tried again later. One lane.
 */
#ifndef QUINTET_EDGE_SPOOL_H
#define QUINTET_EDGE_SPOOL_H

#include <stdint.h>
#include <sys/uio.h>

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
/* The same for one that was in use: empty, and with the memory it had when that is small. */
void spool_reuse(struct spool *s, size_t memory_max, uint64_t max);
void spool_fini(
    struct spool
        *s); /* a large file is closed by a thread of its own: a lane would stand still while the kernel frees it */
void spool_settle(void); /* waits for those threads */
/* All of the pieces or, on failure, none: what was there before stays as it was. 0; -EMSGSIZE past max; -errno when the file cannot
 * be written (-ENOSPC). */
MUST_CHECK int spool_addv(struct spool *s, const struct iovec *iov, int n);
MUST_CHECK int spool_add(struct spool *s, const void *p, size_t n);

static inline uint64_t spool_left(const struct spool *s)
{
    return s->size - s->taken;
}

#endif
