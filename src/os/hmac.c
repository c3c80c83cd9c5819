/* HMAC by OpenSSL. */
#include "os/hmac.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#define DIGEST_LEN 32

static void to_text(const unsigned char digest[DIGEST_LEN], char out[HMAC_TEXT_LEN])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < DIGEST_LEN; i++) {
        bits = bits << 8 | digest[i];
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            out[n++] = digits[bits >> (n_bits - 6) & 63];
    }
    out[n] = digits[bits << (6 - n_bits) & 63];
}

static int digest_of(EVP_MAC_CTX *ctx, struct str key, const struct str *pieces, size_t n, unsigned char *out)
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", name, 0), OSSL_PARAM_construct_end() };
    size_t len = 0;

    if (!EVP_MAC_init(ctx, (const unsigned char *)key.p, key.n, params))
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (pieces[i].n > 0 && !EVP_MAC_update(ctx, (const unsigned char *)pieces[i].p, pieces[i].n))
            return -ENOMEM;
    return EVP_MAC_final(ctx, out, &len, DIGEST_LEN) && len == DIGEST_LEN ? 0 : -ENOMEM;
}

int hmac_text(struct str key, const struct str *pieces, size_t n, char out[HMAC_TEXT_LEN])
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    unsigned char digest[DIGEST_LEN];
    int rc = ctx != NULL ? digest_of(ctx, key, pieces, n, digest) : -ENOMEM;

    if (rc == 0)
        to_text(digest, out);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return rc;
}

bool hmac_same(struct str a, struct str b)
{
    return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
