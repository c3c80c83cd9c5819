/*
 * The TLS server against OpenSSL's own client, over a socketpair in one thread: names, versions, records, ends, and a
 * client that is none. Tickets, certificates and clients' certificates have tests of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/tls_impl.h"
#include "segments.h"
#include "tls_kit.h"

static struct made site, wild, other, expired;
static unsigned char ticket_key[TLS_TICKET_KEY_LEN];

static int make_all(void **state)
{
    (void)state;
    kit_begin();
    kit_make(&site, (struct recipe){ .names = "DNS:example.org,DNS:WWW.example.org", .days = 30 });
    kit_make(&wild, (struct recipe){ .names = "DNS:*.example.org", .days = 20 });
    kit_make(&other, (struct recipe){ .names = "DNS:other.test", .days = 10 });
    kit_make(&expired, (struct recipe){ .names = "DNS:expired.test", .days = -1 });
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

static void assert_str(struct str s, const char *want)
{
    assert_true(str_eq(s, str_of(want)));
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
    static const struct {
        struct dial dial;
        enum tls_failure failure;
        const char *why;
    } cases[] = {
        { { .version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0" }, TLS_VERSION, "unsupported protocol" },
        { { .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA256" },
          TLS_CIPHER,
          "no shared cipher" }, /* CBC */
        { { .version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256" },
          TLS_CIPHER,
          "no shared cipher" }, /* no forward secrecy */
        { { .ciphers = "ALL:@SECLEVEL=0", .signatures = "ECDSA+SHA1", .version = TLS1_2_VERSION },
          TLS_CIPHER,
          "no shared" },
        { { .alpn = "\x02h3" }, TLS_ALPN, "no application protocol" },
        { { .distrust = true }, TLS_ALERT, "alert" },
    };
    struct tls_ctx *ctx = three(ticket_key);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct link l;
        char c;

        dial(&l, ctx, cases[i].dial);
        assert_int_equal(shake(&l), -EPROTO);
        assert_failure(&l, cases[i].failure, cases[i].why);
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
    assert_failure(&l, TLS_NOT_TLS, "http request");
    hang_up(&l);
    dial(&l, ctx, (struct dial){ 0 });
    close(l.client_fd);
    l.client_fd = -1;
    assert_int_equal(stream_handshake(&l.s), -ECONNRESET);
    assert_failure(&l, TLS_GONE, "eof");
    hang_up(&l);
    tls_ctx_unref(ctx);
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
    assert_false(stream_emptied(&l.s, 2, 2));
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 3);
    assert_false(stream_emptied(&l.s, 3, sizeof(got))); /* though less came than there was room for */
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 5);
    assert_memory_equal(got, "world", 5);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), -EAGAIN);
    assert_false(stream_pending(&l.s));
    assert_int_equal(SSL_write(l.client, "again", 5), 5);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 5);
    assert_true(stream_emptied(&l.s, 5, sizeof(got)));
    hang_up(&l);
}

/* The event of what comes while a record lies ready is over by the time that one is read. */
static void what_lay_ready_says_nothing_of_the_socket(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct link l;
    char got[64];

    (void)state;
    dial(&l, ctx, (struct dial){ 0 });
    tls_ctx_unref(ctx);
    assert_int_equal(shake(&l), 0);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), -EAGAIN);
    assert_int_equal(SSL_write(l.client, "first", 5), 5);
    assert_int_equal(SSL_write(l.client, "second", 6), 6);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 5);
    assert_int_equal(SSL_write(l.client, "third", 5), 5);
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 6);
    assert_false(stream_emptied(&l.s, 6, sizeof(got)));
    assert_int_equal(stream_read(&l.s, got, sizeof(got)), 5);
    assert_memory_equal(got, "third", 5);
    hang_up(&l);
}

/* Bytes that lie in the client's socket. */
static size_t arrived(const struct link *l)
{
    static char bytes[1 << 17];
    ssize_t n = recv(l->client_fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

    return n > 0 ? (size_t)n : 0;
}

/* Seen from the socket: tickets leave with the first answer, or when the server is about to wait. */
static void tickets_wait_for_the_first_answer(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);

    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        struct link l;
        struct iovec iov = { "hello", 5 };
        char got[8];

        dial(&l, ctx, (struct dial){ .version = TLS1_3_VERSION });
        for (int r = -EAGAIN; r == -EAGAIN; r = stream_handshake(&l.s))
            (void)SSL_do_handshake(l.client);
        assert_int_equal(arrived(&l), 0);
        if (answers)
            assert_int_equal(stream_writev(&l.s, &iov, 1), 5);
        else
            assert_int_equal(stream_read(&l.s, got, sizeof(got)), -EAGAIN);
        assert_true(arrived(&l) > 100);
        assert_int_equal(client_reads(&l, got, sizeof(got)), answers ? 5 : 0);
        assert_non_null(l.ticket);
        hang_up(&l);
    }
    tls_ctx_unref(ctx);
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
    for (int turn = 0; turn < 4; turn++) {
        int version = turn % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        struct link l;

        ctx->direct = turn >= 2; /* as where the kernel may encrypt */
        dial(&l, ctx, (struct dial){ .version = version });
        assert_int_equal(shake(&l), 0);
        check_transfer(&l, send_iovecs, total);
        check_transfer(&l, send_file, total);
        check_transfer(&l, send_in_changing_pieces, total);
        assert_int_equal(stream_sendfile(&l.s, body_fd, (off_t)total, 10), 0);
        hang_up(&l);
        /* over TCP, where the kernel might encrypt */
        dial(&l, ctx, (struct dial){ .version = version, .tcp = true });
        assert_int_equal(shake(&l), 0);
        check_transfer(&l, send_in_changing_pieces, 4 * total / 5);
        check_transfer(&l, send_file, total);
        hang_up(&l);
    }
    close(body_fd);
    mem_free(body);
    tls_ctx_unref(ctx);
}

