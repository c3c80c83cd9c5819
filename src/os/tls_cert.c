/* Reading and judging pairs. The security level of the context (tls.c) refuses the same again, in OpenSSL's words. */
#include "os/tls_cert.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "os/tls_impl.h"

#define LABEL_SHOWN 300
#define RSA_BITS_LEAST 2048 /* CA/Browser Forum Baseline Requirements 6.1.5 */

static const char *const key_names[TLS_KEY_KINDS] = {
    [TLS_KEY_RSA] = "RSA", [TLS_KEY_ECDSA] = "ECDSA", [TLS_KEY_EDDSA] = "EdDSA"
};

int tls_cert_explain(struct str label, const char *what, char error[TLS_ERROR_MAX])
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    snprintf(error, TLS_ERROR_MAX, STR_FMT ": %s%s%s%s", (int)(label.n < LABEL_SHOWN ? label.n : LABEL_SHOWN), label.p,
             what, reason != NULL ? " (" : "", reason != NULL ? reason : "", reason != NULL ? ")" : "");
    ERR_clear_error();
    return -EINVAL;
}

/* Instead of OpenSSL's default, which asks on the terminal. */
int tls_cert_no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

BIO *tls_cert_bio(struct str pem)
{
    return pem.n > 0 && pem.n <= TLS_PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

/* ---- reading ---- */

/* Leaf first, then the chain; all NULL when the PEM is no such thing. Each owned by the caller. */
static X509 *read_chain(struct str pem, STACK_OF(X509) * *chain)
{
    BIO *bio = tls_cert_bio(pem);
    X509 *leaf = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, tls_cert_no_password, NULL) : NULL;
    X509 *next;

    *chain = sk_X509_new_null();
    must(*chain != NULL);
    while (leaf != NULL && (next = PEM_read_bio_X509(bio, NULL, tls_cert_no_password, NULL)) != NULL)
        must(sk_X509_push(*chain, next) > 0);
    if (leaf != NULL && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
        ERR_clear_error(); /* the end */
    if (ERR_peek_error() != 0) {
        X509_free(leaf);
        leaf = NULL;
    }
    BIO_free(bio);
    return leaf;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *bio = tls_cert_bio(pem);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, tls_cert_no_password, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool has(struct str s, const char *words)
{
    return s.p != NULL && memmem(s.p, s.n, words, strlen(words)) != NULL;
}

/* What is wrong with a file that holds no key to be read. */
static const char *no_key(struct str pem)
{
    if (has(pem, "ENCRYPTED"))
        return "its private key has a password; store it without one, readable by root alone "
               "(openssl pkey -in KEY -out NEW)";
    if (!has(pem, "PRIVATE KEY"))
        return "its keyfile holds no private key";
    return "cannot read its private key as PEM without a password";
}

static const char *no_certificate(struct str pem)
{
    if (!has(pem, "-----BEGIN"))
        return "cannot read the certificate as PEM: the file has no BEGIN line; DER is converted by openssl x509 "
               "-inform der";
    if (!has(pem, "CERTIFICATE-----"))
        return "cannot read the certificate as PEM: the file holds none";
    return "cannot read the certificate as PEM";
}

/* ---- judging ---- */

static bool kind_of(const EVP_PKEY *key, enum tls_key_kind *out)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        *out = TLS_KEY_RSA;
        return true;
    case EVP_PKEY_EC:
        *out = TLS_KEY_ECDSA;
        return true;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        *out = TLS_KEY_EDDSA;
        return true;
    default:
        return false;
    }
}

static bool self_signed(X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
}

/* A signature of its own proves nothing, so its digest does not matter. */
static bool weakly_signed(X509 *cert)
{
    int digest = NID_undef;

    if (self_signed(cert) || X509_get_signature_info(cert, &digest, NULL, NULL, NULL) != 1)
        return false;
    return digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1;
}

/* Why the pair cannot be used; NULL: it can. */
static const char *objection(const struct tls_cert *cert)
{
    X509 *leaf = cert->leaf;

    if (X509_check_private_key(leaf, cert->key) != 1) {
        for (int i = 0; i < sk_X509_num(cert->chain); i++)
            if (X509_check_private_key(sk_X509_value(cert->chain, i), cert->key) == 1)
                return "the private key belongs to another certificate of the file: the site's own must be the first";
        return "the private key does not belong to the certificate";
    }
    ERR_clear_error();
    if (cert->kind == TLS_KEY_RSA && EVP_PKEY_get_bits(cert->key) < RSA_BITS_LEAST)
        return "its RSA key has fewer than 2048 bits, which clients refuse";
    if (weakly_signed(leaf))
        return "it is signed with SHA-1 or MD5, which clients refuse";
    for (int i = 0; i < sk_X509_num(cert->chain); i++)
        if (weakly_signed(sk_X509_value(cert->chain, i)))
            return "a certificate of its chain is signed with SHA-1 or MD5, which clients refuse";
    return NULL;
}

