/* The form of a frame in the response ring, for the two sides that write and read it. Private to pool/. */
#ifndef QUINTET_POOL_FRAME_H
#define QUINTET_POOL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"

#define FRAME_HEADER 8u /* u32 kind, u32 payload bytes, as one word: kind in the low half */

/* HEAD's payload: this, n_fields × struct head_field, reason, then names and values; nothing behind. */
struct head_start {
    uint16_t status;
    uint16_t reason; /* bytes */
    uint16_t n_fields;
    uint16_t zero;
};

struct head_field {
    uint16_t name, value; /* bytes */
};

static inline uint64_t frame_make(uint32_t kind, uint32_t size)
{
    return (uint64_t)size << 32 | kind;
}

static inline uint32_t frame_padding(uint32_t size)
{
    return -size & 7;
}

/* The place of byte number `count` in the ring. */
static inline size_t ring_place(uint64_t count)
{
    return (size_t)(count & (POOL_RING_BYTES - 1));
}

#endif