/* What was encrypted and could not be sent is not reported as written. */
static void a_write_that_meets_a_closed_connection_fails(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    static char bytes[200000];
    struct iovec iov = { bytes, sizeof(bytes) };
    struct link l;

    (void)state;
    dial(&l, ctx, (struct dial){ 0 });
    tls_ctx_unref(ctx);
    assert_int_equal(shake(&l), 0);
    assert_int_equal(shutdown(l.client_fd, SHUT_RDWR), 0);
    assert_int_equal(stream_writev(&l.s, &iov, 1), -EPIPE);
    hang_up(&l);
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

static unsigned packets_of_the_end(struct tls_ctx *ctx)
{
    struct iovec iov = { "hello", 5 };
    struct link l;
    unsigned n;
    char got[16];
    int on = 1;

    dial(&l, ctx, (struct dial){ .tcp = true });
    assert_int_equal(setsockopt(l.s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0); /* as our listeners have it */
    assert_int_equal(shake(&l), 0);
    n = segments_in(l.client_fd);
    stream_ending(&l.s);
    assert_int_equal(stream_writev(&l.s, &iov, 1), 5);
    assert_int_equal(stream_farewell(&l.s), 0);
    stream_close(&l.s);
    n = segments_in(l.client_fd) - n;
    assert_int_equal(client_reads(&l, got, sizeof(got)), 5);
    assert_int_equal(SSL_get_shutdown(l.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    hang_up(&l);
    return n;
}

/* Answer, close_notify and FIN; as with the plain stream, a thread that is held up sends more. */
static void the_end_leaves_with_the_last_bytes(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    unsigned least = UINT32_MAX;

    (void)state;
    for (int i = 0; i < 20 && least > 1; i++) {
        unsigned n = packets_of_the_end(ctx);

        least = n < least ? n : least;
    }
    assert_int_equal(least, 1);
    tls_ctx_unref(ctx);
}

/* What the client sends meanwhile is neither taken nor an error. */
static void a_second_farewell_says_nothing(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct link l;
    char c;

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        dial(&l, ctx, (struct dial){ .version = version });
        assert_int_equal(shake(&l), 0);
        assert_int_equal(stream_farewell(&l.s), 0);
        assert_int_equal(SSL_write(l.client, "x", 1), 1);
        assert_int_equal(stream_farewell(&l.s), 0);
        assert_int_equal(stream_shutdown(&l.s), 0);
        assert_int_equal(stream_read(&l.s, &c, 1), 1);
        assert_int_equal(c, 'x');
        hang_up(&l);
    }
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

static ssize_t after_key_updates(struct link *l, unsigned n)
{
    char out[16];
    ssize_t r = -EAGAIN;

    for (unsigned i = 0; i < n && r == -EAGAIN; i++) {
        assert_int_equal(SSL_key_update(l->client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(l->client), 1);
        if (i % 20 == 19 || i == n - 1)
            r = stream_read(&l->s, out, sizeof(out));
    }
    return r;
}

/* Some are a client's right; who sends nothing else wants our time. */
static void a_flood_of_key_updates(void **state)
{
    struct tls_ctx *ctx = three(ticket_key);
    struct link l;

    (void)state;
    dial(&l, ctx, (struct dial){ .version = TLS1_3_VERSION });
    assert_int_equal(shake(&l), 0);
    assert_int_equal(after_key_updates(&l, 100), -EAGAIN);
    assert_int_equal(after_key_updates(&l, 2000), -EPROTO);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_chooses_the_certificate),
        cmocka_unit_test(facts_about_a_handshake),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(plain_http_is_refused),
        cmocka_unit_test(bytes_pass_both_ways),
        cmocka_unit_test(what_lay_ready_says_nothing_of_the_socket),
        cmocka_unit_test(tickets_wait_for_the_first_answer),
        cmocka_unit_test(large_bodies_arrive_whole),
        cmocka_unit_test(a_write_that_meets_a_closed_connection_fails),
        cmocka_unit_test(orderly_ends),
        cmocka_unit_test(the_end_leaves_with_the_last_bytes),
        cmocka_unit_test(a_second_farewell_says_nothing),
        cmocka_unit_test(a_cut_connection_is_not_an_end),
        cmocka_unit_test(a_flood_of_key_updates),
    };

    return cmocka_run_group_tests(tests, make_all, NULL);
}
