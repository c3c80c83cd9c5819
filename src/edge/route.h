/*
 * Which handler answers a request. One rule a line in route.c, first match wins.
 */
#ifndef QUINTET_EDGE_ROUTE_H
#define QUINTET_EDGE_ROUTE_H

#include "edge/exchange.h"

const struct handler *route(struct exchange *ex); /* never NULL */
/* Past all gates: who answers on the exchange's route. Never NULL. */
const struct handler *route_answer(const struct exchange *ex);

#endif
