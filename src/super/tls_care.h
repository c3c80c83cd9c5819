/*
 * What TLS needs over time: ticket keys that are replaced (tickets.h), and certificates that expire while the server runs.
 *
 * A look every ten minutes. New keys go to every edge of this program; a certificate that ends soon (tls_cert_warn_from) is logged once a day, from the start on.
 */
#ifndef QUINTET_SUPER_TLS_CARE_H
#define QUINTET_SUPER_TLS_CARE_H

#include <stdint.h>

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

struct tls_care {
    struct tickets tickets;
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
/* Logs those that end soon, unless it did so within a day. now: seconds since 1970. */
void tls_care_warn(struct tls_care *care, struct log *log, int64_t now);

#endif
