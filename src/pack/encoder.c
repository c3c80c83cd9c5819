/* The three encoders behind one face. */
#include "pack/encoder.h"

#include "base/mem.h"
#include "pack/encoder_kind.h"

#define TEN "xxxxxxxxxx"

const char encoder_padding[ENCODER_PADDING_MAX + 1] = TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "xxxxxxxx";

static const struct encoder_kind *const kinds[CODINGS] = {
    [CODING_GZIP] = &encoder_gzip,
    [CODING_ZSTD] = &encoder_zstd,
    [CODING_BR] = &encoder_br,
};

struct encoder *encoder_new(enum coding coding)
{
    struct encoder *e;

    must(coding > CODING_IDENTITY && coding < CODINGS);
    e = mem_try_zalloc(kinds[coding]->size);
    if (e == NULL)
        return NULL;
    e->kind = kinds[coding];
    e->coding = coding;
    return e;
}

void encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    e->kind->fini(e);
    mem_free(e);
}

int encoder_begin(struct encoder *e, const struct encoder_plan *plan)
{
    must(plan->padding <= ENCODER_PADDING_MAX);
    return e->kind->begin(e, plan);
}

int encoder_run(struct encoder *e, struct encoder_io *io, enum encoder_op op)
{
    must(io->n_out >= ENCODER_ROOM);
    return e->kind->run(e, io, op);
}

enum coding encoder_coding(const struct encoder *e)
{
    return e->coding;
}

size_t encoder_cost(enum coding coding)
{
    must(coding > CODING_IDENTITY && coding < CODINGS);
    return kinds[coding]->cost;
}
