/*
 * TLS for servers: see tls.h. First the contexts (certificates, names, settings), then the stream over one connection.
 *
 * A certificate is an SSL_CTX of its own, all with the same settings; every SSL begins with the first one and is moved to
 * the one its server name asks for. That happens in the ClientHello callback, not in the older server name callback: only
 * there is it early enough to bind the session to the name, so that a ticket got for one site cannot be resumed on
 * another (RFC 6066 section 3, RFC 8446 section 4.6.1).
 *
 * OpenSSL keeps a queue of errors per thread and SSL_get_error looks at it: it is emptied before each call on an SSL.
 */
#include "os/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

#define RECORD_MAX 16384 /* plaintext of one record, RFC 8446 section 5.1 */
#define NAME_MAX_LEN 255 /* a DNS name */
#define PEM_MAX (1 << 20)
#define SESSION_SECONDS 3600 /* how long a ticket can be resumed */

/* TLS 1.2: forward secrecy and AEAD only (RFC 9325 section 4.2). 1.3 has nothing else. */
static const char cipher_list[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char group_list[] = "X25519:P-256:P-384";
/* In our order of preference, each behind its length (RFC 7301). */
static const unsigned char alpn_list[] = "\x08http/1.1";

struct tls_ctx {
    _Atomic unsigned refs;
    SSL_CTX **certs; /* owned; the first is the default */
    size_t n;
    struct map names; /* "www.example.org", "*.example.org" in lower case → SSL_CTX, borrowed from certs */
    int64_t expires;
};

struct session {
    SSL *ssl;            /* owned */
    struct tls_ctx *ctx; /* one reference */
    int error;           /* what every later call returns: OpenSSL forbids using a failed SSL */
    size_t name_len;
    char name[NAME_MAX_LEN]; /* from SNI, lower case */
    char *
        kept; /* a record that OpenSSL has begun and could not finish: it must see the same bytes again; owned, NULL: none */
    size_t kept_n; /* bytes in it */
    size_t ahead;  /* bytes that have gone out before our caller offered them again: they are skipped */
};

void tls_random(unsigned char *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);

        must(got > 0 || errno == EINTR);
        if (got > 0) {
            out += got;
            n -= (size_t)got;
        }
    }
}

/* ---- names ---- */

/* RFC 9525 section 6.3: a wildcard stands for the whole first label. */
static SSL_CTX *find_cert(const struct tls_ctx *ctx, struct str name)
{
    char wild[NAME_MAX_LEN + 1];
    ptrdiff_t dot = str_find(name, '.');
    SSL_CTX *found = map_get(&ctx->names, name);
    struct str tail;

    if (found != NULL || dot < 0)
        return found != NULL ? found : ctx->certs[0];
    tail = str_cut(name, (size_t)dot, name.n);
    wild[0] = '*';
    memcpy(wild + 1, tail.p, tail.n);
    found = map_get(&ctx->names, str_make(wild, tail.n + 1));
    return found != NULL ? found : ctx->certs[0];
}

/* The first host_name of the extension: list length, type 0, length, name (RFC 6066 section 3). What is malformed counts
 * as no name here; OpenSSL's own parser refuses it a moment later. */
static struct str hello_name(SSL *ssl)
{
    const unsigned char *p;
    size_t n, len;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) != 1 || n < 5 ||
        p[2] != TLSEXT_NAMETYPE_host_name)
        return str_make(NULL, 0);
    len = (size_t)p[3] << 8 | p[4];
    if (len > n - 5 || len > NAME_MAX_LEN)
        return str_make(NULL, 0);
    return str_make((const char *)p + 5, len);
}

/* The session's context id is the name: OpenSSL resumes only where it is the same. */
static bool bind_session(SSL *ssl, struct str name)
{
    unsigned char id[SHA256_DIGEST_LENGTH];

    if (SHA256((const unsigned char *)name.p, name.n, id) == NULL)
        return false;
    return SSL_set_session_id_context(ssl, id, sizeof(id)) == 1;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    struct session *session = SSL_get_app_data(ssl);
    const struct tls_ctx *ctx = arg;
    struct str name = hello_name(ssl);
    SSL_CTX *cert;

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--; /* "example.org." is the same host */
    for (size_t i = 0; i < name.n; i++)
        session->name[i] = ascii_lower(name.p[i]);
    session->name_len = name.n;
    name = str_make(session->name, name.n);
    cert = find_cert(ctx, name);
    if ((cert != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, cert) == NULL) || !bind_session(ssl, name)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned in_len, void *arg)
{
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, alpn_list, sizeof(alpn_list) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 section 3.2: no_application_protocol */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- certificates ---- */

static int explain(const struct tls_pair *pair, const char *what, char error[TLS_ERROR_MAX])
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    snprintf(error, TLS_ERROR_MAX, STR_FMT ": %s%s%s%s", (int)(pair->label.n < 150 ? pair->label.n : 150),
             pair->label.p, what, reason != NULL ? " (" : "", reason != NULL ? reason : "", reason != NULL ? ")" : "");
    ERR_clear_error();
    return -EINVAL;
}

