/*
 * The descriptor numbers a child finds open when it starts: the supervisor puts them there, the child takes them over.
 *
 *   edge    2 error output, 3 channel to the supervisor (everything else arrives in messages)
 *   worker  1 and 2 a pipe to the supervisor, 3 channel to the supervisor, 4 channel to the edge, 5 the pool's memfd,
 *           6 … 13 one eventfd an edge thread (lane), 14 its flight recorder
 */
#ifndef QUINTET_WIRE_INHERIT_H
#define QUINTET_WIRE_INHERIT_H

#define INHERIT_SUPERVISOR 3 /* edge and worker */
#define INHERIT_EDGE 4       /* worker */
#define INHERIT_POOL 5       /* worker */
#define INHERIT_LANES 6      /* worker: this and the next ones */
#define INHERIT_RECORDER 14  /* worker: memfd */

#endif
