/*
 * The bytes of a compressed response: a body filter (struct exchange_body) that pulls from the handler, encodes, and hands out what has come of it.
 *
 *      handler's piece ─▶ encoder ─▶ output block (32 KiB) ─▶ protocol
 *
 * When the handler has nothing now, what the client has not got yet is flushed out of the encoder, so that streams arrive as they are yielded. A body of known
 * length is no stream: it is not flushed, and is held to its length (shorter: broken off; longer: cut). The encoder goes back to the lane as soon as
 * the last byte is in, however slowly the client reads. Bounded: at most COMPRESS_TURN bytes go in a turn of the loop.
 */
#ifndef QUINTET_EDGE_FILTER_COMPRESS_BODY_H
#define QUINTET_EDGE_FILTER_COMPRESS_BODY_H

#include "base/must.h"
#include "pack/encoder.h"

struct exchange;

#define COMPRESS_TURN (64u << 10) /* one to two milliseconds of work */

/* False: there is no memory, and nothing has changed. */
MUST_CHECK bool compress_body_begin(struct exchange *ex, enum coding coding, const struct encoder_plan *plan);

#endif
