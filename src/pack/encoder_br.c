/*
 * brotli (RFC 7932), by libbrotlienc.
 *
 * The library has no reset: each body is a new instance. Its memory comes from a block that stays with the encoder, given out from the front and
 * all given back at the next body; what does not fit is allocated as usual.
 */
#include <brotli/encode.h>
#include <errno.h>

#include "base/mem.h"
#include "pack/encoder_kind.h"

#define WINDOW_LIVE 16 /* 64 KiB */
#define WINDOW_BEST 22
#define BLOCK (768u << 10) /* what a body of ENCODER_SHORT needs */
#define ALIGN 64u

struct br {
    struct encoder base;
    BrotliEncoderState *state; /* owned; its memory may be in block */
    char *block;               /* owned; NULL: best, or no memory */
    size_t used;
    bool pads;      /* the metadata block is not out yet */
    size_t padding; /* bytes of it still to be taken */
};

static void *br_alloc(void *opaque, size_t size)
{
    struct br *b = opaque;
    size_t n = (size + ALIGN - 1) / ALIGN * ALIGN;
    char *p;

    if (b->block == NULL || n < size || n > BLOCK - b->used)
        return mem_try_alloc(size);
    p = b->block + b->used;
    b->used += n;
    return p;
}

static void br_release(void *opaque, void *p)
{
    const struct br *b = opaque;
    uintptr_t at = (uintptr_t)p, block = (uintptr_t)b->block;

    if (b->block == NULL || at < block || at >= block + BLOCK)
        mem_free(p);
}

static void set(struct br *b, BrotliEncoderParameter parameter, uint32_t value)
{
    must(BrotliEncoderSetParameter(b->state, parameter, value));
}

static void br_end(struct br *b)
{
    if (b->state != NULL)
        BrotliEncoderDestroyInstance(b->state);
    b->state = NULL;
    b->used = 0;
}

static uint32_t quality_of(const struct encoder_plan *plan)
{
    if (plan->best)
        return 11;
    return encoder_is_short(plan) ? 5 : 4;
}

static int br_begin(struct encoder *e, const struct encoder_plan *plan)
{
    struct br *b = CONTAINER_OF(e, struct br, base);

    br_end(b);
    if (b->block == NULL && !plan->best)
        b->block = mem_try_alloc(BLOCK);
    b->state = BrotliEncoderCreateInstance(br_alloc, br_release, b);
    if (b->state == NULL)
        return -ENOMEM;
    set(b, BROTLI_PARAM_QUALITY, quality_of(plan));
    set(b, BROTLI_PARAM_LGWIN, plan->best ? WINDOW_BEST : WINDOW_LIVE);
    if (plan->length > 0)
        set(b, BROTLI_PARAM_SIZE_HINT, plan->length < 1 << 30 ? (uint32_t)plan->length : 1u << 30);
    b->padding =
        plan->padding == 1 ? 2 : plan->padding; /* libbrotlienc 1.0.9 writes a metadata block of one byte wrongly */
    b->pads = plan->padding > 0;
    return 0;
}

static bool br_step(struct br *b, BrotliEncoderOperation op, struct encoder_io *io)
{
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;
    bool ok = BrotliEncoderCompressStream(b->state, op, &io->n_in, &in, &io->n_out, &out, NULL);

    io->in = (const char *)in;
    io->out = (char *)out;
    return ok;
}

static int br_pad(struct br *b, struct encoder_io *io)
{
    struct encoder_io pad = { encoder_padding, b->padding, io->out, io->n_out };
    bool ok = br_step(b, BROTLI_OPERATION_EMIT_METADATA, &pad);

    io->out = pad.out;
    io->n_out = pad.n_out;
    b->padding = pad.n_in;
    b->pads = b->padding > 0 || BrotliEncoderHasMoreOutput(b->state);
    return ok ? 0 : -ENOMEM;
}

static int br_run(struct encoder *e, struct encoder_io *io, enum encoder_op op)
{
    static const BrotliEncoderOperation ops[] = { [ENCODER_GO] = BROTLI_OPERATION_PROCESS,
                                                  [ENCODER_FLUSH] = BROTLI_OPERATION_FLUSH,
                                                  [ENCODER_FINISH] = BROTLI_OPERATION_FINISH };
    struct br *b = CONTAINER_OF(e, struct br, base);

    if (b->pads && br_pad(b, io) != 0)
        return -ENOMEM;
    if (b->pads)
        return 0;
    if (!br_step(b, ops[op], io))
        return -ENOMEM; /* it fails for nothing else, as we use it */
    if (op == ENCODER_FINISH)
        return BrotliEncoderIsFinished(b->state);
    return io->n_in == 0 && (op == ENCODER_GO || !BrotliEncoderHasMoreOutput(b->state));
}

static void br_fini(struct encoder *e)
{
    struct br *b = CONTAINER_OF(e, struct br, base);

    br_end(b);
    mem_free(b->block);
}

const struct encoder_kind encoder_br = {
    .size = sizeof(struct br), .cost = 2600u << 10, .begin = br_begin, .run = br_run, .fini = br_fini
};
