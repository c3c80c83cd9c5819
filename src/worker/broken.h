/*
 * How a broken rule of PEP 3333 becomes a Python exception, and how exceptions become log lines.
 */
#ifndef QUINTET_WORKER_BROKEN_H
#define QUINTET_WORKER_BROKEN_H

#include "worker/exchange.h"

/* Raises BrokenRule "<rule>, got <value>"; value (may be NULL) is shown by its type and a cut repr. */
void broken_rule(struct exchange *x, const char *rule, PyObject *value);
/* Same, with the value as numbers: "<rule>: <a> … <b>". `format` as PyErr_Format. */
#define broken_rule_numbers(x, ...) PyErr_Format((x)->state->broken_rule, __VA_ARGS__)
/* Takes the Python error that is set to wsgi.errors with the request line. Clears it. */
void broken_report(struct exchange *x);

#endif
