/* See tls_kit.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tls_kit.h"

void kit_begin(void)
{
    signal(SIGPIPE, SIG_IGN); /* as stream.h asks */
}

/* ---- certificates ---- */

static void take(BIO *bio, char *out, size_t size)
{
    int n = BIO_read(bio, out, (int)size - 1);

    assert_true(n > 0 && n < (int)size - 1);
    out[n] = '\0';
    BIO_free(bio);
}

static X509 *cert_of(const struct made *m)
{
    BIO *bio = BIO_new_mem_buf(m->cert, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    assert_non_null(cert);
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *key_of(const struct made *m)
{
    BIO *bio = BIO_new_mem_buf(m->key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    assert_non_null(key);
    BIO_free(bio);
    return key;
}

static void extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(ext);
    assert_true(X509_add_ext(cert, ext, -1));
    X509_EXTENSION_free(ext);
}

static void sign(X509 *cert, EVP_PKEY *key, struct recipe r)
{
    X509 *issuer = r.issuer != NULL ? cert_of(r.issuer) : NULL;
    EVP_PKEY *signer = r.issuer != NULL ? key_of(r.issuer) : NULL;

    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    assert_true(X509_sign(cert, signer != NULL ? signer : key, r.digest != NULL ? r.digest : EVP_sha256()) > 0);
    X509_free(issuer);
    EVP_PKEY_free(signer);
}

void kit_make(struct made *m, struct recipe r)
{
    static long serial;
    EVP_PKEY *key = r.rsa != 0 ? EVP_RSA_gen((unsigned)r.rsa) : EVP_EC_gen("P-256");
    const char *cn = r.cn != NULL ? r.cn : r.names;
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *cert = X509_new();

    assert_non_null(key);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -100 * 86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), r.days * 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    if (r.names != NULL)
        extend(cert, NID_subject_alt_name, r.names);
    if (r.ca)
        extend(cert, NID_basic_constraints, "critical,CA:TRUE");
    if (r.aia)
        extend(cert, NID_info_access, "caIssuers;URI:http://ca.test/issuer");
    sign(cert, key, r);
    assert_true(PEM_write_bio_X509(bio, cert));
    take(bio, m->cert, sizeof(m->cert));
    bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    take(bio, m->key, sizeof(m->key));
    X509_free(cert);
    EVP_PKEY_free(key);
}

void kit_crl(const struct made *issuer, const struct made *revoked, long days, char *out, size_t size)
{
    X509 *by = cert_of(issuer), *victim = revoked != NULL ? cert_of(revoked) : NULL;
    EVP_PKEY *key = key_of(issuer);
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_new();
    BIO *bio = BIO_new(BIO_s_mem());

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(by));
    X509_CRL_set1_lastUpdate(crl, X509_gmtime_adj(time, -50 * 86400));
    X509_CRL_set1_nextUpdate(crl, X509_gmtime_adj(time, days * 86400));
    if (victim != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();

        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(victim));
        X509_REVOKED_set_revocationDate(entry, X509_gmtime_adj(time, -40 * 86400));
        assert_true(X509_CRL_add0_revoked(crl, entry));
    }
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    assert_true(PEM_write_bio_X509_CRL(bio, crl));
    take(bio, out, size);
    ASN1_TIME_free(time);
    X509_CRL_free(crl);
    EVP_PKEY_free(key);
    X509_free(by);
    X509_free(victim);
}

void kit_append(struct made *m, const char *pem)
{
    size_t n = strlen(m->cert);

    assert_true(strlen(pem) < sizeof(m->cert) - n);
    memcpy(m->cert + n, pem, strlen(pem) + 1);
}

struct tls_pair pair_of(const struct made *m)
{
    return (
        struct tls_pair){ .cert_pem = str_of(m->cert), .key_pem = str_of(m->key), .label = STR("/etc/tls/site.pem") };
}

/* ---- a client ---- */

static void tcp_pair(int fds[2])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t n = sizeof(at);

    assert_int_equal(bind(listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&at, n), 0);
    fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    close(listener);
}

/* With what stands behind it in the file. */
static void use_own(SSL_CTX *ctx, const struct made *own)
{
    BIO *bio = BIO_new_mem_buf(own->cert, -1);
    EVP_PKEY *key = key_of(own);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL), *next;

    assert_int_equal(SSL_CTX_use_cert_and_key(ctx, cert, key, NULL, 1), 1);
    while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        assert_int_equal(SSL_CTX_add_extra_chain_cert(ctx, next), 1);
    ERR_clear_error();
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct link *l = SSL_get_app_data(ssl);

    SSL_SESSION_free(l->ticket);
    l->ticket = session;
    return 1;
}

