/*
 * environ: the request as the dict that the application is called with (PEP 3333, "environ Variables").
 *
 * A template holds every constant and a place for each variable that is always there, so that a request's environ is one copy of a dict of the
 * right size and a number of stores with interned keys. Header names become keys by a table that learns; values that come again and again
 * (a method, a host, an Accept-Encoding) are kept as objects and compared instead of made anew. A request with the keys of the one before is a copy of that
 * one's environ with what differs put in its place (worker/repeat.h).
 */
#ifndef QUINTET_WORKER_ENVIRON_H
#define QUINTET_WORKER_ENVIRON_H

#include "worker/python.h"

#include "base/must.h"
#include "base/str.h"
#include "pool/request.h"

#define ENVIRON_NAMES 512 /* entries of the table of header names; power of two */

struct exchange;

/* A key with the last value it had. */
struct environ_entry {
    struct str name; /* as HTTP_ACCEPT; owned, never freed: the table lives as long as the process */
    PyObject *key;   /* owned, interned; NULL: free entry */
    PyObject *value; /* owned, ASCII; NULL: none yet */
};

struct environ_maker {
    PyObject *template; /* owned */
    struct environ_entry vars[POOL_VAR_COUNT];
    struct environ_entry names[ENVIRON_NAMES];
    size_t n_names;
    PyObject *input, *content_length, *content_type, *queue_time, *edge_time, *https,
        *on; /* owned: keys, and the value "on" */
};

/* `constants`: a dict that becomes the template. 0, or -1 with a Python error. */
MUST_CHECK int environ_init(struct environ_maker *maker, PyObject *constants);
/* A new dict, or NULL with a Python error. Not inlined, so that a profile shows it: it has a budget in tests/bench. */
__attribute__((noinline)) PyObject *environ_build(struct environ_maker *maker, struct exchange *x);

#endif
