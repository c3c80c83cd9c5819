/*
 * Security headers on what the edge itself answers: files and own pages. The application's answers carry what Django's settings give them. Then, on
 * every answer, what the route says (`headers:`): it has the last word.
 */
#ifndef QUINTET_EDGE_FILTER_SECURITY_H
#define QUINTET_EDGE_FILTER_SECURITY_H

#define SECURITY_HEADERS 5

struct exchange;

/* Adds what the answer does not have yet, so nothing is said twice; then sets and removes the route's. No allocation. */
void security_filter(struct exchange *ex);

#endif
