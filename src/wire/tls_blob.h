/*
 * Certificates on their way from the supervisor, which can read the key files, to the edge, which cannot.
 *
 * Form: ticket key (80 bytes), then a pair each: three big-endian u32 lengths (label, certificate chain, key) and the bytes. The memfd is sealed and is
 * wiped by its reader's mem_wipe of the copy.
 */
#ifndef QUINTET_WIRE_TLS_BLOB_H
#define QUINTET_WIRE_TLS_BLOB_H

#include "base/buf.h"
#include "base/str.h"

#define TLS_BLOB_MAX (4u << 20)
#define TLS_BLOB_PAIRS_MAX 256
#define TLS_BLOB_TICKET_KEY 80

struct tls_blob_pair {
    struct str label, cert_pem, key_pem;
};

MUST_CHECK int tls_blob_write(struct buf *out, const unsigned char ticket_key[TLS_BLOB_TICKET_KEY],
                              const struct tls_blob_pair *pairs, size_t n);
/* Pieces point into blob; `pairs` has room for TLS_BLOB_PAIRS_MAX. 0 with *n, or -EPROTO. */
MUST_CHECK int tls_blob_read(struct str blob, unsigned char ticket_key[TLS_BLOB_TICKET_KEY],
                             struct tls_blob_pair *pairs, size_t *n);

#endif
