/*
 * The metrics of this edge in the text form of Prometheus (exposition format 0.0.4): one table of names, types and helps, in metrics.c.
 */
#ifndef QUINTET_EDGE_METRICS_H
#define QUINTET_EDGE_METRICS_H

#include "base/buf.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct edge;

/* Takes the dispatch lock. Lane 0, which listens for those who ask. 0 or -EMSGSIZE. */
MUST_CHECK int metrics_write(struct edge *edge, struct buf *out);

#endif