/* The issuer can be fetched by those who care, so it is a public CA's, and some clients do not fetch. */
static bool names_its_issuer(X509 *cert)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(info); i++)
        found |= OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(info, i)->method) == NID_ad_ca_issuers;
    AUTHORITY_INFO_ACCESS_free(info);
    ERR_clear_error();
    return found;
}

static const char *warning_of(const struct tls_cert *cert)
{
    X509 *below = cert->leaf;

    for (int i = 0; i < sk_X509_num(cert->chain); i++) {
        X509 *above = sk_X509_value(cert->chain, i);

        if (X509_check_issued(above, below) != X509_V_OK)
            return "its chain is out of order: each certificate must be followed by the one that signed it";
        below = above;
    }
    if (below == cert->leaf && !self_signed(below) && names_its_issuer(below))
        return "its intermediate certificate is missing, and some clients will not trust it: use the full chain";
    if (X509_get_ext_by_NID(cert->leaf, NID_subject_alt_name, -1) < 0)
        return "it has no subjectAltName, and clients of today look at no other name";
    return NULL;
}

/* ---- describing ---- */

struct first_name {
    char *text;
};

static void keep_first(void *arg, struct str name)
{
    struct first_name *first = arg;

    if (first->text == NULL)
        first->text = str_dup(name);
}

void tls_cert_each_name(const struct tls_cert *cert, void (*fn)(void *arg, struct str name), void *arg)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert->leaf, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char lower[TLS_NAME_MAX];
        int n;

        if (name->type != GEN_DNS)
            continue;
        n = ASN1_STRING_length(name->d.dNSName);
        if (n <= 0 || n > TLS_NAME_MAX)
            continue;
        for (int j = 0; j < n; j++)
            lower[j] = ascii_lower((char)ASN1_STRING_get0_data(name->d.dNSName)[j]);
        fn(arg, str_make(lower, (size_t)n));
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

/* Printable ASCII only: it goes into labels and logs. */
static char *name_of(const struct tls_cert *cert)
{
    struct first_name first = { NULL };
    char cn[TLS_NAME_MAX + 1] = "";

    tls_cert_each_name(cert, keep_first, &first);
    if (first.text == NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert->leaf), NID_commonName, cn, sizeof(cn));
        first.text = mem_strdup(cn);
    }
    for (char *p = first.text; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\')
            *p = '?';
    return first.text;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : INT64_MAX;
}

static void describe(struct tls_cert *cert, struct str label)
{
    char key[32];

    (void)snprintf(key, sizeof(key), "%s %d", key_names[cert->kind], EVP_PKEY_get_bits(cert->key));
    cert->info = (struct tls_cert_info){ .label = str_dup(label),
                                         .name = name_of(cert),
                                         .key = mem_strdup(key),
                                         .begins = seconds_of(X509_get0_notBefore(cert->leaf)),
                                         .expires = seconds_of(X509_get0_notAfter(cert->leaf)) };
    cert->info.warning = warning_of(cert);
    ERR_clear_error();
}

static int complain(const struct tls_pair *pair, const char *wrong, char error[TLS_ERROR_MAX])
{
    char both[2 * LABEL_SHOWN];

    if (pair->key_label.n == 0)
        return tls_cert_explain(pair->label, wrong, error);
    (void)snprintf(both, sizeof(both), STR_FMT " with " STR_FMT, STR_ARG(pair->label), STR_ARG(pair->key_label));
    return tls_cert_explain(str_of(both), wrong, error);
}

int tls_cert_read(const struct tls_pair *pair, struct tls_cert *out, char error[TLS_ERROR_MAX])
{
    const char *wrong;

    *out = (struct tls_cert){ 0 };
    ERR_clear_error();
    out->leaf = read_chain(pair->cert_pem, &out->chain);
    if (out->leaf == NULL) {
        wrong = no_certificate(pair->cert_pem);
        goto fail;
    }
    out->key = read_key(pair->key_pem);
    if (out->key == NULL) {
        wrong = no_key(pair->key_pem);
        ERR_clear_error(); /* "bad password read" says less */
        goto fail;
    }
    if (!kind_of(out->key, &out->kind)) {
        wrong = "its key is of a kind that TLS clients do not take; RSA, ECDSA or EdDSA is needed";
        goto fail;
    }
    wrong = objection(out);
    if (wrong != NULL) {
        ERR_clear_error();
        goto fail;
    }
    describe(out, pair->label);
    return 0;
fail:
    tls_cert_fini(out);
    return complain(pair, wrong, error);
}

void tls_cert_fini(struct tls_cert *cert)
{
    X509_free(cert->leaf);
    EVP_PKEY_free(cert->key);
    sk_X509_pop_free(cert->chain, X509_free);
    mem_free((char *)(uintptr_t)cert->info.label);
    mem_free((char *)(uintptr_t)cert->info.name);
    mem_free((char *)(uintptr_t)cert->info.key);
    *cert = (struct tls_cert){ 0 };
}
