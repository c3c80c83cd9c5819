/*
 * Gates: what a request must pass once its head is complete and its route known, before a handler sees it: host, network, rate, credentials.
 *
 * One file each in gate/, one row in gate.c; the order of the rows is the order of the questions. A gate looks at the exchange and answers NULL
 * (pass) or the handler that answers instead, mostly gate_refuse's. It must not wait and must not allocate but from the exchange's arena.
 * Own thread; what lanes share is the gate's own affair.
 */
#ifndef QUINTET_EDGE_GATE_H
#define QUINTET_EDGE_GATE_H

#include "edge/exchange.h"

struct gate {
    const char *name; /* in the log and the metrics */
    const struct handler *(*ask)(struct exchange *ex);
};

/* The first gate's answer that is no pass, or NULL. */
const struct handler *gates_ask(struct exchange *ex);

/* A page of our own with this status; `detail` is for people and lives as long as the exchange. */
const struct handler *gate_refuse(struct exchange *ex, unsigned status, struct str detail);
/* A field of that page, in the arena or static; at most REFUSAL_FIELDS_MAX. */
void gate_field(struct exchange *ex, struct str name, struct str value);

#endif
