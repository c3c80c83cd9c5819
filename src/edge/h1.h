/*
 * HTTP/1 on a connection: reads requests, runs exchanges, writes responses; one exchange at a time, pipelined ones wait their turn.
 *
 *      IDLE ─ bytes ─▶ HEAD ─ complete ─▶ BODY ─ complete ─▶ WAIT ─ head ready ─▶ SEND ─ end ─▶ IDLE or HEAD (keep-alive), LINGER, closed
 *                        └── malformed: page, close ──────────────────────────────────▲
 * The states are the const structs of h1.c; the head's bytes stay at the front of `in` for the life of the exchange.
 */
#ifndef QUINTET_EDGE_H1_H
#define QUINTET_EDGE_H1_H

#include "base/buf.h"
#include "edge/conn.h"
#include "edge/exchange.h"
#include "http/h1.h"

struct h1 {
    struct list link;  /* in lane.spare_h1 */
    struct conn *conn; /* borrowed */
    struct buf in;     /* head of the current request, then bytes not looked at */
    size_t pos;        /* next byte of `in` to look at, once the head is complete */
    struct h1_parser parser;
    struct h1_body body;
    struct buf out;  /* head and chunk framing waiting to be written */
    size_t out_pos;  /* of it already written */
    uint64_t direct; /* bytes of the current piece announced and not yet written */
    bool chunked;    /* response framing */
    bool tail;       /* final chunk is in out */
    uint64_t moved;  /* bytes the client has taken since its time was looked at */
    uint64_t taken;  /* bytes that the kernel says it has taken in all, when that was asked last */
    bool reading_body;
    bool last; /* the client has said that nothing follows this request */
    struct exchange exchange;
};

extern const struct conn_state h1_idle;
extern const struct conn_state h1_handshake; /* TLS first, then what h1_agreed says */
void h1_agreed(struct conn *c);              /* on to the protocol that ALPN has agreed on (RFC 9113 3.2) */

bool h1_awaits_request(const struct conn *c); /* no byte of one has come: a drain waits a moment for it */

#endif
