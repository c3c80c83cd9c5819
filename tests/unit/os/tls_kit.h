/* For tests of TLS: certificates made on the spot, and OpenSSL's client at the other end of a socketpair. */
#ifndef QUINTET_TESTS_TLS_KIT_H
#define QUINTET_TESTS_TLS_KIT_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

#include "os/tls.h"

void kit_begin(void); /* what a process that uses streams does first */

/* ---- certificates ---- */

struct made {
    char cert[8192], key[4096];
};

struct recipe {
    const char *names;         /* "DNS:a.test,DNS:b.test"; NULL: none, and no subjectAltName */
    const char *cn;            /* NULL: names */
    long days;                 /* until it ends; it began 100 days ago */
    int rsa;                   /* bits; 0: ECDSA P-256 */
    const struct made *issuer; /* NULL: itself */
    const EVP_MD *digest;      /* NULL: SHA-256 */
    bool ca, aia;
};

void kit_make(struct made *m, struct recipe r);
/* A revocation list of `issuer`, with the certificate `revoked` or NULL in it, that ends in so many days. */
void kit_crl(const struct made *issuer, const struct made *revoked, long days, char *out, size_t size);
void kit_append(struct made *m, const char *pem); /* another certificate behind the first */
struct tls_pair pair_of(const struct made *m);

/* ---- a client ---- */

struct link {
    struct stream s;
    SSL *client;
    SSL_CTX *client_ctx;
    SSL_SESSION *ticket; /* the last one that came */
    int client_fd;
};

struct dial {
    const char *name; /* SNI; NULL: none */
    int version;      /* 0: what comes */
    SSL_SESSION *resume;
    const char *alpn; /* wire format */
    const char *ciphers, *signatures;
    const struct made *own; /* its certificate */
    bool tcp;               /* not a socketpair */
    bool distrust;          /* it refuses our certificate */
};

void dial(struct link *l, struct tls_ctx *ctx, struct dial d);
void hang_up(struct link *l);
/* Both sides in turn until the server's handshake has ended; its result. */
int shake(struct link *l);
/* Reads on the client until it would wait, which also takes the tickets in. */
size_t client_reads(struct link *l, char *out, size_t size);
/* A first connection for a ticket, then another with it; whether it was resumed. Both with the same version and certificate of the client's. */
bool resumes(struct tls_ctx *first, struct tls_ctx *second, struct dial d, const char *again);

struct stream_tls_info info_of(struct link *l);
void assert_cert(struct link *l, const struct made *m);
void assert_failure(struct link *l, enum tls_failure want, const char *text);

#endif
