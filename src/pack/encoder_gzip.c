/* gzip (RFC 1952), by zlib. */
#include <errno.h>
#include <limits.h>
#include <zlib.h>

#include "pack/encoder_kind.h"

#define WINDOW_GZIP (15 + 16) /* 32 KiB; 16 stands for the gzip wrapper */
#define OS_UNKNOWN 255

struct gzip {
    struct encoder base;
    z_stream z;
    gz_header header;
    bool made;
};

static int level_of(const struct encoder_plan *plan)
{
    if (plan->best)
        return 9;
    return encoder_is_short(plan) ? 5 : 4;
}

static int gzip_make(struct gzip *g, const struct encoder_plan *plan)
{
    int r = deflateInit2(&g->z, level_of(plan), Z_DEFLATED, WINDOW_GZIP, plan->best ? 9 : 8, Z_DEFAULT_STRATEGY);

    must(r == Z_OK || r == Z_MEM_ERROR);
    g->made = r == Z_OK;
    return g->made ? 0 : -ENOMEM;
}

static int gzip_begin(struct encoder *e, const struct encoder_plan *plan)
{
    struct gzip *g = CONTAINER_OF(e, struct gzip, base);

    if (!g->made) {
        int error = gzip_make(g, plan);

        if (error != 0)
            return error;
    } else {
        must(deflateReset(&g->z) == Z_OK);
        must(deflateParams(&g->z, level_of(plan), Z_DEFAULT_STRATEGY) == Z_OK); /* nothing is under way */
    }
    g->header = (gz_header){ .os = OS_UNKNOWN };
    if (plan->padding > 0) /* zlib does not write to the name */
        g->header.name = (Bytef *)(uintptr_t)(encoder_padding + ENCODER_PADDING_MAX - plan->padding);
    must(deflateSetHeader(&g->z, &g->header) == Z_OK);
    return 0;
}

static int gzip_run(struct encoder *e, struct encoder_io *io, enum encoder_op op)
{
    static const int flush[] = {
        [ENCODER_GO] = Z_NO_FLUSH, [ENCODER_FLUSH] = Z_SYNC_FLUSH, [ENCODER_FINISH] = Z_FINISH
    };
    struct gzip *g = CONTAINER_OF(e, struct gzip, base);
    int r;

    must(io->n_in <= UINT_MAX && io->n_out <= UINT_MAX);
    g->z.next_in = (Bytef *)(uintptr_t)io->in;
    g->z.avail_in = (uInt)io->n_in;
    g->z.next_out = (Bytef *)io->out;
    g->z.avail_out = (uInt)io->n_out;
    r = deflate(&g->z, flush[op]);
    must(r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR); /* the last: nothing to do, or no room */
    io->in += io->n_in - g->z.avail_in;
    io->n_in = g->z.avail_in;
    io->out += io->n_out - g->z.avail_out;
    io->n_out = g->z.avail_out;
    return op == ENCODER_FINISH ? r == Z_STREAM_END : io->n_in == 0 && io->n_out > 0;
}

static void gzip_fini(struct encoder *e)
{
    struct gzip *g = CONTAINER_OF(e, struct gzip, base);

    if (g->made)
        (void)deflateEnd(&g->z);
}

const struct encoder_kind encoder_gzip = {
    .size = sizeof(struct gzip), .cost = 280u << 10, .begin = gzip_begin, .run = gzip_run, .fini = gzip_fini
};
