/*
 * Which handler answers a request. One rule a line in route.c, first match wins.
 */
#ifndef QUINTET_EDGE_ROUTE_H
#define QUINTET_EDGE_ROUTE_H

#include "edge/exchange.h"

const struct handler *route(struct exchange *ex); /* never NULL */

#endif
