/*
 * Name and password of a request: remembered, refused, or to be compared first.
 */
#ifndef QUINTET_EDGE_HANDLER_VERIFY_H
#define QUINTET_EDGE_HANDLER_VERIFY_H

#include "edge/handler/handlers.h"

/* NULL: may come in, ex->remote_user says who; else who answers: a 401, or verify_handler, which compares and then starts the route's own handler. */
const struct handler *verify_ask(struct exchange *ex);

#endif
