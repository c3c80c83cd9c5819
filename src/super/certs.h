/*
 * Certificates and keys: read here, where the files can be opened, and handed to the edge as bytes in a sealed memfd.
 */
#ifndef QUINTET_SUPER_CERTS_H
#define QUINTET_SUPER_CERTS_H

#include "base/buf.h"
#include "conf/conf.h"
#include "os/tls.h"
#include "super/why.h"
#include "wire/tls_blob.h"

/* A sealed memfd with every pair of conf and the authorities for clients (wire/tls_blob.h), checked by OpenSSL to load and fit; its descriptor, or -errno with
 * a sentence in `error`. -ENOENT with no sentence: no certificate is configured. *ctx, with success only: what was checked, the caller's to unref. */
MUST_CHECK int certs_blob(const struct conf *conf, struct tls_ctx **ctx, struct why *error);
/* The same check alone. 0 or -errno with a sentence. */
MUST_CHECK int certs_check(const struct conf *conf, struct tls_ctx **ctx, struct why *error);

#endif
