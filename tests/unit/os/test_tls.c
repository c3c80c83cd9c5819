/*
 * The TLS server against OpenSSL's own client, over a socketpair in one thread: names, resumption, records, ends, and a
 * client that is none. Certificates are made at the start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/tls.h"

/* ---- certificates ---- */

struct made {
    char cert[8192], key[4096];
};

static struct made site, wild, other, expired;
static unsigned char ticket_key[TLS_TICKET_KEY_LEN];

static void take(BIO *bio, char *out, size_t size)
{
    int n = BIO_read(bio, out, (int)size - 1);

    assert_true(n > 0 && n < (int)size - 1);
    out[n] = '\0';
    BIO_free(bio);
}

static void make(struct made *m, const char *names, long days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

    assert_non_null(key);
    assert_non_null(ext);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -100 * 86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), days * 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)names, -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_add_ext(cert, ext, -1));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_true(PEM_write_bio_X509(bio, cert));
    take(bio, m->cert, sizeof(m->cert));
    bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    take(bio, m->key, sizeof(m->key));
    X509_EXTENSION_free(ext);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Another certificate behind the first. */
static void append(struct made *m, const char *pem)
{
    size_t n = strlen(m->cert);

    assert_true(strlen(pem) < sizeof(m->cert) - n);
    memcpy(m->cert + n, pem, strlen(pem) + 1);
}

static struct tls_pair pair_of(const struct made *m)
{
    return (struct tls_pair){ str_of(m->cert), str_of(m->key), STR("/etc/tls/site.pem") };
}

static int make_all(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as stream.h asks */
    make(&site, "DNS:example.org,DNS:WWW.example.org", 30);
    make(&wild, "DNS:*.example.org", 20);
    make(&other, "DNS:other.test", 10);
    make(&expired, "DNS:expired.test", -1);
    tls_random(ticket_key, sizeof(ticket_key));
    return 0;
}

/* As tls_ctx_new, with one ticket key. */
static int build(const struct tls_pair *pairs, size_t n, const unsigned char *key, struct tls_ctx **ctx, char *error)
{
    struct tls_settings settings = { .pairs = pairs, .n = n, .tickets = tls_tickets_new() };
    int r;

    tls_tickets_set(settings.tickets, (const unsigned char(*)[TLS_TICKET_KEY_LEN])(const void *)key, 1);
    r = tls_ctx_new(&settings, ctx, error);
    tls_tickets_unref(settings.tickets);
    return r;
}

/* The three live ones, the first the default. */
static struct tls_ctx *three(const unsigned char *key)
{
    struct tls_pair pairs[] = { pair_of(&site), pair_of(&wild), pair_of(&other) };
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    assert_int_equal(build(pairs, 3, key, &ctx, error), 0);
    return ctx;
}

/* ---- a client ---- */

struct link {
    struct stream s;
    SSL *client;
    SSL_CTX *client_ctx;
    SSL_SESSION *ticket; /* the last one that came */
    int client_fd;
};

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct link *l = SSL_get_app_data(ssl);

    SSL_SESSION_free(l->ticket);
    l->ticket = session;
    return 1;
}

struct dial {
    const char *name; /* SNI; NULL: none */
    int version;      /* 0: what comes */
    SSL_SESSION *resume;
    const char *alpn; /* wire format */
    const char *ciphers;
};

