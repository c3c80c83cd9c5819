/*
 * Socket activation (sd_listen_fds(3)): listening sockets that the service manager has opened for us, descriptors 3 and up.
 *
 * They become the listeners when no address is configured anywhere: plain HTTP, or HTTPS when the socket's name (FileDescriptorName=) is
 * "https" or "tls". Who configures addresses names them fd://3, fd://4 … himself.
 */
#ifndef QUINTET_SUPER_ACTIVATION_H
#define QUINTET_SUPER_ACTIVATION_H

#include "conf/conf.h"
#include "super/why.h"

#define ACTIVATION_FIRST_FD 3

/* LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES of envp, when they are meant for this process. 0; or the exit status (2) with the reason. */
MUST_CHECK int activation_apply(struct conf_builder *builder, char *const *envp, struct why *why);

#endif
