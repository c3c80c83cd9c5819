/*
 * The listening sockets: bound once by the supervisor, held for its life, lent to every edge.
 *
 * So an edge may die and be replaced without a refused connection: clients wait in the socket's backlog.
 */
#ifndef QUINTET_SUPER_LISTEN_H
#define QUINTET_SUPER_LISTEN_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "super/why.h"

enum listener_kind { LISTENER_HTTP, LISTENER_TLS, LISTENER_METRICS }; /* the number in the message LISTENER */

struct listener {
    enum listener_kind kind;
    char *address; /* owned: as configured */
    char *shown;   /* owned: as bound, with the port the kernel chose for :0 */
    int fd;        /* owned */
    bool copied;   /* of a descriptor that another set has */
};

struct listeners {
    struct listener *items; /* owned */
    size_t n;
};

/* Binds every address of bind, tls_bind and metrics_bind. 0, or -errno with a sentence in `error` (then nothing stays open). */
MUST_CHECK int listeners_open(struct listeners *l, const struct conf *conf, struct why *error);
/* The same for another configuration, beside a set that is open: an address of both is a duplicate of its descriptor. Then one of the two sets is
 * given up: the copy (its duplicates and what only it has), or the older one but for what the newer has too. */
MUST_CHECK int listeners_copy(struct listeners *l, const struct conf *conf, const struct listeners *open,
                              struct why *error);
void listeners_close_copies(struct listeners *l);
void listeners_close_others(struct listeners *older, const struct listeners *newer);
/* Before they are closed for good: the kernel lets nobody in any more, and those whom it has let in can be accepted to the last. Not those that somebody else has as well
 * (fd://), with whom clients wait for the next. */
void listeners_deafen(const struct listeners *l);
void listeners_close(struct listeners *l); /* also removes unix socket files we made */
/* "http://127.0.0.1:8000"; a wildcard address as it is, 0.0.0.0 or [::], so that who reads it sees who can reach it. Unix sockets as they are. */
MUST_CHECK int listener_url(const struct listener *l, struct buf *out);

#endif
