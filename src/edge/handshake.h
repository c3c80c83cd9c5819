/*
 * What is counted and logged of TLS handshakes. One thread: the connection's lane.
 */
#ifndef QUINTET_EDGE_HANDSHAKE_H
#define QUINTET_EDGE_HANDSHAKE_H

struct conn;

void handshake_done(struct conn *c);   /* it has ended well */
void handshake_failed(struct conn *c); /* it never will: an error, or the client has gone */

#endif
