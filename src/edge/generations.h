/*
 * The supervisor's messages about generations and their workers. What they do to queue and slots is pools.c; here is what each lane has to do for it.
 *
 *      POOL_OPEN (a new pool, sent back as POOL) or POOL_ADOPT (one of a dead edge's) ─▶ WORKER_JOIN, WORKER_GONE ─▶ SWITCH ─▶ POOL_CLOSE
 *
 * Lane 0. A message about a generation that is not open, or a worker that cannot be, is dropped.
 */
#ifndef QUINTET_EDGE_GENERATIONS_H
#define QUINTET_EDGE_GENERATIONS_H

struct edge;
struct wire_message;

void generations_open(struct edge *edge, struct wire_message *m);
void generations_adopt(struct edge *edge, struct wire_message *m);
void generations_join(struct edge *edge, struct wire_message *m);
void generations_gone(struct edge *edge, struct wire_message *m);
void generations_switch(struct edge *edge, struct wire_message *m);
void generations_close(struct edge *edge, struct wire_message *m);

#endif
