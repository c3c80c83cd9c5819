/*
 * The response into the pool: frames, Content-Length, back-pressure. No Python objects; with the GIL, which is released to sleep.
 *
 * Every function returns 0 or -ECANCELED: the client has left (or another thread ended the request), x->gone is set, iteration should stop.
 */
#ifndef QUINTET_WORKER_RESPONSE_H
#define QUINTET_WORKER_RESPONSE_H

#include "worker/exchange.h"

/* The whole body is known to have `total` bytes: the head, when it goes out without a Content-Length, gets one. */
void response_expect(struct exchange *x, uint64_t total);
/* False for HEAD, 204 and 304: body bytes are dropped, and one item is enough to know that the head can go. */
bool response_has_body(const struct exchange *x);
/* Body bytes; the head goes first. What exceeds the length is counted in x->surplus and dropped. END follows at once when the length is reached. */
MUST_CHECK int response_data(struct exchange *x, struct str data);
/* A regular file as descriptor; the range must be there. */
MUST_CHECK int response_file(struct exchange *x, int fd, struct pool_file file);
/* Nothing more comes: head if it has not gone out, END if it has not. -EPROTO: shorter than its Content-Length, nothing was written: log and fail. */
MUST_CHECK int response_end(struct exchange *x);
/* FAIL: the edge answers 500 when no head went out, or breaks the connection. Never fails: for a client that left there is nothing to say. */
void response_fail(struct exchange *x);
/* Tells the edge that there is something to read. */
void response_flush(struct exchange *x);

#endif
