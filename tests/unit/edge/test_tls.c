/* The edge over TLS, against OpenSSL's own client: what differs from a plain connection. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "fixture.h"
#include "os/tls.h"
#include "pool/wake.h"
#include "tls_client.h"

/* ---- a client ---- */

static void turn(struct rig *rig)
{
    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
}

static void say(struct rig *rig, struct tls_client *c, const char *text)
{
    assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), strlen(text));
    turn(rig);
    turn(rig);
}

/* All that comes until nothing does; *end: SSL_get_error of the last read. */
static struct buf hear(struct rig *rig, struct tls_client *c, int *end)
{
    struct buf b;

    buf_init(&b, 64 << 20);
    for (int quiet = 0; quiet < 4; quiet++) {
        int n;

        turn(rig);
        do {
            ERR_clear_error();
            assert_int_equal(buf_reserve(&b, 16384), 0);
            n = SSL_read(c->ssl, b.data + b.len, 16384);
            if (n > 0) {
                buf_commit(&b, (size_t)n);
                quiet = 0;
            }
        } while (n > 0);
        *end = SSL_get_error(c->ssl, n);
    }
    assert_int_equal(buf_add_char(&b, '\0'), 0);
    return b;
}

static void open_tls(struct fixture *f, struct tls_client *c)
{
    open_fixture(f, NULL, NULL);
    rig_tls(&f->rig);
    tls_client_dial(&f->rig, c);
}

/* ---- tests ---- */

static void a_slow_client_gets_all_that_was_spooled(void **state)
{
    const size_t total = 3 << 20;
    struct fixture f;
    struct tls_client c;
    struct pool_ticket t;
    struct buf answer;
    char block[10000];
    size_t put = 0, got = 0, n;
    int end;

    (void)state;
    open_tls(&f, &c);
    say(&f.rig, &c, GET);
    t = rig_app_take(&f.app, 0, &f.request);
    rig_app_head(&f.app, t, 200, NULL, NULL); /* chunks: what we write ourselves stands before each piece */
    while (put < total) {
        n = total - put < sizeof(block) ? total - put : sizeof(block);

        for (size_t i = 0; i < n; i++)
            block[i] = (char)('a' + (put + i) % 23);
        n = pool_put_data(f.app.pool, t, str_make(block, n));
        put += n;
        if (n > 0 && put % 50000 != 0)
            continue; /* several at a time: a record then begins with the end of one chunk and the head of the next */
        pool_attention(f.app.pool, t);
        turn(&f.rig);
    }
    rig_app_end(&f.app, t, 0);
    turn(&f.rig);
    assert_int_equal(f.app.generation->used, 0); /* it is all in the spool's file */
    answer = hear(&f.rig, &c, &end);
    for (char *p = strstr(answer.data, "\r\n\r\n") + 4; (n = strtoul(p, &p, 16)) > 0; p += n + 2) {
        p += 2;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 'a' + (got + i) % 23);
        got += n;
    }
    assert_int_equal(got, total);
    buf_fini(&answer);
    tls_client_hang_up(&c);
    close_fixture(&f);
}

static void large_files_are_whole(void **state)
{
    struct fixture f;
    struct tls_client c;
    struct buf answer;
    size_t n = 5 << 20;
    char *content = mem_alloc(n + 1);
    int end;

    (void)state;
    for (size_t i = 0; i < n; i++)
        content[i] = (char)('a' + i % 23);
    content[n] = '\0';
    open_tls(&f, &c);
    rig_file(&f.rig, "static/big.bin", content);
    say(&f.rig, &c, "GET /static/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = hear(&f.rig, &c, &end);
    assert_string_equal(strstr(answer.data, "\r\n\r\n") + 4, content);
    buf_fini(&answer);
    mem_free(content);
    tls_client_hang_up(&c);
    close_fixture(&f);
}

static void an_answer_ends_with_close_notify_unless_it_broke_off(void **state)
{
    for (int breaks = 0; breaks < 2; breaks++) {
        struct fixture f;
        struct tls_client c;
        struct pool_ticket t;
        struct buf answer;
        int end;

        (void)state;
        open_tls(&f, &c);
        say(&f.rig, &c, "GET / HTTP/1.0\r\n\r\n");
        t = rig_app_take(&f.app, 0, &f.request);
        rig_app_head(&f.app, t, 200, NULL, NULL);
        rig_app_data(&f.app, t, "hello");
        if (breaks) {
            assert_int_equal(pool_put_fail(f.app.pool, t), 0);
            pool_done(f.app.pool, 0, t);
        } else {
            rig_app_end(&f.app, t, 0);
        }
        answer = hear(&f.rig, &c, &end);
        assert_int_equal(end == SSL_ERROR_ZERO_RETURN, !breaks);
        buf_fini(&answer);
        tls_client_hang_up(&c);
        close_fixture(&f);
    }
}

static void what_is_no_tls_is_closed(void **state)
{
    static const char *const bytes[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff",
                                         "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "\x80\x2e\x01\x00\x02",
                                         "\x15\x03\x01\x00\x02\x02\x28" };
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    rig_tls(&f.rig);
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
        int fd = rig_connect_tls(&f.rig);

        assert_true(send(fd, bytes[i], strlen(bytes[i]) + 1, MSG_NOSIGNAL) > 0);
        turn(&f.rig);
        shutdown(fd, SHUT_WR);
        turn(&f.rig);
        turn(&f.rig);
        close(fd);
    }
    assert_true(f.rig.lane->open.next->next == &f.rig.lane->open); /* the fixture's own client alone */
    close_fixture(&f);
}

/* Garbage in the middle of a request: no answer is made of it, the lane goes on. */
static void a_broken_record_ends_the_connection(void **state)
{
    struct fixture f;
    struct tls_client c;

    (void)state;
    open_tls(&f, &c);
    say(&f.rig, &c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    assert_true(send(c.fd, "\x17\x03\x03\x00\x20garbagegarbagegarbagegarbagegarb", 37, MSG_NOSIGNAL) == 37);
    turn(&f.rig);
    turn(&f.rig);
    assert_true(rig_app_idle(&f.app, 0));
    assert_true(f.rig.lane->open.next->next == &f.rig.lane->open);
    tls_client_hang_up(&c);
    close_fixture(&f);
}

static int quiet_signals(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_client_gets_all_that_was_spooled),
        cmocka_unit_test(large_files_are_whole),
        cmocka_unit_test(an_answer_ends_with_close_notify_unless_it_broke_off),
        cmocka_unit_test(what_is_no_tls_is_closed),
        cmocka_unit_test(a_broken_record_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, quiet_signals, NULL);
}
