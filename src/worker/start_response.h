/*
 * start_response and the write callable it returns (PEP 3333, "The start_response() Callable").
 *
 * start_response checks status and headers at once and keeps a serialised copy: the exception names the broken rule in the frame that broke it, and what
 * the application does to its list afterwards changes nothing. Nothing is sent before the first non-empty body bytes or the end.
 */
#ifndef QUINTET_WORKER_START_RESPONSE_H
#define QUINTET_WORKER_START_RESPONSE_H

#include "worker/exchange.h"

/* Handle and the two functions for the request that begins; those of the last one are used again when nobody kept them. 0, or -1 with a Python error. */
MUST_CHECK int start_response_prepare(struct exchange *x);

#endif