static void dial(struct link *l, struct tls_ctx *ctx, struct dial d)
{
    int fds[2];

    memset(l, 0, sizeof(*l));
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

static void hang_up(struct link *l)
{
    if (l->s.fd >= 0)
        stream_close(&l->s);
    SSL_free(l->client);
    SSL_CTX_free(l->client_ctx);
    SSL_SESSION_free(l->ticket);
    if (l->client_fd >= 0)
        close(l->client_fd);
    ERR_clear_error();
}

/* Both sides in turn until the server's handshake has ended; its result. */
static int shake(struct link *l)
{
    int r = -EAGAIN, done = 0;

    for (int i = 0; i < 20 && (r == -EAGAIN || done != 1); i++) {
        done = SSL_do_handshake(l->client);
        ERR_clear_error();
        if (r == -EAGAIN)
            r = stream_handshake(&l->s);
        if (r < 0 && r != -EAGAIN)
            break;
    }
    return r;
}

/* Reads on the client until it would wait, which also takes the tickets in. */
static size_t client_reads(struct link *l, char *out, size_t size)
{
    size_t n = 0, got;

    while (n < size && SSL_read_ex(l->client, out + n, size - n, &got) == 1)
        n += got;
    ERR_clear_error();
    return n;
}

static struct stream_tls_info info_of(struct link *l)
{
    struct stream_tls_info info;

    assert_true(stream_tls_info(&l->s, &info));
    return info;
}

static void assert_cert(struct link *l, const struct made *m)
{
    X509 *got = SSL_get1_peer_certificate(l->client);
    BIO *bio = BIO_new_mem_buf(m->cert, -1);
    X509 *want = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    assert_int_equal(X509_cmp(got, want), 0);
    X509_free(got);
    X509_free(want);
    BIO_free(bio);
}

static void assert_str(struct str s, const char *want)
{
    assert_true(str_eq(s, str_of(want)));
}

static void assert_failure(struct link *l, enum tls_failure want, const char *text)
{
    const char *why;

    assert_int_equal(tls_stream_failure(&l->s, &why), want);
    assert_non_null(strstr(why, text));
}

/* ---- names, versions, protocols ---- */

static void the_name_chooses_the_certificate(void **state)
{
    static const struct {
        const char *name;
        const struct made *want;
    } cases[] = {
        { NULL, &site },
        { "example.org", &site },
        { "www.example.org", &site },
        { "wWw.Example.ORG", &site },
        { "api.example.org", &wild },
        { "a.b.example.org", NULL },
        { "other.test", &other },
        { "unknown.test", NULL },
        { "org", NULL },
        { "localhost", NULL },
    };
    struct tls_ctx *ctx = three(ticket_key);

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct link l;

            dial(&l, ctx, (struct dial){ .name = cases[i].name, .version = version });
            assert_int_equal(shake(&l), cases[i].want != NULL ? 0 : -EPROTO);
            if (cases[i].want != NULL)
                assert_cert(&l, cases[i].want);
            else
                assert_failure(&l, TLS_NAME, "no certificate for the name asked for");
            hang_up(&l);
        }
    }
    tls_ctx_unref(ctx);
}

static void facts_about_a_handshake(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct stream_tls_info info;
    struct link l;

    (void)state;
    dial(&l, ctx, (struct dial){ .name = "WWW.example.org", .alpn = "\x02h2\x08http/1.1" });
    assert_false(stream_tls_info(&l.s, &info));
    assert_int_equal(shake(&l), 0);
    info = info_of(&l);
    assert_str(info.protocol, "TLSv1.3");
    assert_str(info.server_name, "www.example.org");
    assert_str(info.alpn, "h2");
    assert_false(info.resumed);
    assert_true(str_starts(info.cipher, STR("TLS_")));
    hang_up(&l);
    dial(&l, ctx, (struct dial){ .version = TLS1_2_VERSION });
    assert_int_equal(shake(&l), 0);
    info = info_of(&l);
    assert_str(info.protocol, "TLSv1.2");
    assert_str(info.server_name, "");
    assert_str(info.alpn, "");
    assert_true(str_starts(info.cipher, STR("ECDHE-")));
    hang_up(&l);
    tls_ctx_unref(ctx);
}

