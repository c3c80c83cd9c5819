/*
 * The way out: first readiness fails, then the listeners close and every answer says `Connection: close`, then all is said.
 *
 *      UNREADY ─▶ DRAIN: lane_drain in every lane ─▶ leave_lane_drained by each ─▶ DRAINED
 */
#ifndef QUINTET_EDGE_LEAVE_H
#define QUINTET_EDGE_LEAVE_H

struct edge;
struct wire_message;

void leave_unready(struct edge *edge, struct wire_message *m); /* lane 0 */
void leave_drain(struct edge *edge, struct wire_message *m);   /* lane 0 */
void leave_lane_drained(struct edge *edge); /* a lane has nothing left; once each, from its own thread */
/* Why clients should not be sent here; NULL: they should. Lane 0, under the dispatch lock. */
const char *leave_unready_why(const struct edge *edge);

#endif
