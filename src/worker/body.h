/*
 * The body: what the application returned, iterated into the response (PEP 3333, "Buffering and Streaming", "wsgi.file_wrapper").
 */
#ifndef QUINTET_WORKER_BODY_H
#define QUINTET_WORKER_BODY_H

#include "worker/exchange.h"

/* Sends all of it and the end. 0, or -1 with a Python error: the application raised, or broke a rule. A client that left is no error: x->gone.
 * Not inlined, so that a profile shows it: it has a budget in tests/bench. */
__attribute__((noinline)) MUST_CHECK int body_send(struct exchange *x, PyObject *result);
/* Calls result.close() if there is one. 0, or -1 with its error. */
MUST_CHECK int body_close(struct exchange *x, PyObject *result);

#endif