void dial(struct link *l, struct tls_ctx *ctx, struct dial d)
{
    int fds[2];

    memset(l, 0, sizeof(*l));
    if (d.tcp)
        tcp_pair(fds);
    else
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(tls_stream_init(&l->s, fds[0], ctx), 0);
    l->client_fd = fds[1];
    l->client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(l->client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(l->client_ctx, on_ticket);
    SSL_CTX_set_mode(l->client_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (d.version != 0) {
        SSL_CTX_set_min_proto_version(l->client_ctx, 0);
        SSL_CTX_set_max_proto_version(l->client_ctx, d.version);
    }
    if (d.ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(l->client_ctx, d.ciphers), 1);
    if (d.signatures != NULL)
        assert_int_equal(SSL_CTX_set1_sigalgs_list(l->client_ctx, d.signatures), 1);
    if (d.own != NULL)
        use_own(l->client_ctx, d.own);
    if (d.distrust)
        SSL_CTX_set_verify(l->client_ctx, SSL_VERIFY_PEER, NULL);
    l->client = SSL_new(l->client_ctx);
    SSL_set_app_data(l->client, l);
    SSL_set_fd(l->client, l->client_fd);
    SSL_set_connect_state(l->client);
    if (d.name != NULL)
        SSL_set_tlsext_host_name(l->client, d.name);
    if (d.resume != NULL)
        assert_int_equal(SSL_set_session(l->client, d.resume), 1);
    if (d.alpn != NULL)
        assert_int_equal(SSL_set_alpn_protos(l->client, (const unsigned char *)d.alpn, (unsigned)strlen(d.alpn)), 0);
}

void hang_up(struct link *l)
{
    if (l->s.fd >= 0)
        stream_close(&l->s);
    SSL_set_shutdown(l->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* else its ticket counts as broken */
    SSL_free(l->client);
    SSL_CTX_free(l->client_ctx);
    SSL_SESSION_free(l->ticket);
    if (l->client_fd >= 0)
        close(l->client_fd);
    ERR_clear_error();
}

/* Both sides in turn until the server's handshake has ended; its result. */
int shake(struct link *l)
{
    int r = -EAGAIN, done = 0;
    char none;

    for (int i = 0; i < 20 && (r == -EAGAIN || done != 1); i++) {
        done = SSL_do_handshake(l->client);
        ERR_clear_error();
        if (r == -EAGAIN)
            r = stream_handshake(&l->s);
        if (r < 0 && r != -EAGAIN)
            break;
    }
    if (r == 0)
        (void)!stream_read(&l->s, &none, 1); /* as every server does: before it waits the tickets go out */
    return r;
}

/* Reads on the client until it would wait, which also takes the tickets in. */
size_t client_reads(struct link *l, char *out, size_t size)
{
    size_t n = 0, got;

    while (n < size && SSL_read_ex(l->client, out + n, size - n, &got) == 1)
        n += got;
    ERR_clear_error();
    return n;
}

struct stream_tls_info info_of(struct link *l)
{
    struct stream_tls_info info;

    assert_true(stream_tls_info(&l->s, &info));
    return info;
}

void assert_cert(struct link *l, const struct made *m)
{
    X509 *got = SSL_get1_peer_certificate(l->client);
    BIO *bio = BIO_new_mem_buf(m->cert, -1);
    X509 *want = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    assert_int_equal(X509_cmp(got, want), 0);
    X509_free(got);
    X509_free(want);
    BIO_free(bio);
}

void assert_failure(struct link *l, enum tls_failure want, const char *text)
{
    const char *why;

    assert_int_equal(tls_stream_failure(&l->s, &why), want);
    assert_non_null(strstr(why, text));
}

bool resumes(struct tls_ctx *first, struct tls_ctx *second, struct dial d, const char *again)
{
    struct link a, b;
    char none[8];
    bool resumed;

    dial(&a, first, d);
    assert_int_equal(shake(&a), 0);
    client_reads(&a, none, sizeof(none));
    assert_non_null(a.ticket);
    d.name = again;
    d.resume = a.ticket;
    dial(&b, second, d);
    assert_int_equal(shake(&b), 0);
    resumed = info_of(&b).resumed;
    assert_int_equal(SSL_session_reused(b.client), resumed);
    hang_up(&a);
    hang_up(&b);
    return resumed;
}
