/*
 * The stream over one TLS connection.
 *
 * OpenSSL keeps a queue of errors per thread and SSL_get_error looks at it: it is emptied before each call on an SSL. Where the kernel does the
 * encryption (kTLS), OpenSSL hands records to it by itself; a file then goes out by sendfile(2) without passing through us.
 */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/tls_impl.h"

#define RECORD_MAX 16384 /* plaintext of one record, RFC 8446 section 5.1 */

/* Of the handshake protocol, in a connection's life: a handshake has six at most, and keys are renewed once in many gigabytes (RFC 8446 5.5). */
#define MESSAGES_MAX 1000

static struct tls_session *session_of(const struct stream *s)
{
    return s->impl;
}

static void prepare(void)
{
    ERR_clear_error();
    errno = 0;
}

/* The first of OpenSSL's errors says what happened; a number past its alerts' offset is an alert of the client's. */
static void note_failure(struct tls_session *session, int error)
{
    static const struct {
        int reason;
        enum tls_failure failure;
    } known[] = {
        { SSL_R_HTTP_REQUEST, TLS_NOT_TLS },
        { SSL_R_HTTPS_PROXY_REQUEST, TLS_NOT_TLS },
        { SSL_R_WRONG_VERSION_NUMBER, TLS_NOT_TLS },
        { SSL_R_UNSUPPORTED_PROTOCOL, TLS_VERSION },
        { SSL_R_VERSION_TOO_LOW, TLS_VERSION },
        { SSL_R_INAPPROPRIATE_FALLBACK, TLS_VERSION },
        { SSL_R_NO_SHARED_CIPHER, TLS_CIPHER },
        { SSL_R_NO_SHARED_GROUPS, TLS_CIPHER },
        { SSL_R_NO_SUITABLE_KEY_SHARE, TLS_CIPHER },
        { SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_CIPHER },
        { SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_CIPHER },
        { SSL_R_NO_APPLICATION_PROTOCOL, TLS_ALPN },
        { SSL_R_CERTIFICATE_VERIFY_FAILED, TLS_CLIENT_CERT },
        { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLS_CLIENT_CERT },
        { SSL_R_UNEXPECTED_EOF_WHILE_READING, TLS_GONE },
    };
    unsigned long code = ERR_peek_error();
    const char *text = ERR_reason_error_string(code);
    int reason = ERR_GET_REASON(code);

    if (session->failure != TLS_OK)
        return;
    session->failure = error == -ECONNRESET || error == -EPIPE ? TLS_GONE : TLS_OTHER;
    if (reason > SSL_AD_REASON_OFFSET)
        session->failure = TLS_ALERT;
    for (size_t i = 0; i < ARRAY_LEN(known) && ERR_GET_LIB(code) == ERR_LIB_SSL; i++)
        if (known[i].reason == reason)
            session->failure = known[i].failure;
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        text = X509_verify_cert_error_string(SSL_get_verify_result(session->ssl));
    session->why = text != NULL ? text : "the connection broke";
}

static int fail(struct tls_session *session, int error)
{
    note_failure(session, error);
    ERR_clear_error();
    session->error = error;
    return error;
}

/* At the end of an entry into OpenSSL that came to r: what it has written goes out, alerts of a failure too. */
static int flushed(struct tls_session *session, int r)
{
    int error = tls_wire_flush(&session->wire);

    if (error == 0 || error == -EAGAIN || session->error != 0)
        return r;
    return fail(session, error);
}

/* Or, when more will be written or there is nothing to read before anybody waits: tickets go out with the first answer. */
static void held(struct tls_session *session)
{
    if (tls_wire_hold(&session->wire) != 0)
        (void)fail(session, -ENOMEM);
}

/* What a call on the SSL that returned r <= 0 means to our caller; 0: the peer's close_notify. */
static int outcome(struct tls_session *session, int r)
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
    struct tls_session *session = session_of(s);
    int r;

    if (session->error != 0)
        return session->error;
    prepare();
    r = SSL_do_handshake(session->ssl);
    if (r == 1 && SSL_version(session->ssl) >= TLS1_3_VERSION) {
        held(session); /* tickets */
        return session->error;
    }
    if (r == 1)
        return flushed(session, 0);
    r = outcome(session, r);
    return flushed(session, r != 0 ? r : fail(session, -ECONNRESET));
}