static void what_is_refused(void **state)
{
    static const struct dial cases[] = {
        { .version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0" },
        { .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA256" }, /* CBC */
        { .alpn = "\x02h3" },
    };
    struct tls_ctx *ctx = three(ticket_key);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct link l;
        char c;

        dial(&l, ctx, cases[i]);
        assert_int_equal(shake(&l), -EPROTO);
        assert_int_equal(stream_read(&l.s, &c, 1), -EPROTO); /* dead for good */
        assert_int_equal(stream_shutdown(&l.s), 0);
        hang_up(&l);
    }
    tls_ctx_unref(ctx);
}

static void plain_http_is_refused(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    struct tls_ctx *ctx = three(ticket_key);
    struct link l;
    char c;

    (void)state;
    dial(&l, ctx, (struct dial){ 0 });
    assert_int_equal(write(l.client_fd, request, sizeof(request) - 1), (ssize_t)sizeof(request) - 1);
    assert_int_equal(stream_read(&l.s, &c, 1), -EPROTO);
    hang_up(&l);
    dial(&l, ctx, (struct dial){ 0 });
    close(l.client_fd);
    l.client_fd = -1;
    assert_int_equal(stream_handshake(&l.s), -ECONNRESET);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

/* ---- resumption ---- */

/* A first connection for a ticket under `name`; then another with it under `again`; whether it was resumed. */
static bool resumes(struct tls_ctx *first, struct tls_ctx *second, int version, const char *name, const char *again)
{
    struct link a, b;
    char none[8];
    bool resumed;

    dial(&a, first, (struct dial){ .name = name, .version = version });
    assert_int_equal(shake(&a), 0);
    client_reads(&a, none, sizeof(none));
    assert_non_null(a.ticket);
    dial(&b, second, (struct dial){ .name = again, .version = version, .resume = a.ticket });
    assert_int_equal(shake(&b), 0);
    resumed = info_of(&b).resumed;
    assert_int_equal(SSL_session_reused(b.client), resumed);
    hang_up(&a);
    hang_up(&b);
    return resumed;
}

static void tickets_work_between_processes_and_for_one_name(void **state)
{
    unsigned char other_key[TLS_TICKET_KEY_LEN];
    struct tls_ctx *a = three(ticket_key), *b = three(ticket_key), *c;

    (void)state;
    tls_random(other_key, sizeof(other_key));
    c = three(other_key);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        assert_true(resumes(a, a, version, "www.example.org", "www.example.org"));
        assert_true(
            resumes(a, b, version, "www.example.org", "www.example.org")); /* as another process would have it */
        assert_true(resumes(a, b, version, "other.test", "OTHER.test"));
        assert_true(resumes(a, b, version, NULL, NULL));
        assert_false(resumes(a, c, version, "www.example.org", "www.example.org"));
        assert_false(resumes(a, b, version, "www.example.org", "other.test"));
        assert_false(resumes(a, b, version, "www.example.org", "example.org")); /* the same certificate, even */
        assert_false(resumes(a, b, version, "www.example.org", NULL));
    }
    tls_ctx_unref(a);
    tls_ctx_unref(b);
    tls_ctx_unref(c);
}

/* ---- bytes ---- */

static void bytes_pass_both_ways(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct iovec iov[4] = { { "HTTP/1.1 ", 9 }, { NULL, 0 }, { "200 OK", 6 }, { "\r\n", 2 } };
    struct link l;
    char got[64];
    size_t n;

    (void)state;
    dial(&l, ctx, (struct dial){ 0 });
    tls_ctx_unref(ctx); /* the connection holds its own reference */
    assert_int_equal(shake(&l), 0);
    client_reads(&l, got, sizeof(got));
    assert_int_equal(stream_writev(&l.s, iov, 4), 17);
    assert_int_equal(SSL_read_ex(l.client, got, sizeof(got), &n), 1);
    assert_int_equal(n, 17); /* one record */
    assert_memory_equal(got, "HTTP/1.1 200 OK\r\n", 17);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), -EAGAIN);
    assert_int_equal(SSL_write(l.client, "hello", 5), 5);
    assert_int_equal(SSL_write(l.client, "world", 5), 5);
    assert_int_equal(stream_read(&l.s, got, 2), 2);
    assert_true(stream_pending(&l.s));
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 3);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 5);
    assert_memory_equal(got, "world", 5);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), -EAGAIN);
    assert_false(stream_pending(&l.s));
    hang_up(&l);
}

/* Byte i of what is sent. */
static char pattern(size_t i)
{
    return (char)(i * 31 + i / 997);
}

