/*
 * Telling the service manager how we are: the datagram protocol of sd_notify(3), without its library.
 *
 * A message is lines of NAME=VALUE, sent to the unix socket that NOTIFY_SOCKET names: a path, or an abstract name behind "@". Nothing is kept
 * open and nothing waits: a manager that does not read loses the message. Any thread.
 */
#ifndef QUINTET_OS_NOTIFY_H
#define QUINTET_OS_NOTIFY_H

#include "base/must.h"
#include "base/str.h"

/* 0; -EINVAL for a socket name of another shape, -EAGAIN when the manager's queue is full, -errno. */
MUST_CHECK int notify_send(const char *socket_name, struct str message);

#endif
