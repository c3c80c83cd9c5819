/*
 * wsgi.input (PEP 3333, "Input and Error Streams"): the request body, complete before the worker saw the request.
 *
 * A small body lies in the slot; a large one is a descriptor that is asked for when the application first reads. Either way reads
 * never wait for the client, and at the end of the body give b"" (wsgi.input_terminated). The body cannot be sought.
 */
#ifndef QUINTET_WORKER_INPUT_H
#define QUINTET_WORKER_INPUT_H

#include "worker/exchange.h"

/* x->input for the request that begins; the last one is used again when nobody kept it. 0, or -1 with a Python error. */
MUST_CHECK int input_prepare(struct exchange *x);
/* The request is over and environ let go of: gives back descriptor and window. */
void input_finish(struct exchange *x);
extern PyType_Spec input_spec;

#endif
