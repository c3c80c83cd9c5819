/*
 * Certificates and keys: read here, where the files can be opened, and handed to the edge as bytes in a sealed memfd.
 *
 * The session ticket key is made once a supervisor's life, so that clients resume across edge restarts and reloads.
 */
#ifndef QUINTET_SUPER_CERTS_H
#define QUINTET_SUPER_CERTS_H

#include "base/buf.h"
#include "conf/conf.h"
#include "super/why.h"
#include "wire/tls_blob.h"

#define CERTS_FILE_MAX (256u << 10)

/* A sealed memfd with every pair of conf, checked by OpenSSL to load and fit; its descriptor, or -errno with a sentence in `error`.
 * -ENOENT with no sentence: no certificate is configured. */
MUST_CHECK int certs_blob(const struct conf *conf, const unsigned char ticket_key[TLS_BLOB_TICKET_KEY],
                          struct why *error);
/* The pairs are readable and fit; *expires: seconds since 1970 when the first of them ends. 0 or -errno with a sentence. */
MUST_CHECK int certs_check(const struct conf *conf, int64_t *expires, struct why *error);

#endif
