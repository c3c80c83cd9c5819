/*
 * TLS for tests in one lane: a certificate of the rig's own, and a client of OpenSSL's at the other end of a socket pair.
 */
#ifndef QUINTET_TESTS_EDGE_TLS_CLIENT_H
#define QUINTET_TESTS_EDGE_TLS_CLIENT_H

#include <openssl/ssl.h>

#include "rig.h"

struct tls_client {
    SSL_CTX *ctx; /* owned */
    SSL *ssl;     /* owned; does not block */
    int fd;       /* owned */
};

int rig_connect_tls(struct rig *rig); /* the client's end, the caller's; nothing has been said yet */
void rig_tls(struct rig *rig);        /* the snapshot has a certificate, of P-256, from now on */
void tls_client_dial(struct rig *rig, struct tls_client *c); /* until the handshake is done; turns the rig's loop */
void tls_client_hang_up(struct tls_client *c);

#endif
