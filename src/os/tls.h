/*
 * TLS for servers: the only user of OpenSSL.
 *
 * A tls_ctx holds every certificate of a site set and is immutable once built; a reload builds another and swaps it, while
 * open connections keep the one they began with (reference count, thread-safe). Private keys arrive as PEM bytes, never as
 * paths: the process that calls this cannot open the key files. TLS 1.2 (AEAD only) and 1.3; X25519 first; no renegotiation,
 * no compression; session tickets with keys given by the caller, so that all edge processes and restarts share them.
 * Chosen by SNI: exact name, then wildcard of one label, then the first certificate; the names are the DNS names of the
 * certificate's subjectAltName. A ticket is resumed under the server name it was given for only.
 */
#ifndef QUINTET_OS_TLS_H
#define QUINTET_OS_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"
#include "os/stream.h"

struct tls_ctx;

#define TLS_ERROR_MAX 256
#define TLS_TICKET_KEY_LEN 80 /* 16 name + 32 HMAC-SHA-256 + 32 AES-256; random bytes will do */

struct tls_pair {
    struct str cert_pem; /* chain, leaf first; borrowed during the call */
    struct str key_pem;  /* borrowed during the call */
    struct str label;    /* for messages: the certificate's path */
};

/* 0, or -EINVAL with a sentence in `error` that names the pair (unreadable PEM, key does not fit, expired is NOT an error).
 * n > 0. */
MUST_CHECK int tls_ctx_new(const struct tls_pair *pairs, size_t n, const unsigned char ticket_key[TLS_TICKET_KEY_LEN],
                           struct tls_ctx **out, char error[TLS_ERROR_MAX]);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx);
void tls_ctx_unref(struct tls_ctx *ctx); /* frees with the last reference; NULL allowed */
/* When the first of the certificates expires, seconds since 1970. */
int64_t tls_ctx_expires(const struct tls_ctx *ctx);
/* A server stream over fd (taken over if 0 is returned). The handshake runs by stream_handshake or with the first read. 0 or -ENOMEM. */
MUST_CHECK int tls_stream_init(struct stream *s, int fd, struct tls_ctx *ctx);
void tls_random(unsigned char *out, size_t n); /* getrandom(2) */

#endif
