/*
 * A certificate with its key, read from PEM and judged: what is refused, what is only warned about, what is said of it.
 *
 * Refused is what clients would refuse anyway, or what would ask a person: a key that does not belong, that has a password, that is too small; a
 * certificate signed with SHA-1 or MD5. Warned is what some clients get over: a chain out of order or incomplete, no name. Expired is no
 * error here: to serve with it is better than not at all. Private to os/tls*.
 */
#ifndef QUINTET_OS_TLS_CERT_H
#define QUINTET_OS_TLS_CERT_H

#include <openssl/x509v3.h>

#include "os/tls.h"

enum tls_key_kind { TLS_KEY_RSA, TLS_KEY_ECDSA, TLS_KEY_EDDSA, TLS_KEY_KINDS };

struct tls_cert {
    X509 *leaf;             /* owned, as are the next two */
    STACK_OF(X509) * chain; /* the rest, in the order of the file */
    EVP_PKEY *key;
    enum tls_key_kind kind;
    struct tls_cert_info info; /* its texts are owned */
};

/* 0; or -EINVAL with a sentence in `error` that names the pair, and nothing to free. */
MUST_CHECK int tls_cert_read(const struct tls_pair *pair, struct tls_cert *out, char error[TLS_ERROR_MAX]);
void tls_cert_fini(struct tls_cert *cert);
/* Each DNS name of the subjectAltName, in lower case; the text is valid during the call. */
void tls_cert_each_name(const struct tls_cert *cert, void (*fn)(void *arg, struct str name), void *arg);
/* "LABEL: what (OpenSSL's reason)", and OpenSSL's errors are gone. Returns -EINVAL. */
int tls_cert_explain(struct str label, const char *what, char error[TLS_ERROR_MAX]);
/* Read-only over the caller's bytes: no copy of a key is left behind. NULL: empty, or too long. */
BIO *tls_cert_bio(struct str pem);
int tls_cert_no_password(char *buf, int size, int writing, void *arg); /* pem_password_cb: there is nobody to ask */

#endif
