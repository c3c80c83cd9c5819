/*
 * Two edges for a while: when a new program has taken over, the edge and the serving generation are those of the program before. The next
 * generation then brings an edge of its own, on the same listening sockets; it serves the new connections, the old edge finishes its own.
 *
 *   adopted ── a generation boots ──▶ second edge starts: CONF … POOL_OPEN ── all workers READY ──▶ START ── edge READY ──▶ DRAIN to the first
 *      ▲                                  │                                                                                   │
 *      └────── fails: it is stopped ◀─────┘           first edge and its generation end ◀── DRAINED, or graceful_timeout ◀────┘
 *
 * Both listen between START and DRAIN, so nothing is refused. super->edge is the first until START, then the second. One thread.
 */
#ifndef QUINTET_SUPER_SECOND_EDGE_H
#define QUINTET_SUPER_SECOND_EDGE_H

#include <stdbool.h>

#include "os/loop.h"
#include "super/listen.h"
#include "super/plan.h"

struct super;
struct generation;
struct child;

struct second_edge {
    bool wanted;                 /* the serving edge is the program before's: the next generation brings a new one */
    struct listeners listeners;  /* the second edge's, until it serves */
    struct super *super;         /* borrowed */
    struct loop_task start_task; /* the edge of a failed attempt is gone: another can be started */
};

void second_edge_init(struct super *super);

/* Before a generation of this plan is made: its listeners, those that are open already taken over. Nothing when no second edge is wanted.
 * 0; or -errno with the reason. */
MUST_CHECK int second_edge_prepare(struct super *super, const struct plan *plan, struct why *why);
/* The place that is not super->edge: down; or the edge of a new program that boots, or of the one before that ends. */
const struct child *second_edge_other(const struct super *super);
/* The edge that a new generation belongs to, and its start when that is not the serving one. */
struct child *second_edge_choose(struct super *super);
void second_edge_start(struct super *super, struct generation *g);
/* What the edge is to be configured by, and where it listens. */
const struct plan *second_edge_plan(const struct super *super, const struct child *edge);
const struct listeners *second_edge_listeners(const struct super *super, const struct child *edge);
/* All workers of g are ready, and its edge is not the serving one: now it is. */
void second_edge_serve(struct super *super, struct generation *g);
/* An edge has said READY; the server drains: who is not the serving edge any more is drained. Again is harmless. */
void second_edge_drain_other(struct super *super);
bool second_edge_is_draining(const struct super *super);
/* DRAINED, death and end of an edge that is not the serving one; `status` as for role.gone. */
void second_edge_drained(struct super *super, struct child *edge);
void second_edge_gone(struct super *super, struct child *edge, int status);
void second_edge_down(struct super *super, struct child *edge);
/* A generation has ended: its edge too, if that serves nobody else. */
void second_edge_release(struct super *super, struct generation *g);

#endif
