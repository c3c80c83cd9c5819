/*
 * Encoders: bytes in, bytes out, in one of the content codings. The only user of zlib, libbrotlienc and libzstd.
 *
 * An encoder is made once and begun for each body anew, so that its tables need not be allocated again. `live` plans are for answers while a client
 * waits: little time and bounded memory (encoder_cost). `best` plans are for files that are compressed once and read often.
 *
 * Padding is for bodies that hold a secret beside what a stranger chose (BREACH): so many bytes that every decoder skips, before the content: a file
 * name in the gzip header (RFC 1952 2.3), a metadata block in brotli (RFC 7932 9.2), a skippable frame in zstd (RFC 8878 3.1.2). One owner, one thread.
 */
#ifndef QUINTET_PACK_ENCODER_H
#define QUINTET_PACK_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/coding.h"
#include "base/must.h"

#define ENCODER_PADDING_MAX 128u
#define ENCODER_ROOM 64u          /* in less zlib would say again and again that it has flushed */
#define ENCODER_SHORT (64u << 10) /* bodies up to this get more care: they are most pages, and cost little */

struct encoder; /* opaque */

struct encoder_plan {
    int64_t length;   /* of the body; -1: unknown. When known it must be right */
    uint32_t padding; /* bytes, at most ENCODER_PADDING_MAX */
    bool best;
};

/* Advanced by what was taken and made. */
struct encoder_io {
    const char *in; /* never NULL */
    size_t n_in;
    char *out;
    size_t n_out; /* room, at least ENCODER_ROOM */
};

enum encoder_op {
    ENCODER_GO,     /* takes the input; what it makes of it may come later */
    ENCODER_FLUSH,  /* and says all it can about it */
    ENCODER_FINISH, /* and ends the body */
};

/* Of CODING_GZIP, CODING_ZSTD or CODING_BR; NULL: no memory. */
struct encoder *encoder_new(enum coding coding);
void encoder_free(struct encoder *e); /* NULL allowed */
/* A new body; what was under way is forgotten. 0 or -ENOMEM. */
MUST_CHECK int encoder_begin(struct encoder *e, const struct encoder_plan *plan);
/* 1: the operation is complete; 0: there is no room left, call again with the same operation; -ENOMEM, or -EINVAL when the length was wrong: the body
 * is lost. */
MUST_CHECK int encoder_run(struct encoder *e, struct encoder_io *io, enum encoder_op op);
enum coding encoder_coding(const struct encoder *e);
/* Bytes that a live encoder of that coding holds, at most. */
size_t encoder_cost(enum coding coding);

#endif