/* Sends `total` bytes with `send` against a client that reads now and then; they must arrive whole. */
static void check_transfer(struct link *l, ssize_t (*send)(struct link *, size_t done, size_t total), size_t total)
{
    static char got[1 << 16];
    size_t sent = 0, received = 0, stalls = 0;

    while (received < total) {
        ssize_t r = sent < total ? send(l, sent, total) : -EAGAIN;

        if (r == -EAGAIN) {
            size_t n = client_reads(l, got, sizeof(got));

            stalls++;
            for (size_t i = 0; i < n; i++)
                assert_int_equal(got[i], pattern(received + i));
            received += n;
            assert_true(n > 0 || sent < total);
        } else {
            assert_true(r > 0);
            sent += (size_t)r;
        }
    }
    assert_int_equal(sent, total);
    assert_true(stalls > 2); /* else the test was too short to block */
}

static char *body;

/* In iovecs of many sizes, empty ones included, from `done` on. */
static ssize_t send_iovecs(struct link *l, size_t done, size_t total)
{
    static const size_t sizes[] = { 1, 0, 100, 16383, 16384, 16385, 7, 40000, 5000 };
    struct iovec iov[ARRAY_LEN(sizes)];
    int n = 0;

    for (size_t i = 0; i < ARRAY_LEN(sizes) && done < total; i++, n++) {
        size_t take = sizes[i] < total - done ? sizes[i] : total - done;

        iov[n] = (struct iovec){ body + done, take };
        done += take;
    }
    return stream_writev(&l->s, iov, n);
}

static int body_fd;

static ssize_t send_file(struct link *l, size_t done, size_t total)
{
    return stream_sendfile(&l->s, body_fd, (off_t)done, total - done);
}

/* The same stream in other pieces at each call, also after one that could not be finished: a byte, a file, many iovecs. */
static ssize_t send_in_changing_pieces(struct link *l, size_t done, size_t total)
{
    static unsigned turn;
    struct iovec byte = { body + done, 1 };

    switch (turn++ % 3) {
    case 0:
        return send_iovecs(l, done, total);
    case 1:
        return stream_writev(&l->s, &byte, 1);
    default:
        return send_file(l, done, total);
    }
}

static void large_bodies_arrive_whole(void **state)
{
    size_t total = 3000017;
    struct tls_ctx *ctx = three(ticket_key);

    (void)state;
    body = mem_alloc(total);
    for (size_t i = 0; i < total; i++)
        body[i] = pattern(i);
    body_fd = memfd_create("body", MFD_CLOEXEC);
    assert_int_equal(write(body_fd, body, total), (ssize_t)total);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct link l;

        dial(&l, ctx, (struct dial){ .version = version });
        assert_int_equal(shake(&l), 0);
        check_transfer(&l, send_iovecs, total);
        check_transfer(&l, send_file, total);
        check_transfer(&l, send_in_changing_pieces, total);
        assert_int_equal(stream_sendfile(&l.s, body_fd, (off_t)total, 10), 0);
        hang_up(&l);
    }
    close(body_fd);
    mem_free(body);
    tls_ctx_unref(ctx);
}

/* ---- ends ---- */