/* Instead of OpenSSL's default, which asks on the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* Read-only over the caller's bytes: no copy of a key is left behind. */
static BIO *pem_bio(struct str pem)
{
    return pem.n > 0 && pem.n <= PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

/* Leaf first, then the chain; all NULL when the PEM is no such thing. Each owned by the caller. */
static X509 *read_chain(struct str pem, STACK_OF(X509) * *chain)
{
    BIO *bio = pem_bio(pem);
    X509 *leaf = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL) : NULL;
    X509 *next;

    *chain = sk_X509_new_null();
    while (leaf != NULL && (next = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL)
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
    BIO *bio = pem_bio(pem);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* The first certificate that has a name keeps it. */
static void add_names(struct tls_ctx *ctx, X509 *leaf, SSL_CTX *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char lower[NAME_MAX_LEN];
        int n;

        if (name->type != GEN_DNS)
            continue;
        n = ASN1_STRING_length(name->d.dNSName);
        if (n <= 0 || n > NAME_MAX_LEN)
            continue;
        for (int j = 0; j < n; j++)
            lower[j] = ascii_lower((char)ASN1_STRING_get0_data(name->d.dNSName)[j]);
        if (map_get(&ctx->names, str_make(lower, (size_t)n)) == NULL)
            map_put(&ctx->names, str_make(lower, (size_t)n), cert);
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

static void note_expiry(struct tls_ctx *ctx, const X509 *leaf)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm) == 1 && timegm(&tm) < ctx->expires)
        ctx->expires = timegm(&tm);
}

static int add_pair(struct tls_ctx *ctx, SSL_CTX *cert, const struct tls_pair *pair, char error[TLS_ERROR_MAX])
{
    STACK_OF(X509) *chain = NULL;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    int r = -EINVAL;

    ERR_clear_error();
    leaf = read_chain(pair->cert_pem, &chain);
    if (leaf == NULL) {
        r = explain(pair, "cannot read the certificate as PEM", error);
        goto out;
    }
    key = read_key(pair->key_pem);
    if (key == NULL) {
        r = explain(pair, "cannot read its private key as PEM without a password", error);
        goto out;
    }
    if (X509_check_private_key(leaf, key) != 1) {
        r = explain(pair, "the private key does not belong to the certificate", error);
        goto out;
    }
    if (SSL_CTX_use_cert_and_key(cert, leaf, key, chain, 1) != 1) {
        r = explain(pair, "OpenSSL refuses the certificate", error);
        goto out;
    }
    add_names(ctx, leaf, cert);
    note_expiry(ctx, leaf);
    r = 0;
out:
    X509_free(leaf);
    EVP_PKEY_free(key);
    sk_X509_pop_free(chain, X509_free);
    return r;
}

/* ---- contexts ---- */

