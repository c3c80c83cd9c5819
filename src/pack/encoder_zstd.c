/* zstd (RFC 8878), by libzstd, with windows that every browser takes (RFC 9659). */
#include <errno.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "pack/encoder_kind.h"

#define WINDOW_LIVE 17 /* 128 KiB: what a live encoder may cost */
#define WINDOW_BEST 23 /* 8 MiB, the most that RFC 9659 allows */
#define SKIPPABLE_HEAD 8

struct zstd {
    struct encoder base;
    ZSTD_CCtx *ctx; /* owned */
    char padding[SKIPPABLE_HEAD + ENCODER_PADDING_MAX];
    size_t pad_at, pad_n; /* of it still to be written */
};

static int fault(size_t r)
{
    return ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? -ENOMEM : -EINVAL;
}

static void set(struct zstd *z, ZSTD_cParameter parameter, int value)
{
    must(!ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, parameter, value)));
}

static void put_le32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++, v >>= 8)
        p[i] = (char)(v & 0xff);
}

static void pad(struct zstd *z, uint32_t n)
{
    z->pad_at = 0;
    z->pad_n = 0;
    if (n == 0)
        return;
    put_le32(z->padding, ZSTD_MAGIC_SKIPPABLE_START);
    put_le32(z->padding + 4, n);
    memcpy(z->padding + SKIPPABLE_HEAD, encoder_padding, n);
    z->pad_n = SKIPPABLE_HEAD + n;
}

static int zstd_begin(struct encoder *e, const struct encoder_plan *plan)
{
    struct zstd *z = CONTAINER_OF(e, struct zstd, base);
    ZSTD_inBuffer nothing = { "", 0, 0 };
    char byte;
    ZSTD_outBuffer nowhere = { &byte, 0, 0 };
    size_t r;

    if (z->ctx == NULL)
        z->ctx = ZSTD_createCCtx();
    if (z->ctx == NULL)
        return -ENOMEM;
    must(!ZSTD_isError(ZSTD_CCtx_reset(z->ctx, ZSTD_reset_session_and_parameters)));
    set(z, ZSTD_c_compressionLevel, plan->best ? 19 : 3);
    set(z, ZSTD_c_windowLog, plan->best ? WINDOW_BEST : WINDOW_LIVE);
    if (plan->length >= 0) /* small ones get small tables by it */
        must(!ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(z->ctx, (unsigned long long)plan->length)));
    pad(z, plan->padding);
    r = ZSTD_compressStream2(z->ctx, &nowhere, &nothing, ZSTD_e_continue); /* allocates now what it will need */
    return ZSTD_isError(r) ? fault(r) : 0;
}

static void write_padding(struct zstd *z, struct encoder_io *io)
{
    size_t n = z->pad_n < io->n_out ? z->pad_n : io->n_out;

    memcpy(io->out, z->padding + z->pad_at, n);
    z->pad_at += n;
    z->pad_n -= n;
    io->out += n;
    io->n_out -= n;
}

static int zstd_run(struct encoder *e, struct encoder_io *io, enum encoder_op op)
{
    static const ZSTD_EndDirective ops[] = {
        [ENCODER_GO] = ZSTD_e_continue, [ENCODER_FLUSH] = ZSTD_e_flush, [ENCODER_FINISH] = ZSTD_e_end
    };
    struct zstd *z = CONTAINER_OF(e, struct zstd, base);
    size_t left;

    write_padding(z, io);
    if (io->n_out == 0)
        return 0;
    do {
        ZSTD_inBuffer in = { io->in, io->n_in, 0 };
        ZSTD_outBuffer out = { io->out, io->n_out, 0 };

        left = ZSTD_compressStream2(z->ctx, &out, &in, ops[op]);
        if (ZSTD_isError(left))
            return fault(left);
        io->in += in.pos;
        io->n_in -= in.pos;
        io->out += out.pos;
        io->n_out -= out.pos;
    } while (io->n_out > 0 && (op == ENCODER_GO ? io->n_in > 0 : left > 0));
    return op == ENCODER_GO ? io->n_in == 0 : left == 0;
}

static void zstd_fini(struct encoder *e)
{
    struct zstd *z = CONTAINER_OF(e, struct zstd, base);

    (void)ZSTD_freeCCtx(z->ctx);
}

const struct encoder_kind encoder_zstd = {
    .size = sizeof(struct zstd), .cost = 1800u << 10, .begin = zstd_begin, .run = zstd_run, .fini = zstd_fini
};
