/*
 * The ring and OpenSSL's callback. A ticket is: key name, IV, AES-256-CBC of the session, HMAC-SHA-256 of all that (RFC 5077 section 4).
 * A key is copied out under the lock and used without it.
 */
#include "os/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "os/tls.h"
#include "os/tls_impl.h"

#define NAME_LEN 16
#define MAC_LEN 32

struct ticket_key {
    unsigned char name[NAME_LEN], mac[MAC_LEN], aes[TLS_TICKET_KEY_LEN - NAME_LEN - MAC_LEN];
};

struct tls_tickets {
    _Atomic unsigned refs;
    pthread_mutex_t lock; /* keys and n */
    struct ticket_key keys[TLS_TICKET_KEYS_MAX];
    size_t n;
};

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *tickets = mem_zalloc(sizeof(*tickets));

    atomic_init(&tickets->refs, 1);
    must(pthread_mutex_init(&tickets->lock, NULL) == 0);
    tls_random((unsigned char *)&tickets->keys[0], TLS_TICKET_KEY_LEN);
    tickets->n = 1;
    return tickets;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets)
{
    atomic_fetch_add_explicit(&tickets->refs, 1, memory_order_relaxed);
    return tickets;
}

void tls_tickets_unref(struct tls_tickets *tickets)
{
    if (tickets == NULL || atomic_fetch_sub_explicit(&tickets->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&tickets->lock);
    mem_wipe(tickets->keys, sizeof(tickets->keys));
    mem_free(tickets);
}

void tls_tickets_set(struct tls_tickets *tickets, const unsigned char (*keys)[TLS_TICKET_KEY_LEN], size_t n)
{
    must(n > 0 && n <= TLS_TICKET_KEYS_MAX && sizeof(struct ticket_key) == TLS_TICKET_KEY_LEN);
    pthread_mutex_lock(&tickets->lock);
    mem_wipe(tickets->keys, sizeof(tickets->keys));
    memcpy(tickets->keys, keys, n * TLS_TICKET_KEY_LEN);
    tickets->n = n;
    pthread_mutex_unlock(&tickets->lock);
}

/* The newest when no name is asked for. Its place in the ring, -1: not there (any more). */
static int find_key(struct tls_tickets *tickets, const unsigned char *name, struct ticket_key *out)
{
    int found = -1;

    pthread_mutex_lock(&tickets->lock);
    for (size_t i = 0; i < tickets->n && found < 0; i++)
        if (name == NULL || memcmp(name, tickets->keys[i].name, NAME_LEN) == 0)
            found = (int)i;
    if (found >= 0)
        *out = tickets->keys[found];
    pthread_mutex_unlock(&tickets->lock);
    return found;
}

static bool use_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, MAC_LEN),
                            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* A TLS 1.3 client shows a ticket once (RFC 8446 C.4), so it is given the next. Not where certificates are asked for: theirs would be believed for as long as
 * the client comes back. */
static bool uses_once(const SSL *ssl, const struct tls_session *session)
{
    return SSL_version(ssl) == TLS1_3_VERSION && session->ctx->trust == NULL;
}

/* OpenSSL's contract: 1 go on, 2 (opening) go on and give the client a new ticket, 0 no such key: a full handshake, -1 fail. */
int tls_tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                         int sealing)
{
    const struct tls_session *session = SSL_get_app_data(ssl);
    struct ticket_key key;
    int place = find_key(session->ctx->tickets, sealing ? NULL : name, &key);
    bool ok;

    if (place < 0)
        return 0;
    if (sealing) {
        memcpy(name, key.name, NAME_LEN);
        ok = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
             EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 && use_mac(mac, &key);
    } else {
        ok = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 && use_mac(mac, &key);
    }
    mem_wipe(&key, sizeof(key));
    if (!ok)
        return -1;
    return place > 0 || (!sealing && uses_once(ssl, session)) ? 2 : 1;
}
