/*
 * A response in a slot: frames through a ring of POOL_RING_BYTES, with back-pressure.
 *
 * The worker writes HEAD, then DATA and FILE in any number, then END, then pool_done. FAIL instead of END says that the application broke off (the
 * edge closes the connection, or answers 500 when nothing was sent). The edge reads in place and frees space by consuming; a worker that found the ring
 * full sleeps on the slot's futex and is woken when at least a quarter is free.
 *
 *      consumed ────────▶ written            both count bytes since the request began and never wrap (64 bit)
 *        │ frame │ frame │ fra…              frame: u32 kind, u32 payload bytes, payload, padded to 8
 *
 * For FILE the descriptor is sent on the worker's channel with the same ticket BEFORE the frame is written: who sees the frame can receive it.
 */
#ifndef QUINTET_POOL_RESPONSE_H
#define QUINTET_POOL_RESPONSE_H

#include <sys/uio.h>

#include "base/str.h"
#include "pool/request.h"
#include "pool/slot.h"

enum pool_frame { POOL_FRAME_HEAD = 1, POOL_FRAME_DATA, POOL_FRAME_FILE, POOL_FRAME_END, POOL_FRAME_FAIL };

struct pool_head {
    uint16_t status; /* 200 … 599 */
    struct str reason;
    struct pool_field *fields; /* caller's array */
    uint32_t n_fields;
};

struct pool_file {
    uint64_t offset, length;
};

/* ---- worker ---- */

/* One HEAD frame, before all others. 0; -EMSGSIZE past POOL_HEAD_MAX or POOL_FIELDS_MAX; -EAGAIN only when it is not the first. */
MUST_CHECK int pool_put_head(struct pool *pool, struct pool_ticket ticket, const struct pool_head *head);
/* As much of data as there is room for, as a DATA frame. Returns the bytes taken; 0: ring full (also when less than a quarter is free
 * and the data would be cut: no small change). No attention is set: batch, then pool_attention. */
size_t pool_put_data(struct pool *pool, struct pool_ticket ticket, struct str data);
/* FILE, END, FAIL: small frames. 0 or -EAGAIN when the ring is full. */
MUST_CHECK int pool_put_file(struct pool *pool, struct pool_ticket ticket, const struct pool_file *file);
MUST_CHECK int pool_put_end(struct pool *pool, struct pool_ticket ticket);
MUST_CHECK int pool_put_fail(struct pool *pool, struct pool_ticket ticket);
/* Sets attention, then sleeps until there is room, the ticket is cancelled, or timeout_ns passed. 0, -ECANCELED, -ETIMEDOUT. Without the GIL. */
MUST_CHECK int pool_wait_room(struct pool *pool, struct pool_ticket ticket, uint64_t timeout_ns);
/* The body descriptor is wanted (POOL_BODY_FD): noted in the slot, attention set; the answer comes on the channel. */
void pool_ask_body(struct pool *pool, struct pool_ticket ticket);

/* ---- edge ---- */

/* The edge's private place in a response; zeroed when the request is handed over. Survives scribbling by a worker. */
struct pool_reader {
    uint64_t consumed;  /* frames and payload consumed */
    uint32_t data_left; /* of the DATA frame being consumed */
    uint32_t padding;   /* behind it */
    bool ended;         /* END or FAIL was consumed: nothing may follow */
};

struct pool_piece {
    enum pool_frame kind;
    struct iovec data[2]; /* HEAD, DATA: in the ring, second part when it wraps; valid until consumed */
    int n_data;
    size_t size;           /* bytes in data[] */
    struct pool_file file; /* FILE */
};

/* The next piece. 1: *piece is it; 0: nothing (yet); -EPROTO: not a frame that may come here. HEAD comes first and once, FAIL may
 * come first. The rest of a DATA frame that was consumed in part is given again. FILE ranges are checked to end below 2^63. */
MUST_CHECK int pool_peek(const struct pool *pool, struct pool_ticket ticket, struct pool_reader *reader,
                         struct pool_piece *piece);
/* n bytes of a DATA piece, or the whole of another (n is then ignored). Wakes the worker if it waits for room. */
void pool_consume(struct pool *pool, struct pool_ticket ticket, struct pool_reader *reader,
                  const struct pool_piece *piece, size_t n);
/* Takes a HEAD payload (copied out of the ring by the caller: `bytes` is private) apart; fields point into it. 0 or -EPROTO; head->fields has room for
 * POOL_FIELDS_MAX. Names, values and status are NOT checked for HTTP: that is the caller's. */
MUST_CHECK int pool_head_parse(struct str bytes, struct pool_head *head);
/* True once after the worker asked for the body descriptor. */
bool pool_body_asked(struct pool *pool, struct pool_ticket ticket);

#endif
