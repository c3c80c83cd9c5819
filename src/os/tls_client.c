/*
 * Certificates of clients: whom to believe, and what a verified one says.
 *
 * Whatever the operator's file holds is believed, an intermediate authority also without its root. A revocation list in the file counts for the
 * authority that signed it; authorities without one are not held against their clients. A list past its date refuses all of its authority's
 * clients: a revocation must not be undone by a job that has stopped running.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/tls_impl.h"

#define FACT_MAX 1024 /* of a name; a longer one is not said at all: cut, it could pass for another */

struct tls_client_trust {
    X509_STORE *store;           /* owned */
    STACK_OF(X509_NAME) * names; /* owned: sent to clients, which choose by them */
    unsigned char id[SHA256_DIGEST_LENGTH];
};

/* By a list of the file that has its issuer's name, whoever else may have signed that list: the file is the operator's. */
static bool is_revoked(X509_STORE_CTX *ctx, X509 *cert)
{
    STACK_OF(X509_CRL) *lists = X509_STORE_CTX_get1_crls(ctx, X509_get_issuer_name(cert));
    X509_REVOKED *entry;
    bool found = false;

    for (int i = 0; i < sk_X509_CRL_num(lists); i++)
        found |= X509_CRL_get0_by_cert(sk_X509_CRL_value(lists, i), &entry, cert) == 1;
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    return found;
}

/* No list that could be held against it. Where the chain ends, at an authority of the file, OpenSSL has nobody who could have signed one. */
static bool lacks_a_list(X509_STORE_CTX *ctx)
{
    bool last = X509_STORE_CTX_get_error_depth(ctx) == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;

    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return true;
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
        return last;
    default:
        return false;
    }
}

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    bool fine;

    if (ok || !lacks_a_list(ctx))
        return ok;
    fine = !is_revoked(ctx, X509_STORE_CTX_get_current_cert(ctx));
    ERR_clear_error(); /* what the attempt has left: tls_stream_failure goes by the first */
    X509_STORE_CTX_set_error(ctx, fine ? X509_V_OK : X509_V_ERR_CERT_REVOKED); /* what SSL_get_verify_result says */
    return fine;
}

static bool add_cert(struct tls_client_trust *trust, X509 *cert)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(cert));

    if (name == NULL || sk_X509_NAME_push(trust->names, name) <= 0) {
        X509_NAME_free(name);
        return false;
    }
    return X509_STORE_add_cert(trust->store, cert) == 1;
}

static bool add_crl(struct tls_client_trust *trust, X509_CRL *crl)
{
    /* of the whole chain: what is revoked may be an authority in between */
    X509_STORE_set_flags(trust->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return X509_STORE_add_crl(trust->store, crl) == 1;
}

/* An item is a certificate, a list, or one with the other behind it. */
static bool add_item(struct tls_client_trust *trust, const X509_INFO *item)
{
    return (item->x509 == NULL || add_cert(trust, item->x509)) && (item->crl == NULL || add_crl(trust, item->crl));
}

static bool add_all(struct tls_client_trust *trust, struct str pem)
{
    BIO *bio = tls_cert_bio(pem);
    STACK_OF(X509_INFO) *items = bio != NULL ? PEM_X509_INFO_read_bio(bio, NULL, tls_cert_no_password, NULL) : NULL;
    bool ok = items != NULL;

    for (int i = 0; ok && i < sk_X509_INFO_num(items); i++)
        ok = add_item(trust, sk_X509_INFO_value(items, i));
    sk_X509_INFO_pop_free(items, X509_INFO_free);
    BIO_free(bio);
    return ok && sk_X509_NAME_num(trust->names) > 0;
}

struct tls_client_trust *tls_client_trust_new(struct str pem, struct str label, char error[TLS_ERROR_MAX])
{
    struct tls_client_trust *trust = mem_zalloc(sizeof(*trust));

    ERR_clear_error();
    trust->store = X509_STORE_new();
    trust->names = sk_X509_NAME_new_null();
    must(trust->store != NULL && trust->names != NULL);
    X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_set_verify_cb(trust->store, on_verify);
    if (!add_all(trust, pem) || SHA256((const unsigned char *)pem.p, pem.n, trust->id) == NULL) {
        tls_client_trust_free(trust);
        (void)tls_cert_explain(label, "no certificates of authorities for clients can be read from it as PEM", error);
        return NULL;
    }
    ERR_clear_error();
    return trust;
}

void tls_client_trust_free(struct tls_client_trust *trust)
{
    if (trust == NULL)
        return;
    X509_STORE_free(trust->store);
    sk_X509_NAME_pop_free(trust->names, X509_NAME_free);
    mem_free(trust);
}

const unsigned char *tls_client_trust_id(const struct tls_client_trust *trust)
{
    return trust->id;
}

bool tls_client_ask(SSL_CTX *ssl, const struct tls_client_trust *trust, enum tls_client_auth auth)
{
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(trust->names);

    if (names == NULL || SSL_CTX_set1_verify_cert_store(ssl, trust->store) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return false;
    }
    SSL_CTX_set_client_CA_list(ssl, names);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (auth == TLS_CLIENT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       NULL);
    return true;
}

/* ---- facts ---- */

/* ASCII, control bytes and separators escaped (RFC 2253); empty when it cannot be said. */
static struct str print_name(X509_NAME *name, char out[FACT_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        n = BIO_read(bio, out, FACT_MAX);
    BIO_free(bio);
    return str_make(out, n > 0 && n < FACT_MAX ? (size_t)n : 0);
}

static struct str print_serial(const X509 *cert, char out[FACT_MAX])
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    int n = hex != NULL ? snprintf(out, FACT_MAX, "%s", hex) : 0;

    OPENSSL_free(hex);
    BN_free(number);
    return str_make(out, n > 0 && n < FACT_MAX ? (size_t)n : 0);
}

static struct str put(char **at, struct str piece)
{
    struct str kept = str_make(*at, piece.n);

    if (piece.n > 0)
        memcpy(*at, piece.p, piece.n);
    *at += piece.n;
    return kept;
}

struct tls_client_facts *tls_client_facts_new(const SSL *ssl)
{
    char subject[FACT_MAX], issuer[FACT_MAX], serial[FACT_MAX], *at;
    X509 *cert = SSL_get0_peer_certificate(ssl);
    struct tls_client_facts *facts;
    struct str s, i, n;

    if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
        return NULL;
    s = print_name(X509_get_subject_name(cert), subject);
    i = print_name(X509_get_issuer_name(cert), issuer);
    n = print_serial(cert, serial);
    ERR_clear_error();
    facts = mem_try_alloc(sizeof(*facts) + s.n + i.n + n.n);
    if (facts == NULL)
        return NULL;
    at = facts->bytes;
    facts->subject = put(&at, s);
    facts->issuer = put(&at, i);
    facts->serial = put(&at, n);
    return facts;
}
