/*
 * TLS for servers. The files os/tls* are the only users of OpenSSL.
 *
 * A tls_ctx holds every certificate and is immutable once built; a reload builds another and swaps it, while open connections keep the one they began
 * with (reference count, thread-safe). Private keys arrive as PEM bytes, never as paths: the process that calls this cannot open
 * the key files. TLS 1.2 (AEAD only) and 1.3; X25519 first, behind X25519MLKEM768 where OpenSSL has it; no renegotiation, no compression, no early data.
 *
 * Which certificate: by the server name asked for (SNI), an exact name before a wildcard of one label; the names are the DNS names of
 * the certificate's subjectAltName. Where a name has certificates with several kinds of key (ECDSA, RSA), the client's signature algorithms choose.
 * Clients that name nobody get the first pair. A name that no certificate has gets it too where there is nothing to confuse (one certificate, or
 * one of each kind of key), and is refused with unrecognized_name (RFC 6066 section 3) where there are several sites.
 *
 * A session is resumed only under the server name it was begun with, with the same certificates and the same demands on client certificates.
 */
#ifndef QUINTET_OS_TLS_H
#define QUINTET_OS_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"
#include "os/stream.h"
#include "os/tls_tickets.h"

struct tls_ctx;

#define TLS_ERROR_MAX 512

struct tls_pair {
    struct str cert_pem;  /* chain, leaf first; borrowed during the call */
    struct str key_pem;   /* borrowed during the call */
    struct str label;     /* for messages: the certificate's path */
    struct str key_label; /* the key's; empty: errors name the certificate alone */
};

/* Whether clients are asked for a certificate. One that they show must be good, also where none is required. */
enum tls_client_auth { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRED };

struct tls_settings {
    const struct tls_pair *pairs; /* the first is the default */
    size_t n;                     /* > 0 */
    struct tls_tickets *tickets;  /* the context takes a reference */
    enum tls_client_auth auth;
    struct str
        client_ca_pem; /* whom to believe: certificates, and revocation lists, which then count; not with TLS_CLIENT_NONE */
    struct str client_ca_label;
};

/* 0, or -EINVAL with a sentence in `error` that names the pair or the file (see tls_cert.h for what is refused). */
MUST_CHECK int tls_ctx_new(const struct tls_settings *settings, struct tls_ctx **out, char error[TLS_ERROR_MAX]);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx);
void tls_ctx_unref(struct tls_ctx *ctx); /* frees with the last reference; NULL allowed */

/* What there is to say of a pair; texts are valid as long as the context. */
struct tls_cert_info {
    const char *label;
    const char *name;        /* the first DNS name, else the subject's CN, else "" */
    const char *key;         /* "ECDSA 256", "RSA 2048" */
    const char *warning;     /* a sentence; NULL: nothing to warn of */
    int64_t begins, expires; /* seconds since 1970 */
};

size_t tls_ctx_certs(const struct tls_ctx *ctx);
const struct tls_cert_info *tls_ctx_cert(const struct tls_ctx *ctx, size_t i);
/* From when on its end is worth a warning: 14 days before, or a fifth of its life where that is less. */
int64_t tls_cert_warn_from(const struct tls_cert_info *info);
/* When the first of the certificates expires, seconds since 1970. */
int64_t tls_ctx_expires(const struct tls_ctx *ctx);

/* A server stream over fd (taken over if 0 is returned). The handshake runs by stream_handshake or with the first read. 0 or -ENOMEM. */
MUST_CHECK int tls_stream_init(struct stream *s, int fd, struct tls_ctx *ctx);

/* Why a handshake failed. */
enum tls_failure {
    TLS_OK,
    TLS_GONE,        /* the client went, or the connection broke */
    TLS_NOT_TLS,     /* plain HTTP, or noise */
    TLS_VERSION,     /* it speaks no version of ours */
    TLS_CIPHER,      /* no cipher, group or signature algorithm in common */
    TLS_NAME,        /* no certificate for the name it asked for */
    TLS_ALPN,        /* no protocol of ours */
    TLS_CLIENT_CERT, /* its certificate is missing or not accepted */
    TLS_ALERT,       /* it refused us: it does not trust the certificate, mostly */
    TLS_OTHER,
    TLS_FAILURES
};

/* Of a TLS stream that has failed. *why: a static text to log, never NULL. */
enum tls_failure tls_stream_failure(const struct stream *s, const char **why);
void tls_random(unsigned char *out, size_t n); /* getrandom(2) */

#endif
