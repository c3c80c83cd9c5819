/*
 * Security headers on what the edge itself answers: files and own pages. The app's responses carry what Django's settings give them.
 */
#ifndef QUINTET_EDGE_FILTER_SECURITY_H
#define QUINTET_EDGE_FILTER_SECURITY_H

struct exchange;

/* Adds the snapshot's headers that the response does not have yet; HSTS only where the client came by TLS. */
void security_filter(struct exchange *ex);

#endif
