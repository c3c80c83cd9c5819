/*
 * Which hosts this server answers to: Django's ALLOWED_HOSTS, and the hosts of sites. Any thread.
 */
#ifndef QUINTET_EDGE_HOSTS_H
#define QUINTET_EDGE_HOSTS_H

#include "edge/snapshot.h"

/* "host[:port]"; case, port and a trailing dot do not matter. True for everything where nobody has said which hosts there are. */
bool hosts_known(const struct snapshot *s, struct str host);

#endif
