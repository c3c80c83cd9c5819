/*
 * What TLS needs over time: ticket keys that are replaced (tickets.h), and certificates that expire while the server runs.
 *
 * And what an edge was given last is kept: an edge may die while the files on disk are being replaced, and HTTPS must not go with it.
 *
 * A look every ten minutes. New keys go to every edge of this program; a certificate that ends soon (tls_cert_warn_from) is logged once a day, from the start on.
 */
#ifndef QUINTET_SUPER_TLS_CARE_H
#define QUINTET_SUPER_TLS_CARE_H

#include <stdint.h>

#include "conf/conf.h"
#include "os/loop.h"
#include "os/tls.h"
#include "super/tickets.h"

struct super;
struct log;

/* A certificate that the edge has. Texts are owned. */
struct tls_care_cert {
    char *file, *name, *key;
    int64_t expires, warn_from; /* seconds since 1970 */
};

/* What certs_blob made last for an edge: the next one is given this where the files cannot be used any more. */
struct tls_care_kept {
    int fd;        /* sealed memfd, owned; -1: none */
    uint64_t what; /* a hash of the options that it was made by */
};

struct tls_care {
    struct tickets tickets;
    struct tls_care_kept kept;
    struct tls_care_cert *certs; /* owned */
    size_t n_certs;
    int64_t said; /* when there was last a look at them that could warn; 0: never */
    struct loop_timer timer;
    struct super *super;
};

void tls_care_init(struct super *super);
void tls_care_fini(struct super *super);
/* The edge has these from now on. */
void tls_care_certs(struct tls_care *care, const struct tls_ctx *ctx);
/* Keeps a copy of the descriptor; -1: TLS is not wanted any more. */
void tls_care_keep(struct tls_care *care, const struct conf *conf, int fd);
/* The descriptor that was kept for these very options, the caller's to close; -ENOENT: none. */
MUST_CHECK int tls_care_kept(const struct tls_care *care, const struct conf *conf);
/* Logs those that end soon, unless it did so within a day. now: seconds since 1970. */
void tls_care_warn(struct tls_care *care, struct log *log, int64_t now);

#endif
