/* Clients that do what no good client does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/conn.h"
#include "edge/h1.h"
#include "fixture.h"
#include "pool/wake.h"

static void turn(struct rig *rig)
{
    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
}

static char *say(struct rig *rig, int client, const char *text)
{
    return rig_talk(rig, client, text, strlen(text));
}

static void send_only(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static struct conn *only_conn(struct rig *rig)
{
    assert_true(rig->lane->open.next != &rig->lane->open && rig->lane->open.next->next == &rig->lane->open);
    return CONTAINER_OF(rig->lane->open.next, struct conn, link);
}

/* ---- bodies ---- */

/* The buffer of the head grows for what lies behind the body: nothing of the request may point into the old one. */
static void a_body_with_a_long_tail(void **state)
{
    enum { TAIL = 100 << 10 };
    const char *head = "POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 20000\r\n\r\n";
    struct fixture f;
    struct pool_ticket t;
    char *bytes = mem_alloc(20000 + TAIL);

    (void)state;
    memset(bytes, 'x', 20000 + TAIL);
    open_fixture(&f, NULL, NULL);
    send_request(&f, head);
    for (size_t i = 0; i < TAIL / 40; i++)
        memcpy(bytes + 20000 + i * 40, "GET /bbbbbbbbb HTTP/1.1\r\nHost: xyz.t\r\n\r\n", 40);
    {
        size_t n = 20000 + TAIL / 40 * 40, sent = 0;
        int big = 1 << 20;

        assert_int_equal(setsockopt(f.client, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big)), 0);
        while (sent < n) {
            ssize_t r = send(f.client, bytes + sent, n - sent, MSG_NOSIGNAL);

            if (r > 0)
                sent += (size_t)r;
            else
                turn(&f.rig);
        }
    }
    turn(&f.rig);
    t = rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(f.request.vars[POOL_SERVER_NAME], STR("shop.test")));
    assert_true(str_eq(f.request.vars[POOL_PATH], STR("/a")));
    assert_int_equal(f.request.body_size, 20000);
    answer_hello(&f, t);
    mem_free(rig_read(&f.rig, f.client));
    t = rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(f.request.vars[POOL_SERVER_NAME], STR("xyz.t")));
    answer_hello(&f, t);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    while (!rig_app_idle(&f.app, 0))
        turn(&f.rig);
    f.client = rig_connect(&f.rig);
    mem_free(bytes);
    close_fixture(&f);
}

/* The longest line there may be, as much else in the head, and the longest body that travels in a slot: it fits, or it is refused. */
static void the_largest_request_there_is(void **state)
{
    enum { LINE = 32 << 10, BODY = POOL_INLINE_BODY };
    static const size_t sizes[] = { 0, 5000, 30000, 32500, 32600, 32700, 32800 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct fixture f;
        const size_t room = LINE + (32 << 10) + BODY + 200;
        char *request = mem_alloc(room), *answer;
        size_t n = 0;

        open_fixture(&f, "limit_request_line", "32k");
        n += (size_t)snprintf(request, room, "POST /?");
        memset(request + n, 'q', LINE - n - 9);
        n = LINE - 9;
        n += (size_t)snprintf(request + n, room - n, " HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", BODY);
        for (size_t left = sizes[i]; left > 0;) {
            size_t one = left < 5000 ? left : 5000;

            memcpy(request + n, "X: ", 3);
            memset(request + n + 3, 'x', one - 5);
            memcpy(request + n + one - 2, "\r\n", 2);
            n += one;
            left -= one;
        }
        n += (size_t)snprintf(request + n, room - n, "\r\n");
        memset(request + n, 'b', BODY);
        n += BODY;
        answer = rig_talk(&f.rig, f.client, request, n);
        if (answer[0] == '\0')
            answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
        else
            assert_true(strncmp(answer, "HTTP/1.1 431", 12) == 0);
        mem_free(answer);
        mem_free(rig_read(&f.rig, f.client));
        mem_free(request);
        close_fixture(&f);
    }
}

static void an_empty_body_needs_no_bytes(void **state)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n"
    };
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        send_request(&f, requests[i]);
        answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
        expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    }
    close_fixture(&f);
}

