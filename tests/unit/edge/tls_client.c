/* A certificate for the rig, and OpenSSL's own client in the same thread: see tls_client.h. */
#include "tls_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "edge/home.h"
#include "os/tls.h"

/* ---- a certificate for the rig ---- */

static struct str pem_of(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    struct str pem = { mem_strndup(bytes, (size_t)n), (size_t)n };

    BIO_free(bio);
    return pem;
}

static struct tls_pair make_pair(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_true(PEM_write_bio_X509(cert_bio, cert));
    assert_true(PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL));
    X509_free(cert);
    EVP_PKEY_free(key);
    return (struct tls_pair){ .cert_pem = pem_of(cert_bio), .key_pem = pem_of(key_bio), .label = STR("test") };
}

void rig_tls(struct rig *rig)
{
    struct tls_pair pair = make_pair();
    struct tls_settings settings = { .pairs = &pair, .n = 1, .tickets = tls_tickets_new() };
    char error[TLS_ERROR_MAX];

    assert_int_equal(tls_ctx_new(&settings, &rig->edge.snapshot->tls, error), 0);
    tls_tickets_unref(settings.tickets);
    mem_free((void *)(uintptr_t)pair.cert_pem.p);
    mem_free((void *)(uintptr_t)pair.key_pem.p);
}

/* ---- a client ---- */

static void turn(struct rig *rig)
{
    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
}

int rig_connect_tls(struct rig *rig)
{
    union sock_addr peer = { .un = { .sun_family = AF_UNIX } };
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    {
        struct conn_new new = { .peer = peer, .fd = fds[1], .tls = true };

        must(admit_enter(&rig->lane->edge->admit, &new.peer, &new.by_address));
        home_begin(rig->lane, &new);
    }
    return fds[0];
}

void tls_client_dial(struct rig *rig, struct tls_client *c)
{
    c->fd = rig_connect_tls(rig);
    c->ctx = SSL_CTX_new(TLS_client_method());
    c->ssl = SSL_new(c->ctx);
    SSL_set_fd(c->ssl, c->fd);
    for (int i = 0; SSL_connect(c->ssl) != 1; i++) {
        assert_true(i < 100);
        turn(rig);
    }
}

void tls_client_hang_up(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
}
