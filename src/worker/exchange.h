/*
 * One request and its response on a serving thread: the exchange.
 *
 * Each thread has one struct exchange for life, used for one request after the other; `serial` tells the requests apart. What the application gets of
 * it are Python objects that may outlive the request (start_response, write, wsgi.input): each remembers the serial and refuses to act for
 * another one. The objects are used again for the next request when the application kept none of them.
 *
 *      NONE ── request taken ──▶ OPEN ── start_response ──▶ STARTED ── first byte or end ──▶ SENT ── END or FAIL ──▶ ENDED ── close(), DONE ──▶ NONE
 *
 * All fields are guarded by the GIL. Whoever released it (to sleep for room) compares the serial afterwards: another thread may have ended the request.
 */
#ifndef QUINTET_WORKER_EXCHANGE_H
#define QUINTET_WORKER_EXCHANGE_H

#include "worker/repeat.h"
#include "worker/state.h"

#include "pool/request.h"
#include "pool/response.h"

enum exchange_stage { EXCHANGE_NONE, EXCHANGE_OPEN, EXCHANGE_STARTED, EXCHANGE_SENT, EXCHANGE_ENDED };

struct exchange {
    struct state *state;
    uint32_t thread; /* 0 … threads - 1 */
    uint32_t seat;
    struct recorder_seat *record; /* what this thread does, for whoever asks after its death */
    uint64_t serial;
    enum exchange_stage stage;
    struct pool_ticket ticket;
    struct pool_request request; /* its pieces lie in the slot: valid while RUNNING */
    struct repeat repeat;        /* what it has in common with the one before */

    /* The response head as start_response left it: copied, since nothing obliges the application to keep its list as it was. */
    struct pool_head head;
    struct pool_field fields[POOL_FIELDS_MAX];
    char bytes[POOL_HEAD_MAX]; /* what head points into */
    size_t used;
    bool has_length; /* Content-Length is among the fields */
    bool elsewhere;  /* the answer is a file that the edge sends: X-Accel-Redirect, X-Sendfile */
    uint64_t length;

    uint64_t sent;    /* body bytes written to the ring or promised by a FILE frame */
    uint64_t surplus; /* body bytes past the length */
    bool gone;        /* the client left: nothing more is written */
    bool quit;        /* SystemExit or KeyboardInterrupt: the worker ends after this request */
    char length_text[24];

    /* Owned; NULL before the first request. */
    PyObject *handle;         /* `self` of the two below */
    PyObject *start_response; /* built-in functions */
    PyObject *write;
    PyObject *input;
};

/* What start_response and write are bound to. */
struct handle {
    PyObject_HEAD struct exchange *x; /* borrowed: lives as long as its thread, which is the process's life */
    uint64_t serial;
};

/* Serves requests on this thread until the worker stops. NULL with a Python error on a failure of our own. */
PyObject *exchange_serve(struct state *state, uint32_t thread, PyObject *app);
/* After each call of the application: a child that it forked and that comes back instead of ending by itself is ended here. It must not answer, as the
 * pool is shared with the worker, nor take requests. An error that is set is logged. */
void exchange_end_forked(struct exchange *x);
/* The request this thread is running now; NULL: none. For the prefix of output lines. */
struct exchange *exchange_current(void);
extern PyType_Spec exchange_handle_spec;

#endif