/* As long as such messages come OpenSSL does not return, and one client would have the whole thread to itself. */
static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
    struct tls_session *session = arg;

    (void)version;
    (void)p;
    (void)n;
    if (!sent && type == SSL3_RT_HANDSHAKE && ++session->n_messages > MESSAGES_MAX)
        (void)SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
}

static ssize_t tls_read(struct stream *s, void *p, size_t n)
{
    struct tls_session *session = session_of(s);
    size_t got = 0;
    int r;

    if (session->error != 0)
        return session->error;
    prepare();
    session->wire.drained = false; /* a record that lies ready is read without the socket: more may have come */
    r = SSL_read_ex(session->ssl, p, n, &got);
    if (session->n_messages > MESSAGES_MAX)
        return flushed(session, fail(session, -EPROTO));
    if (r != 1)
        return flushed(session, outcome(session, r));
    held(session);
    return (ssize_t)got;
}

/* Bytes that lie decrypted or half a record ask for another read. */
static bool tls_emptied(const struct stream *s)
{
    const struct tls_session *session = session_of(s);

    return session->wire.drained && SSL_has_pending(session->ssl) == 0;
}

static int write_once(struct tls_session *session, const void *p, size_t n, size_t *sent)
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

/* With the socket itself OpenSSL wants a retry to begin with the same bytes and to be no shorter, while our caller may come back with the rest of the stream in other pieces (a file
 * instead of memory, a head alone). So the record is kept, and what it held is skipped when it is offered again. */
static int keep(struct tls_session *session, const void *p, size_t n)
{
    session->kept = mem_try_alloc(n);
    if (session->kept == NULL)
        return fail(session, -ENOMEM);
    memcpy(session->kept, p, n);
    session->kept_n = n;
    return -EAGAIN;
}

/* 0 once the kept record is out. */
static int write_kept(struct tls_session *session)
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
static ssize_t write_record(struct tls_session *session, const void *p, size_t n)
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
    r = tls_wire_has_room() ? 0 : tls_wire_flush(&session->wire);
    if (r != 0 && r != -EAGAIN)
        return fail(session, r); /* what had gathered is lost */
    if (r == 0)
        r = write_once(session, p, n, &sent);
    if (r == -EAGAIN && session->ctx->direct)
        r = keep(session, p, n);
    return r != 0 ? r : (ssize_t)sent;
}

/* Nothing is encrypted while older bytes wait: the session would grow with what its client does not read. */
static int begin_write(const struct stream *s)
{
    struct tls_session *session = session_of(s);
    int r;

    session->wire.ending = s->ending;
    if (session->error != 0)
        return session->error;
    r = session->wire.blocked ? tls_wire_flush(&session->wire) : 0;
    return r == 0 || r == -EAGAIN ? r : fail(session, r);
}

/* `done` bytes were encrypted or skipped, `skipped` of them skipped, until r ended it. What has not gone out is not reported: our caller would not come
 * back for it. A byte is a byte or more on the wire, so it is not less than what waits there. */
static ssize_t end_write(struct tls_session *session, size_t done, size_t skipped, ssize_t r)
{
    size_t hidden = done - skipped;

    if (flushed(session, 0) != 0 || session->error != 0)
        return session->error;
    if (tls_wire_unsent(&session->wire) < hidden)
        hidden = tls_wire_unsent(&session->wire);
    session->ahead += hidden;
    if (done > hidden)
        return (ssize_t)(done - hidden);
    return hidden > 0 ? -EAGAIN : r;
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
    struct tls_session *session = session_of(s);
    char record[RECORD_MAX];
    size_t done = 0, ahead = session->ahead;
    ssize_t r = begin_write(s);

    if (r < 0)
        return r;
    for (;;) {
        struct str piece = gather(iov, n, done, record);

        r = piece.n > 0 ? write_record(session, piece.p, piece.n) : 0;
        if (r <= 0)
            return end_write(session, done, ahead - session->ahead, r);
        done += (size_t)r;
    }
}

static ssize_t send_copied(struct stream *s, int fd, off_t offset, size_t n)
{
    struct tls_session *session = session_of(s);
    char record[RECORD_MAX];
    size_t done = 0, ahead = session->ahead;
    ssize_t r = begin_write(s);

    if (r < 0)
        return r;
    while (done < n) {
        r = pread(fd, record, n - done < RECORD_MAX ? n - done : RECORD_MAX, offset + (off_t)done);
        if (r > 0)
            r = write_record(session, record, (size_t)r);
        else if (r < 0)
            r = -errno;
        if (r <= 0)
            break;
        done += (size_t)r;
    }
    return end_write(session, done, ahead - session->ahead, r > 0 ? 0 : r);
}

