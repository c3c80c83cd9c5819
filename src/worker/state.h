/*
 * The module's state: what all requests share of Python's side. Set once by _quintet.start, read with the GIL held.
 */
#ifndef QUINTET_WORKER_STATE_H
#define QUINTET_WORKER_STATE_H

#include "worker/python.h"

#include "worker/collect.h"
#include "worker/environ.h"
#include "worker/worker.h"

struct state {
    struct worker worker;
    struct environ_maker environ;
    struct collect collect;
    /* All owned. */
    PyTypeObject *handle_type; /* exchange.h */
    PyTypeObject *input_type;  /* input.h */
    PyObject *broken_rule;     /* exception class: PEP 3333 was not kept */
    PyObject *file_wrapper;    /* class: wsgi.file_wrapper */
    PyObject *plain_file;      /* function: filelike → (fd, offset) or None */
    PyObject *report;          /* function: (request line, exception) → log */
    PyObject *close_name;      /* "close" */
};

#endif