static void an_early_error_reaches_a_client_that_still_sends(void **state)
{
    struct fixture f;
    char block[4096], *answer;
    ssize_t n;

    (void)state;
    memset(block, 'x', sizeof(block));
    open_fixture(&f, "max_body_size", "10k");
    mem_free(say(&f.rig, f.client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n"));
    for (int i = 0; i < 20; i++) {
        n = send(f.client, block, sizeof(block), MSG_NOSIGNAL);
        assert_true(n > 0 || errno == EAGAIN);
        turn(&f.rig);
    }
    answer = rig_read(&f.rig, f.client);
    assert_true(strncmp(answer, "HTTP/1.1 413", 12) == 0);
    mem_free(answer);
    assert_int_equal(shutdown(f.client, SHUT_WR), 0);
    assert_true(rig_closed(&f.rig, f.client));
    close_fixture(&f);
}

/* FIN behind a body nobody reads: the answer must not be lost to a reset. */
static void a_half_closed_upload_gets_its_error(void **state)
{
    struct fixture f;
    char block[60000], *answer;

    (void)state;
    memset(block, 'x', sizeof(block));
    open_fixture(&f, "max_body_size", "10k");
    send_only(f.client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    assert_true(send(f.client, block, sizeof(block), MSG_NOSIGNAL) > 0);
    assert_int_equal(shutdown(f.client, SHUT_WR), 0);
    answer = rig_read(&f.rig, f.client);
    assert_true(strncmp(answer, "HTTP/1.1 413", 12) == 0);
    mem_free(answer);
    assert_true(rig_closed(&f.rig, f.client)); /* ECONNRESET would not be 0 */
    close_fixture(&f);
}

static void bodies_on_files_are_dropped(void **state)
{
    struct rig rig;
    int client;
    char *answer;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a.css", "body{}");
    client = rig_connect(&rig);
    answer = say(&rig, client,
                 "GET /static/a.css HTTP/1.1\r\nHost: x\r\nContent-Length: 39\r\n\r\nGET /static/b.css "
                 "HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    assert_non_null(strstr(answer, "body{}"));
    assert_null(strstr(answer, " 404 ")); /* the body is no second request */
    mem_free(answer);
    shutdown(client, SHUT_WR);
    assert_true(rig_closed(&rig, client));
    close(client);
    client = rig_connect(&rig);
    answer = say(&rig, client, "GET /static/a.css HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_null(strstr(answer, "Connection: close\r\n"));
    mem_free(answer);
    close(client);
    rig_fini(&rig);
}

/* ---- 100-continue ---- */

static void continue_is_said_once_and_only_when_the_body_is_wanted(void **state)
{
#define ASK "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    struct fixture f;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    answer = say(&f.rig, f.client, ASK);
    assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    mem_free(answer);
    send_request(&f, "ab");
    send_request(&f, "c");
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    send_request(&f, ASK "abc"); /* did not wait */
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

/* The answer before fills the socket to the brim: "100 Continue" must wait for room, not end the connection. */
static void continue_waits_for_room(void **state)
{
    struct fixture f;
    struct conn *c;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    c = only_conn(&f.rig);
    {
        static const char zeroes[65536];

        while (send(c->stream.fd, zeroes, sizeof(zeroes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
        while (send(c->stream.fd, zeroes, 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
    }
    assert_int_equal(send(f.client, ASK, strlen(ASK), MSG_NOSIGNAL), strlen(ASK));
    turn(&f.rig);
    turn(&f.rig);
    assert_false(list_empty(&f.rig.lane->open));
    {
        char drop[65536];
        ssize_t n;
        bool said = false;

        for (int i = 0; i < 1000 && !said; i++) {
            n = read(f.client, drop, sizeof(drop));
            said = n > 25 ? memmem(drop, (size_t)n, "100 Continue", 12) != NULL : n == 25;
            turn(&f.rig);
        }
        assert_true(said);
    }
    send_request(&f, "abc");
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    answer = rig_read(&f.rig, f.client);
    assert_true(strncmp(answer, "HTTP/1.1 200 OK", 15) == 0);
    mem_free(answer);
    close_fixture(&f);
}

/* ---- who takes all of the lane's time ---- */

#define UP "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"

static void pipelining_does_not_hold_the_lane(void **state)
{
    enum { N = 2000 };
    struct rig rig;
    char *requests = mem_alloc(N * 48);
    size_t n = 0;
    int client;

    (void)state;
    rig_init(&rig, "health_path", "/up");
    client = rig_connect(&rig);
    for (int i = 0; i < N; i++) {
        memcpy(requests + n, UP, strlen(UP));
        n += strlen(UP);
    }
    assert_int_equal(send(client, requests, n, MSG_NOSIGNAL), n);
    turn(&rig);
    assert_in_range(atomic_load(&rig.lane->stats.requests), 1,
                    2 * CONN_REQUESTS_A_TURN); /* at the event, and at the end of the turn */
    for (int i = 0; i < N; i++)
        mem_free(rig_read(&rig, client));
    assert_int_equal(atomic_load(&rig.lane->stats.requests), N);
    close(client);
    mem_free(requests);
    rig_fini(&rig);
}

/* A stream that always has more to read, and always takes what is written. */
static uint64_t endless_moved;
static size_t endless_at_most = SIZE_MAX; /* bytes a read, as with a TLS record each */

static ssize_t endless_read(struct stream *s, void *p, size_t n)
{
    (void)s;
    n = n < endless_at_most ? n : endless_at_most;
    memset(p, 'x', n);
    endless_moved += n;
    must(endless_moved < 1u << 30); /* whoever comes so far in one turn never ends */
    return (ssize_t)n;
}

static ssize_t endless_sendfile(struct stream *s, int fd, off_t offset, size_t n)
{
    (void)s;
    (void)fd;
    (void)offset;
    endless_moved += n;
    return (ssize_t)n;
}

static struct stream_ops endless_over(const struct conn *c)
{
    struct stream_ops ops = *c->stream.ops;

    ops.read = endless_read;
    ops.sendfile = endless_sendfile;
    return ops;
}

static void sending_without_end_does_not_hold_the_lane(void **state)
{
    struct rig rig;
    struct stream_ops ops;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    client = rig_connect(&rig);
    c = only_conn(&rig);
    mem_free(say(&rig, client, "GET / HTTP/9.9\r\n\r\n")); /* 505, then what follows is dropped */
    ops = endless_over(c);
    c->stream.ops = &ops;
    endless_moved = 0;
    send_only(client, "x");
    turn(&rig);
    assert_in_range(endless_moved, 1, 4 << 20);
    endless_moved = 0;
    endless_at_most = 1;
    turn(&rig);
    assert_in_range(endless_moved, 1, 1024);
    endless_at_most = SIZE_MAX;
    close(client);
    rig_fini(&rig);
}

static void a_fast_reader_does_not_hold_the_lane(void **state)
{
    struct rig rig;
    struct stream_ops ops;
    struct conn *c;
    char path[128];
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/big.bin", "x");
    snprintf(path, sizeof(path), "%s/static/big.bin", rig.dir);
    assert_int_equal(truncate(path, INT64_C(1) << 36), 0);
    client = rig_connect(&rig);
    c = only_conn(&rig);
    ops = endless_over(c);
    ops.read = c->stream.ops->read;
    c->stream.ops = &ops;
    endless_moved = 0;
    send_only(client, "GET /static/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    turn(&rig);
    assert_in_range(endless_moved, 1, 4 << 20);
    close(client);
    rig_fini(&rig);
}

/* ---- time ---- */

static void keep_alive_0_closes_after_each_answer(void **state)
{
    struct rig rig;
    int client;
    char *answer;

    (void)state;
    rig_init(&rig, "keep_alive", "0");
    rig_file(&rig, "static/a.css", "body{}");
    client = rig_connect(&rig);
    answer = say(&rig, client, "GET /static/a.css HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    assert_true(rig_closed(&rig, client));
    mem_free(answer);
    close(client);
    rig_fini(&rig);
}

/* An application that always has something to say must not keep a client alive that takes nothing. */
static void news_do_not_prolong_a_stuck_clients_time(void **state)
{
    static const char block[16384];
    struct fixture f;
    struct pool_ticket t;
    uint64_t deadline;
    struct conn *c;

    (void)state;
    open_fixture(&f, NULL, NULL);
    c = only_conn(&f.rig);
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "100000000");
    while (c->writable) {
        (void)pool_put_data(f.app.pool, t, str_make(block, sizeof(block)));
        pool_attention(f.app.pool, t);
        turn(&f.rig);
    }
    deadline = c->timer.deadline;
    assert_true(deadline != 0);
    for (int i = 0; i < 10; i++) {
        (void)pool_put_data(f.app.pool, t, str_make(block, 100));
        pool_attention(f.app.pool, t);
        turn(&f.rig);
    }
    assert_int_equal(c->timer.deadline, deadline);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    pool_done(f.app.pool, 0, t);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* ---- framing ---- */

static void old_clients(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "Connection: keep-alive\r\n\r\nhello");
    t = send_and_take(&f, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    rig_app_head(&f.app, t, 200, NULL, NULL); /* no length: the end of the connection ends it */
    rig_app_data(&f.app, t, "hello");
    rig_app_end(&f.app, t, 0);
    answer = rig_read(&f.rig, f.client);
    assert_null(strstr(answer, "chunked"));
    assert_non_null(strstr(answer, "Connection: close\r\n\r\nhello"));
    assert_true(rig_closed(&f.rig, f.client));
    mem_free(answer);
    close_fixture(&f);
}

static void no_content_where_there_may_be_none(void **state)
{
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = { { "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 200 },
                  { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 204 },
                  { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 304 },
                  { "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 404 } };
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int with_length = 0; with_length < 2; with_length++) {
            struct pool_ticket t;
            char *answer;

            t = send_and_take(&f, cases[i].request);
            rig_app_head(&f.app, t, cases[i].status, with_length ? "Content-Length" : "X", "5");
            rig_app_data(&f.app, t, "hello");
            rig_app_end(&f.app, t, 0);
            answer = rig_read(&f.rig, f.client);
            assert_int_equal(strtoul(answer + 9, NULL, 10), cases[i].status);
            assert_ptr_equal(strstr(answer, "\r\n\r\n"), answer + strlen(answer) - 4);
            assert_null(strstr(answer, "chunked"));
            if (cases[i].status == 204)
                assert_null(strstr(answer, "Content-Length"));
            mem_free(answer);
        }
    }
    close_fixture(&f);
}

static void more_than_its_content_length_is_dropped(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "5");
    rig_app_data(&f.app, t, "hel");
    rig_app_data(&f.app, t, "lo HTTP/1.1 200 OK");
    rig_app_data(&f.app, t, "more");
    rig_app_end(&f.app, t, 0);
    answer = rig_read(&f.rig, f.client);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\nhello");
    mem_free(answer);
    send_request(&f, GET);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_with_a_long_tail),
        cmocka_unit_test(the_largest_request_there_is),
        cmocka_unit_test(an_empty_body_needs_no_bytes),
        cmocka_unit_test(an_early_error_reaches_a_client_that_still_sends),
        cmocka_unit_test(a_half_closed_upload_gets_its_error),
        cmocka_unit_test(bodies_on_files_are_dropped),
        cmocka_unit_test(continue_is_said_once_and_only_when_the_body_is_wanted),
        cmocka_unit_test(continue_waits_for_room),
        cmocka_unit_test(pipelining_does_not_hold_the_lane),
        cmocka_unit_test(sending_without_end_does_not_hold_the_lane),
        cmocka_unit_test(a_fast_reader_does_not_hold_the_lane),
        cmocka_unit_test(keep_alive_0_closes_after_each_answer),
        cmocka_unit_test(news_do_not_prolong_a_stuck_clients_time),
        cmocka_unit_test(old_clients),
        cmocka_unit_test(no_content_where_there_may_be_none),
        cmocka_unit_test(more_than_its_content_length_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
