/*
 * Certificates on their way from the supervisor, which can read the key files, to the edge, which cannot.
 *
 * Form: a u32, whether clients are asked for certificates (enum tls_client_auth), then entries, each three big-endian u32 lengths (label, certificates,
 * key) and the bytes: first the authorities for clients, which have no key (all three empty where none are asked for), then the pairs. The memfd is sealed
 * and is wiped by its reader's mem_wipe of the copy.
 */
#ifndef QUINTET_WIRE_TLS_BLOB_H
#define QUINTET_WIRE_TLS_BLOB_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define TLS_BLOB_MAX (4u << 20)
#define TLS_BLOB_PAIRS_MAX 256
#define TLS_BLOB_AUTH_MAX 2

struct tls_blob_pair {
    struct str label, cert_pem, key_pem;
};

struct tls_blob {
    uint32_t client_auth;           /* 0 to TLS_BLOB_AUTH_MAX */
    struct tls_blob_pair client_ca; /* without a key */
    size_t n;
    struct tls_blob_pair pairs[TLS_BLOB_PAIRS_MAX];
};

MUST_CHECK int tls_blob_write(struct buf *out, const struct tls_blob *blob);
/* Pieces point into bytes. 0, or -EPROTO. */
MUST_CHECK int tls_blob_read(struct str bytes, struct tls_blob *out);

#endif
