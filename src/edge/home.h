/*
 * Where connections stay.
 *
 * Half the lanes by rule are homes: they accept, and requests are served there, many in a turn. A handshake of TLS takes as long as thirty small requests,
 * and nobody else gains by waiting for it. So it is made by whichever lane has the fewest under way, of all lanes, one for each core; the
 * connection goes home afterwards. With --edge-threads all lanes are homes.
 *
 * A connection belongs to one lane at any time: on its way it is in a job of the next one's queue, counted by admit.h all along.
 */
#ifndef QUINTET_EDGE_HOME_H
#define QUINTET_EDGE_HOME_H

#include <stdbool.h>

struct conn;
struct conn_new;
struct lane;

/* A client whom `lane` has accepted: conn_accept, there or in the lane where it had better begin. */
void home_begin(struct lane *lane, const struct conn_new *new);
/* After its handshake. False: it stays. True: it is closed here and goes on elsewhere by h1_agreed. */
bool home_move(struct conn *c);

#endif
