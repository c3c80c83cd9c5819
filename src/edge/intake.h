/*
 * What becomes of a request whose head is complete, whatever HTTP version brought it: who asks, who answers, and where its body goes.
 *
 *      intake_begin ─ head parsed ─▶ intake_identify ─▶ intake_route ─┬─ INTAKE_START ─────────────────▶ intake_start
 *                                                                    ├─ INTAKE_BODY ─ intake_body … ──▶ intake_start
 *                                                                    └─ INTAKE_REFUSE: a page with this status
 *
 * The protocol does what differs: how a refusal is said, and what becomes of the connection. Own thread.
 */
#ifndef QUINTET_EDGE_INTAKE_H
#define QUINTET_EDGE_INTAKE_H

#include "edge/conn.h"
#include "edge/exchange.h"

enum intake {
    INTAKE_START,  /* the handler may start: there is no body, or (ex->body_complete false) it wants none */
    INTAKE_BODY,   /* ex->body is ready to take it */
    INTAKE_REFUSE, /* answer `status` with `why` */
};

struct intake_refusal {
    unsigned status;
    const char *why; /* static */
};

/* A new exchange on this connection: its snapshot, its clock. */
void intake_begin(struct exchange *ex, struct conn *c);
/* Who asks; from here on what an answer needs of the arena is there. `bytes` are the head's. 0, or -ENOMEM. */
MUST_CHECK int intake_identify(struct exchange *ex, struct conn *c, const char *bytes);
/* Who answers, and whether the body is wanted. */
MUST_CHECK enum intake intake_route(struct exchange *ex, struct intake_refusal *refusal);
/* Bytes of the body. 0, or -1 with the refusal; then no more of it is wanted. */
MUST_CHECK int intake_body(struct exchange *ex, const char *p, size_t n, struct intake_refusal *refusal);
void intake_start(struct exchange *ex); /* the handler begins */

#endif
