/*
 * The kinds of processes the supervisor starts: how each is spawned, what its messages mean, when it is started again.
 */
#ifndef QUINTET_SUPER_ROLES_H
#define QUINTET_SUPER_ROLES_H

#include "super/child.h"
#include "super/super.h"

extern const struct role role_edge;    /* child->owner: struct super */
extern const struct role role_worker;  /* child->owner: struct worker */
extern const struct role role_preload; /* its child is part of a struct preload */

/* Configuration, logs, roots and certificates of `plan` to the edge: at its start, and when another plan takes effect. */
void role_edge_configure(struct child *edge, const struct plan *plan);
void role_edge_logs(struct super *super);    /* LOGS to every edge there is: after they have been reopened */
void role_edge_tickets(struct super *super); /* TICKETS to every edge that this program has started */
/* Sends START when a generation serves: the edge accepts, or applies what role_edge_configure has sent. */
void role_edge_start(struct child *edge);

#endif
