/*
 * What the edge says of itself for `quintet status`.
 */
#ifndef QUINTET_EDGE_STATUS_H
#define QUINTET_EDGE_STATUS_H

#include "base/buf.h"

struct edge;

/* A JSON object: connections, requests, queue, generations with slots and what each worker does. 0 or -EMSGSIZE. */
MUST_CHECK int status_write(struct edge *edge, struct buf *out);

#endif
