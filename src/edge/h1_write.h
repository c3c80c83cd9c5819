/*
 * The writing side of HTTP/1: head, framing, pieces pulled from the handler.
 */
#ifndef QUINTET_EDGE_H1_WRITE_H
#define QUINTET_EDGE_H1_WRITE_H

#include "edge/conn.h"

enum h1_write_result {
    H1_WRITE_DONE,    /* the whole response is out */
    H1_WRITE_BLOCKED, /* the client does not read: wait for the descriptor */
    H1_WRITE_WAITING, /* the handler has nothing yet: it will flush */
    H1_WRITE_PAUSED,  /* the connection has had its share of this turn */
    H1_WRITE_DEAD,    /* connection lost, or the response broke off: close */
};

/* response.ready: decides the framing and puts the head into `out`. 0, or -ENOMEM and nothing is said yet. */
MUST_CHECK int h1_write_head(struct conn *c);
MUST_CHECK enum h1_write_result h1_write(struct conn *c);
/* What is in `out` alone (100 Continue). 0; -EAGAIN leaves it there; other -errno: dead. */
int h1_write_out(struct conn *c);

#endif