static bool configure(SSL_CTX *cert, struct tls_ctx *ctx, const unsigned char *ticket_key)
{
    unsigned char key[TLS_TICKET_KEY_LEN];
    bool ok;

    memcpy(key, ticket_key, sizeof(key)); /* OpenSSL's call takes a pointer to non-const */
    ok = SSL_CTX_set_min_proto_version(cert, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(cert, cipher_list) == 1 &&
         SSL_CTX_set1_groups_list(cert, group_list) == 1 && SSL_CTX_set_tlsext_ticket_keys(cert, key, sizeof(key)) == 1;
    mem_wipe(key, sizeof(key));
    SSL_CTX_set_options(cert, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                  SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(cert, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(cert, SSL_SESS_CACHE_OFF); /* tickets need none */
    SSL_CTX_set_timeout(cert, SESSION_SECONDS);
    SSL_CTX_set_read_ahead(cert, 1); /* a record's header and body in one read(2) */
    SSL_CTX_set_alpn_select_cb(cert, on_alpn, NULL);
    SSL_CTX_set_client_hello_cb(cert, on_client_hello, ctx);
    return ok;
}

int tls_ctx_new(const struct tls_pair *pairs, size_t n, const unsigned char ticket_key[TLS_TICKET_KEY_LEN],
                struct tls_ctx **out, char error[TLS_ERROR_MAX])
{
    struct tls_ctx *ctx;
    int r = 0;

    must(n > 0);
    error[0] = '\0';
    ctx = mem_zalloc(sizeof(*ctx));
    ctx->certs = mem_calloc(n, sizeof(SSL_CTX *));
    ctx->expires = INT64_MAX;
    atomic_init(&ctx->refs, 1);
    map_init(&ctx->names);
    while (r == 0 && ctx->n < n) {
        SSL_CTX *cert = SSL_CTX_new(TLS_server_method());

        must(cert != NULL);
        ctx->certs[ctx->n] = cert;
        r = configure(cert, ctx, ticket_key) ? 0 : explain(&pairs[ctx->n], "OpenSSL refuses our settings", error);
        if (r == 0)
            r = add_pair(ctx, cert, &pairs[ctx->n], error);
        ctx->n++;
    }
    if (r < 0) {
        tls_ctx_unref(ctx);
        return r;
    }
    *out = ctx;
    return 0;
}

struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx)
{
    atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void tls_ctx_unref(struct tls_ctx *ctx)
{
    if (ctx == NULL || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < ctx->n; i++)
        SSL_CTX_free(ctx->certs[i]);
    mem_free(ctx->certs);
    map_fini(&ctx->names);
    mem_free(ctx);
}

int64_t tls_ctx_expires(const struct tls_ctx *ctx)
{
    return ctx->expires;
}

/* ---- the stream ---- */

static struct session *session_of(const struct stream *s)
{
    return s->impl;
}

static void prepare(void)
{
    ERR_clear_error();
    errno = 0;
}

static int fail(struct session *session, int error)
{
    ERR_clear_error();
    session->error = error;
    return error;
}

/* What a call on the SSL that returned r <= 0 means to our caller; 0: the peer's close_notify. */
static int outcome(struct session *session, int r)
{
    int saved = errno;

    switch (SSL_get_error(session->ssl, r)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return fail(session, saved != 0 ? -saved : -ECONNRESET);
    default:
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return fail(session, -ECONNRESET); /* FIN without close_notify */
        return fail(session, -EPROTO);
    }
}

static int tls_handshake(struct stream *s)
{
    struct session *session = session_of(s);
    int r;

    if (session->error != 0)
        return session->error;
    prepare();
    r = SSL_do_handshake(session->ssl);
    if (r == 1)
        return 0;
    r = outcome(session, r);
    return r != 0 ? r : fail(session, -ECONNRESET);
}

static ssize_t tls_read(struct stream *s, void *p, size_t n)
{
    struct session *session = session_of(s);
    size_t got = 0;
    int r;

    if (session->error != 0)
        return session->error;
    prepare();
    r = SSL_read_ex(session->ssl, p, n, &got);
    return r == 1 ? (ssize_t)got : outcome(session, r);
}

static int write_once(struct session *session, const void *p, size_t n, size_t *sent)
{
    int r;

    prepare();
    *sent = 0;
    r = SSL_write_ex(session->ssl, p, n, sent);
    if (r == 1)
        return 0;
    r = outcome(session, r);
    return r != 0 ? r : fail(session, -EPIPE);
}

/* OpenSSL wants a retry to begin with the same bytes and to be no shorter, while our caller may come back with the rest of the stream in other pieces (a file
 * instead of memory, a head alone). So the record is kept, and what it held is skipped when it is offered again. */
static int keep(struct session *session, const void *p, size_t n)
{
    session->kept = mem_try_alloc(n);
    if (session->kept == NULL)
        return fail(session, -ENOMEM);
    memcpy(session->kept, p, n);
    session->kept_n = n;
    return -EAGAIN;
}

/* 0 once the kept record is out. */
static int write_kept(struct session *session)
{
    size_t sent;
    int r = write_once(session, session->kept, session->kept_n, &sent);

    if (r != 0)
        return r;
    session->ahead = sent;
    mem_free(session->kept);
    session->kept = NULL;
    return 0;
}

/* At most one record. */
static ssize_t write_record(struct session *session, const void *p, size_t n)
{
    size_t sent;
    int r;

    if (session->error != 0)
        return session->error;
    if (session->kept != NULL) {
        r = write_kept(session);
        if (r != 0)
            return r;
    }
    if (session->ahead > 0) {
        sent = n < session->ahead ? n : session->ahead;
        session->ahead -= sent;
        return (ssize_t)sent;
    }
    r = write_once(session, p, n, &sent);
    if (r == -EAGAIN)
        r = keep(session, p, n);
    return r != 0 ? r : (ssize_t)sent;
}

/*
 * The record that begins `skip` bytes into the iovecs: where it lies when one of them fills it, else copied together, as a
 * record of its own for a short head or chunk size costs more than the copy.
 */
static struct str gather(const struct iovec *iov, int n, size_t skip, char record[RECORD_MAX])
{
    size_t filled = 0;

    for (int i = 0; i < n && filled < RECORD_MAX; i++) {
        size_t take = iov[i].iov_len;
        const char *from = iov[i].iov_base;

        if (skip >= take) {
            skip -= take;
            continue;
        }
        from += skip;
        take -= skip;
        skip = 0;
        if (filled == 0 && (take >= RECORD_MAX || i == n - 1))
            return str_make(from, take < RECORD_MAX ? take : RECORD_MAX);
        if (take > RECORD_MAX - filled)
            take = RECORD_MAX - filled;
        memcpy(record + filled, from, take);
        filled += take;
    }
    return str_make(record, filled);
}

static ssize_t tls_writev(struct stream *s, const struct iovec *iov, int n)
{
    char record[RECORD_MAX];
    size_t done = 0;

    for (;;) {
        struct str piece = gather(iov, n, done, record);
        ssize_t r;

        if (piece.n == 0)
            return (ssize_t)done;
        r = write_record(session_of(s), piece.p, piece.n);
        if (r < 0)
            return done > 0 ? (ssize_t)done : r;
        done += (size_t)r;
    }
}

static ssize_t tls_sendfile(struct stream *s, int fd, off_t offset, size_t n)
{
    char record[RECORD_MAX];
    size_t done = 0;

    while (done < n) {
        size_t want = n - done < RECORD_MAX ? n - done : RECORD_MAX;
        ssize_t r = pread(fd, record, want, offset + (off_t)done);

        if (r < 0)
            r = -errno;
        else if (r == 0)
            break;
        else
            r = write_record(session_of(s), record, (size_t)r);
        if (r < 0)
            return done > 0 ? (ssize_t)done : r;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

/* close_notify only where the peer can make something of it. */
static int tls_shutdown(struct stream *s)
{
    struct session *session = session_of(s);
    int r;

    if (session->error == 0 && SSL_is_init_finished(session->ssl)) {
        prepare();
        r = SSL_shutdown(session->ssl); /* 0: sent; 1: sent, and theirs has come too */
        if (r < 0 && outcome(session, r) == -EAGAIN)
            return -EAGAIN;
    }
    return shutdown(s->fd, SHUT_WR) == 0 ? 0 : -errno;
}

static void tls_close(struct stream *s)
{
    struct session *session = session_of(s);

    ERR_clear_error();
    SSL_free(session->ssl);
    tls_ctx_unref(session->ctx);
    mem_free(session->kept);
    mem_free(session);
    s->impl = NULL;
    close(s->fd);
}

static bool tls_info(const struct stream *s, struct stream_tls_info *out)
{
    const struct session *session = session_of(s);
    const unsigned char *alpn;
    unsigned alpn_len;

    if (!SSL_is_init_finished(session->ssl))
        return false;
    SSL_get0_alpn_selected(session->ssl, &alpn, &alpn_len);
    *out = (struct stream_tls_info){
        .protocol = str_of(SSL_get_version(session->ssl)),
        .cipher = str_of(SSL_CIPHER_get_name(SSL_get_current_cipher(session->ssl))),
        .server_name = str_make(session->name, session->name_len),
        .alpn = str_make((const char *)alpn, alpn_len),
        .resumed = SSL_session_reused(session->ssl) == 1,
    };
    return true;
}

static bool tls_pending(const struct stream *s)
{
    return SSL_has_pending(session_of(s)->ssl) == 1;
}

static const struct stream_ops tls_ops = {
    .handshake = tls_handshake,
    .read = tls_read,
    .writev = tls_writev,
    .sendfile = tls_sendfile,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .tls_info = tls_info,
    .pending = tls_pending,
};

int tls_stream_init(struct stream *s, int fd, struct tls_ctx *ctx)
{
    struct session *session = mem_try_zalloc(sizeof(*session));

    if (session == NULL)
        return -ENOMEM;
    ERR_clear_error();
    session->ssl = SSL_new(ctx->certs[0]);
    if (session->ssl == NULL || SSL_set_fd(session->ssl, fd) != 1) {
        SSL_free(session->ssl);
        mem_free(session);
        ERR_clear_error();
        return -ENOMEM;
    }
    SSL_set_app_data(session->ssl, session);
    SSL_set_accept_state(session->ssl);
    session->ctx = tls_ctx_ref(ctx);
    *s = (struct stream){ .ops = &tls_ops, .fd = fd, .impl = session };
    return 0;
}
