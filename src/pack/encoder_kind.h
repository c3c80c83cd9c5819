/*
 * What an encoder of one coding provides; for src/pack/encoder*.c alone. The functions mean what those of encoder.h do; the struct of each begins with
 * struct encoder.
 */
#ifndef QUINTET_PACK_ENCODER_KIND_H
#define QUINTET_PACK_ENCODER_KIND_H

#include "pack/encoder.h"

struct encoder_kind {
    size_t size, cost;
    int (*begin)(struct encoder *e, const struct encoder_plan *plan);
    int (*run)(struct encoder *e, struct encoder_io *io, enum encoder_op op);
    void (*fini)(struct encoder *e); /* also of one that was never begun: all zero */
};

struct encoder {
    const struct encoder_kind *kind;
    enum coding coding;
};

extern const struct encoder_kind encoder_gzip, encoder_zstd, encoder_br;
/* ENCODER_PADDING_MAX letters and a NUL. */
extern const char encoder_padding[ENCODER_PADDING_MAX + 1];

static inline bool encoder_is_short(const struct encoder_plan *plan)
{
    return plan->length >= 0 && plan->length <= ENCODER_SHORT;
}

#endif
