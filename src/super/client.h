/*
 * The other side of the control socket: what `quintet reload`, `stop` and `status` use.
 */
#ifndef QUINTET_SUPER_CLIENT_H
#define QUINTET_SUPER_CLIENT_H

#include <jansson.h>

#include "super/plan.h"

/* Connects to the instance that the launch's options name. Descriptor, or -errno after a sentence on stderr. */
MUST_CHECK int client_connect(const struct launch *launch);
/* Sends one request, whose reference is taken over, on a fresh connection. 0 or -errno. */
MUST_CHECK int client_send(int fd, json_t *request);
/* Reads one line, waiting. A new reference, or NULL: the connection ended or what came is no JSON object. */
json_t *client_receive(int fd);

#endif
