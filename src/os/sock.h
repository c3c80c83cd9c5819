/*
 * Sockets and addresses: parse, bind, accept, print. Thin calls that return 0/descriptor or -errno, all descriptors
 * CLOEXEC and non-blocking.
 */
#ifndef QUINTET_OS_SOCK_H
#define QUINTET_OS_SOCK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/must.h"
#include "base/str.h"

union sock_addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

#define SOCK_UNSENT_MAX (128 << 10) /* bytes that an accepted TCP socket takes beyond what the network has room for */
#define SOCK_DEFER_S 1              /* s a client that says nothing stays with the kernel: see sock_listen */
#define SOCK_TEXT_MAX 128           /* longest printed address, NUL included ("unix:" + path is cut with "...") */

enum sock_kind { SOCK_KIND_INET, SOCK_KIND_UNIX, SOCK_KIND_FD };

/* What --bind takes: HOST:PORT, [V6]:PORT, :PORT (0.0.0.0), unix:PATH, fd://N. */
struct sock_spec {
    enum sock_kind kind;
    union sock_addr addr; /* INET, UNIX */
    socklen_t len;
    int fd; /* FD */
};

/* 0; -EINVAL for another shape; -ENAMETOOLONG for a unix path past 107 bytes; -EADDRNOTAVAIL for a name that does not
 * resolve (numeric hosts and "localhost", which is 127.0.0.1, only, so that nothing here waits for a DNS server). */
MUST_CHECK int sock_spec_parse(struct str text, struct sock_spec *out);
/* Bound and listening descriptor, or -errno. A stale unix socket file (nobody accepts) is replaced; mode 0666 & ~umask.
 * IPv6 listeners take IPv6 only, so that 0.0.0.0 and [::] can be bound side by side. fd://N is checked to be a listening
 * stream socket (-EINVAL) and returned itself, not a duplicate.
 * A TCP socket of our own is given no client before that has said something, or SOCK_DEFER_S later (tcp(7), TCP_DEFER_ACCEPT): in our protocols the
 * client speaks first, and one that is accepted with its request at hand costs no wait. Whoever closes it looks at os/half_open.h before. */
MUST_CHECK int sock_listen(const struct sock_spec *spec, int backlog);
/* accept4; TCP_NODELAY and TCP_NOTSENT_LOWAT are inherited from the listener. Descriptor or -errno (-EAGAIN when nobody waits; -EMFILE, -ENFILE,
 * -ENOBUFS, -ENOMEM: the connection is still waiting, try again later, not at once). */
MUST_CHECK int sock_accept(int listener, union sock_addr *peer, socklen_t *len);
/* No new client from now on, for whoever holds the listening socket; those whom the kernel has let in already are still accepted, and so is a handshake that is half
 * done. TCP: a SYN gets no answer and is sent again after a second, to find the socket closed; unix: refused at once. 0 or -errno. */
int sock_deafen(int listener);
bool sock_is_deferred(int listener); /* clients who have said nothing are with the kernel */
bool sock_is_local(int fd);          /* bound to this machine alone: a unix socket, 127.0.0.0/8 or ::1 */
MUST_CHECK int sock_local(int fd, union sock_addr *out, socklen_t *len);
/* "192.0.2.1", "2001:db8::1" (no brackets; IPv4-mapped printed as IPv4), "unix:PATH"; returns the length. */
size_t sock_host_text(const union sock_addr *addr, char out[SOCK_TEXT_MAX]);
/* From here on only full packets leave, and the rest 0.2 s later or with the FIN (tcp(7), TCP_CORK). Nothing for unix sockets. */
void sock_cork(int fd);
/* Bytes that the peer has acknowledged in all; 0 where nobody counts them (unix sockets). */
uint64_t sock_taken(int fd);
/* What has arrived, up to n bytes, left where it is. > 0; 0: orderly end; -EAGAIN, other -errno. */
MUST_CHECK ssize_t sock_peek(int fd, void *p, size_t n);
/* Takes n bytes off that sock_peek has shown; p has room for them. */
MUST_CHECK ssize_t sock_skip(int fd, void *p, size_t n);
uint16_t sock_port(const union sock_addr *addr);                        /* 0 for unix */
size_t sock_text(const union sock_addr *addr, char out[SOCK_TEXT_MAX]); /* "host:port", "[v6]:port", "unix:PATH" */

#endif