static void orderly_ends(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct link l;
    char c;

    (void)state;
    dial(&l, ctx, (struct dial){ 0 });
    assert_int_equal(shake(&l), 0);
    assert_int_equal(stream_shutdown(&l.s), 0);
    client_reads(&l, &c, 1);
    assert_int_equal(SSL_get_shutdown(l.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    assert_int_equal(SSL_write(l.client, "x", 1), 1); /* half closed: they may still speak */
    assert_int_equal(stream_read(&l.s, &c, 1), 1);
    SSL_shutdown(l.client);
    assert_int_equal(stream_read(&l.s, &c, 1), 0);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

static void a_cut_connection_is_not_an_end(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct iovec iov = { "x", 1 };
    struct link l;
    char c;

    (void)state;
    dial(&l, ctx, (struct dial){ 0 });
    assert_int_equal(shake(&l), 0);
    close(l.client_fd);
    l.client_fd = -1;
    assert_int_equal(stream_read(&l.s, &c, 1), -ECONNRESET);
    assert_int_equal(stream_writev(&l.s, &iov, 1), -ECONNRESET);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

/* ---- contexts ---- */

static void broken_pairs_are_named(void **state)
{
    struct made broken = site;
    struct tls_pair pairs[2] = { pair_of(&site), pair_of(&wild) };
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx = NULL;

    (void)state;
    pairs[1].label = STR("/etc/tls/second.pem");
    pairs[1].key_pem = str_of(site.key);
    assert_int_equal(build(pairs, 2, ticket_key, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "/etc/tls/second.pem: the private key does not belong to the certificate"));
    pairs[1].key_pem = STR("nonsense");
    assert_int_equal(build(pairs, 2, ticket_key, &ctx, error), -EINVAL);
    assert_string_equal(error, "/etc/tls/second.pem: its keyfile holds no private key");
    pairs[1].key_pem = STR("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    assert_int_equal(build(pairs, 2, ticket_key, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "/etc/tls/second.pem: cannot read its private key"));
    pairs[1].cert_pem = STR("");
    assert_int_equal(build(pairs, 2, ticket_key, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "/etc/tls/second.pem: cannot read the certificate"));
    append(&broken, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"); /* in the chain */
    pairs[1] = pair_of(&broken);
    assert_int_equal(build(pairs, 2, ticket_key, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "cannot read the certificate"));
    assert_null(ctx);
    assert_int_equal(ERR_peek_error(), 0);
}

/* A key with a password must fail, not ask on the terminal. */
static void encrypted_keys_are_refused(void **state)
{
    BIO *in = BIO_new_mem_buf(site.key, -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    struct made locked = site;
    struct tls_pair pair = pair_of(&locked);
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    (void)state;
    assert_true(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
    take(out, locked.key, sizeof(locked.key));
    pair.key_pem = str_of(locked.key);
    assert_int_equal(build(&pair, 1, ticket_key, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "password"));
    EVP_PKEY_free(key);
    BIO_free(in);
}

static void the_chain_is_sent(void **state)
{
    struct made chained = site;
    struct tls_pair pair = pair_of(&chained);
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;
    struct link l;

    (void)state;
    append(&chained, other.cert);
    pair.cert_pem = str_of(chained.cert);
    assert_int_equal(build(&pair, 1, ticket_key, &ctx, error), 0);
    dial(&l, ctx, (struct dial){ 0 });
    assert_int_equal(shake(&l), 0);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(l.client)), 2);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

static void the_first_expiry_counts_and_expired_is_no_error(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct tls_pair pair = pair_of(&expired);
    char error[TLS_ERROR_MAX];
    int64_t left = tls_ctx_expires(ctx) - time(NULL);

    (void)state;
    assert_true(left > 9 * 86400 && left <= 10 * 86400);
    tls_ctx_unref(ctx);
    assert_int_equal(build(&pair, 1, ticket_key, &ctx, error), 0);
    assert_true(tls_ctx_expires(ctx) < time(NULL));
    assert_ptr_equal(tls_ctx_ref(ctx), ctx);
    tls_ctx_unref(ctx);
    tls_ctx_unref(ctx);
    tls_ctx_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_chooses_the_certificate),
        cmocka_unit_test(facts_about_a_handshake),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(plain_http_is_refused),
        cmocka_unit_test(tickets_work_between_processes_and_for_one_name),
        cmocka_unit_test(bytes_pass_both_ways),
        cmocka_unit_test(large_bodies_arrive_whole),
        cmocka_unit_test(orderly_ends),
        cmocka_unit_test(a_cut_connection_is_not_an_end),
        cmocka_unit_test(broken_pairs_are_named),
        cmocka_unit_test(encrypted_keys_are_refused),
        cmocka_unit_test(the_chain_is_sent),
        cmocka_unit_test(the_first_expiry_counts_and_expired_is_no_error),
    };

    return cmocka_run_group_tests(tests, make_all, NULL);
}