/* The kernel encrypts: straight out of the file. */
static ssize_t send_direct(struct tls_session *session, int fd, off_t offset, size_t n)
{
    ssize_t r;

    prepare();
    r = SSL_sendfile(session->ssl, fd, offset, n, 0);
    if (r >= 0)
        return r;
    r = outcome(session, (int)r);
    return r != 0 ? r : fail(session, -EPIPE);
}

/* A record under way, or bytes of it that have gone out already, come first. */
static ssize_t tls_sendfile(struct stream *s, int fd, off_t offset, size_t n)
{
    struct tls_session *session = session_of(s);
    bool direct = session->error == 0 && session->kept == NULL && session->ahead == 0 &&
                  BIO_get_ktls_send(SSL_get_wbio(session->ssl)) != 0;

    return direct ? send_direct(session, fd, offset, n) : send_copied(s, fd, offset, n);
}

/* close_notify only where the peer can make something of it. Once: OpenSSL's second call reads, and fails over data of the peer's. */
static int tls_farewell(struct stream *s)
{
    struct tls_session *session = session_of(s);
    int r = 0;

    if (session->error != 0 || !SSL_is_init_finished(session->ssl))
        return 0;
    if (!session->said_farewell) {
        prepare();
        r = SSL_shutdown(session->ssl); /* 0: sent; 1: sent, and theirs has come too */
        session->said_farewell = r >= 0;
        r = r < 0 ? outcome(session, r) : 0;
    }
    (void)flushed(session, 0);
    return r == -EAGAIN || tls_wire_unsent(&session->wire) > 0 ? -EAGAIN : 0;
}

static int tls_shutdown(struct stream *s)
{
    if (tls_farewell(s) == -EAGAIN)
        return -EAGAIN;
    return shutdown(s->fd, SHUT_WR) == 0 ? 0 : -errno;
}

static void tls_close(struct stream *s)
{
    struct tls_session *session = session_of(s);

    ERR_clear_error();
    SSL_free(session->ssl);
    tls_wire_fini(&session->wire);
    tls_ctx_unref(session->ctx);
    mem_free(session->kept);
    mem_free(session->client);
    mem_free(session);
    s->impl = NULL;
    close(s->fd);
}

/* The certificate is described once, and only where somebody asks. */
static void add_client(struct tls_session *session, struct stream_tls_info *out)
{
    if (session->client == NULL)
        session->client = tls_client_facts_new(session->ssl);
    out->client_verify = session->client != NULL ? STR("SUCCESS") : STR("NONE");
    if (session->client == NULL)
        return;
    out->client_subject = session->client->subject;
    out->client_issuer = session->client->issuer;
    out->client_serial = session->client->serial;
}

static bool tls_info(const struct stream *s, struct stream_tls_info *out)
{
    struct tls_session *session = session_of(s);
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
    if (session->ctx->trust != NULL)
        add_client(session, out);
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
    .farewell = tls_farewell,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .tls_info = tls_info,
    .pending = tls_pending,
    .emptied = tls_emptied,
};

static bool set_socket(struct tls_session *session, const struct tls_ctx *ctx, int fd)
{
    return ctx->direct ? SSL_set_fd(session->ssl, fd) == 1 : tls_wire_init(&session->wire, session->ssl, fd);
}

int tls_stream_init(struct stream *s, int fd, struct tls_ctx *ctx)
{
    struct tls_session *session = mem_try_zalloc(sizeof(*session));

    if (session == NULL)
        return -ENOMEM;
    ERR_clear_error();
    session->ssl = SSL_new(ctx->fallback->ssl);
    if (session->ssl == NULL || !set_socket(session, ctx, fd)) {
        SSL_free(session->ssl);
        mem_free(session);
        ERR_clear_error();
        return -ENOMEM;
    }
    SSL_set_app_data(session->ssl, session);
    SSL_set_msg_callback(session->ssl, on_message);
    SSL_set_msg_callback_arg(session->ssl, session);
    SSL_set_accept_state(session->ssl);
    session->ctx = tls_ctx_ref(ctx);
    *s = (struct stream){ .ops = &tls_ops, .fd = fd, .impl = session };
    return 0;
}

enum tls_failure tls_stream_failure(const struct stream *s, const char **why)
{
    const struct tls_session *session = session_of(s);

    must(s->ops == &tls_ops);
    *why = session->why != NULL ? session->why : "";
    return session->failure;
}
