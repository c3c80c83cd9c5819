/*
 * What the files of os/tls* share and nobody else sees: the context behind struct tls_ctx, the session behind a stream.
 *
 *      tls.c          settings, the ClientHello: which certificates, which protocol
 *      tls_cert.c     a pair: read, judged, described
 *      tls_client.c   certificates of clients
 *      tls_tickets.c  keys of session tickets
 *      tls_stream.c   bytes of one connection
 *      tls_wire.c     the socket beneath it
 */
#ifndef QUINTET_OS_TLS_IMPL_H
#define QUINTET_OS_TLS_IMPL_H

#include <openssl/sha.h>
#include <openssl/ssl.h>

#include "base/hash.h"
#include "os/tls.h"
#include "os/tls_cert.h"

#define TLS_NAME_MAX 255 /* a DNS name */
#define TLS_PEM_MAX (1 << 20)

struct tls_client_trust;

/* The certificates for some names: at most one of each kind of key, of which the client's signature algorithms choose. */
struct tls_site {
    const struct tls_cert *certs[TLS_KEY_KINDS]; /* borrowed from the context; NULL: none of this kind */
    SSL_CTX *ssl;                                /* owned */
    unsigned char id[SHA256_DIGEST_LENGTH];      /* of its certificates and of what is asked of clients */
};

struct tls_ctx {
    _Atomic unsigned refs;
    struct tls_tickets *tickets;    /* one reference */
    struct tls_client_trust *trust; /* owned; NULL: clients are not asked for certificates */
    enum tls_client_auth auth;
    struct tls_cert *certs; /* owned, in the order given */
    size_t n_certs;
    struct tls_site **sites; /* owned */
    size_t n_sites;
    struct map names;          /* "www.example.org", "*.example.org" in lower case → struct tls_site, borrowed */
    struct tls_site *fallback; /* borrowed: for clients that name nobody, and for all names where `strict` is false */
    bool strict;               /* there are several sites: a name that none has is refused */
    bool direct;               /* OpenSSL has the sockets themselves, as the kernel may encrypt */
};

/* ---- tls_wire.c ---- */

/* Zeroed: a session whose OpenSSL has the socket itself. All of it belongs to the session. */
struct tls_wire {
    int fd;       /* borrowed */
    bool drained; /* the last read of a record asked the socket, and emptied it */
    bool ended;   /* there was a FIN */
    bool blocked; /* the socket took no more of it */
    bool ending;  /* stream_ending: the FIN comes behind what is sent */
    char *unsent; /* owned: what has not gone out yet; NULL: nothing */
    size_t n, at; /* bytes in it, and how many of them have gone out since */
};

/* Puts it under the SSL, which must be freed before the session. False: no memory. */
MUST_CHECK bool tls_wire_init(struct tls_wire *wire, SSL *ssl, int fd);
void tls_wire_fini(struct tls_wire *wire);
/* Sends what has gathered. 0; -EAGAIN: some of it is kept and comes first the next time; -errno, with -ENOMEM when it could not be kept: the session
 * is broken. One of these two ends every entry into OpenSSL. */
MUST_CHECK int tls_wire_flush(struct tls_wire *wire);
/* Keeps what has gathered for the next flush: more will be written soon. 0 or -ENOMEM. */
MUST_CHECK int tls_wire_hold(struct tls_wire *wire);
bool tls_wire_has_room(void);                        /* for one more record */
size_t tls_wire_unsent(const struct tls_wire *wire); /* bytes that are kept */

struct tls_session {
    SSL *ssl;            /* owned */
    struct tls_ctx *ctx; /* one reference */
    struct tls_wire wire;
    int error;          /* what every later call returns: OpenSSL forbids using a failed SSL */
    bool said_farewell; /* close_notify is with the wire */
    enum tls_failure failure;
    const char *why;     /* static text */
    unsigned n_messages; /* of the handshake protocol, that the client has sent */
    size_t name_len;
    char name[TLS_NAME_MAX];         /* from SNI, lower case */
    struct tls_client_facts *client; /* owned; NULL: no certificate, or nobody has asked yet */
    char *
        kept; /* a record that OpenSSL has begun and could not finish: it must see the same bytes again; owned, NULL: none */
    size_t kept_n; /* bytes in it */
    size_t ahead;  /* bytes that have gone out before our caller offered them again: they are skipped */
};

/* ---- tls_tickets.c ---- */
int tls_tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                         int sealing);

/* ---- tls_client.c ---- */

/* What a verified client certificate says; each text is ASCII. */
struct tls_client_facts {
    struct str subject, issuer, serial;
    char bytes[]; /* what they point to */
};

/* Certificates and revocation lists of `pem`. NULL with a sentence in `error`. */
struct tls_client_trust *tls_client_trust_new(struct str pem, struct str label, char error[TLS_ERROR_MAX]);
void tls_client_trust_free(struct tls_client_trust *trust);                     /* NULL allowed */
const unsigned char *tls_client_trust_id(const struct tls_client_trust *trust); /* SHA-256 of the PEM */
/* Makes this SSL_CTX ask for certificates. False: no memory. */
bool tls_client_ask(SSL_CTX *ssl, const struct tls_client_trust *trust, enum tls_client_auth auth);
/* Of a finished handshake; NULL: the client showed no certificate, or there is no memory. mem_free. */
struct tls_client_facts *tls_client_facts_new(const SSL *ssl);

#endif
