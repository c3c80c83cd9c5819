/* Requests for the application: the test is the worker at the other side of the pool. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/conn.h"
#include "edge/exchange.h"
#include "edge/handler/app.h"
#include "fixture.h"
#include "pool/wake.h"
#include "wire/message.h"

static struct str header(const struct pool_request *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (str_eq_nocase(r->fields[i].name, str_of(name)))
            return r->fields[i].value;
    }
    return STR("none");
}

static void hands_the_request_over(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    assert_true(str_eq(f.request.vars[POOL_METHOD], STR("GET")));
    assert_true(str_eq(f.request.vars[POOL_PATH], STR("/a b")));
    assert_true(str_eq(f.request.vars[POOL_QUERY], STR("q=1")));
    assert_true(str_eq(f.request.vars[POOL_TARGET], STR("/a%20b?q=1")));
    assert_true(str_eq(f.request.vars[POOL_SERVER_NAME], STR("shop.test")));
    assert_true(str_eq(f.request.vars[POOL_SERVER_PORT], STR("81")));
    assert_true(str_eq(f.request.vars[POOL_SCHEME], STR("http")));
    assert_int_equal(f.request.vars[POOL_REQUEST_ID].n, EXCHANGE_ID_LEN);
    assert_true(str_eq(header(&f.request, "X-Forwarded-For"), STR("none")));
    assert_true(str_eq(header(&f.request, "A_B"), STR("none")));
    assert_true(str_eq(header(&f.request, "Proxy"), STR("none")));
    assert_true(str_eq(header(&f.request, "Host"), STR("shop.test:81")));
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    send_request(&f, GET); /* the connection is kept */
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    close_fixture(&f);
}

static void a_body_of_no_bytes_is_complete_at_once(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    assert_true(f.request.has_body);
    assert_int_equal(f.request.body_size, 0);
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    close_fixture(&f);
}

static void keep_alive_0_closes_after_the_answer(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, "keep_alive", "0");
    send_request(&f, GET);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "Connection: close\r\n");
    assert_true(rig_closed(&f.rig, f.client));
    close_fixture(&f);
}

static void streams_chunked(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Type", "text/csv");
    rig_app_data(&f.app, t, "one");
    expect(&f, "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    rig_app_data(&f.app, t, "three");
    expect(&f, "5\r\nthree\r\n", "");
    rig_app_end(&f.app, t, 0);
    expect(&f, "0\r\n\r\n", "");
    close_fixture(&f);
}

static void takes_a_slow_clients_response_off_the_worker(void **state)
{
    const size_t total = 40 << 20;
    char block[16384], *answer;
    struct fixture f;
    struct pool_ticket t;
    size_t sent = 0, chunked = 0;

    (void)state;
    memset(block, 'x', sizeof(block));
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Type", "text/plain");
    while (sent < total) { /* nobody reads, and the worker never waits for long */
        size_t n = pool_put_data(f.app.pool, t, str_make(block, sizeof(block)));

        if (n == 0) {
            assert_int_equal(pool_wait_room(f.app.pool, t, 0), -ETIMEDOUT);
            loop_wake(f.rig.lane->loop);
            loop_once(f.rig.lane->loop);
            n = pool_put_data(f.app.pool, t, str_make(block, sizeof(block)));
            assert_true(n > 0);
        }
        sent += n;
    }
    rig_app_end(&f.app, t, 0);
    loop_wake(f.rig.lane->loop);
    loop_once(f.rig.lane->loop);
    assert_int_equal(f.app.generation->used, 0); /* the slot is free before the client has read a byte */
    answer = rig_read(&f.rig, f.client);
    for (char *p = strstr(answer, "\r\n\r\n") + 4; *p != '\0' && *p != '0';) {
        size_t n = strtoul(p, &p, 16);

        chunked += n;
        p += 2 + n + 2;
    }
    assert_int_equal(chunked, sent);
    mem_free(answer);
    close_fixture(&f);
}

/* ---- workers that never pause ---- */

struct flood {
    struct pool *pool;
    struct pool_ticket ticket;
    size_t block, total;
    atomic_bool over;
    pthread_t thread;
};

/* Without ever waiting for room: it fills the ring as fast as that is emptied. */
static void *flood_main(void *arg)
{
    static char bytes[16384];
    struct flood *w = arg;

    for (size_t sent = 0; sent < w->total;)
        sent += pool_put_data(w->pool, w->ticket, str_make(bytes, w->block));
    atomic_store(&w->over, true);
    return NULL;
}

/* The exchange that it answers. */
static struct exchange *flood_begin(struct flood *w, struct fixture *f, size_t block, size_t total)
{
    *w = (struct flood){ .pool = f->app.pool, .block = block, .total = total };
    send_request(f, GET);
    w->ticket = rig_app_take(&f->app, 0, &f->request);
    rig_app_head(&f->app, w->ticket, 200, "Content-Type", "text/plain");
    assert_int_equal(pthread_create(&w->thread, NULL, flood_main, w), 0);
    return f->app.generation->slots[w->ticket.slot].job->exchange;
}

static void flood_turn(struct flood *w, struct fixture *f)
{
    loop_wake(f->rig.lane->loop);
    pool_attention(w->pool, w->ticket);
    loop_once(f->rig.lane->loop);
}

static void flood_end(struct flood *w, struct fixture *f)
{
    pthread_join(w->thread, NULL);
    close(f->client);
    mem_free(rig_read(&f->rig, f->client));
    rig_app_end(&f->app, w->ticket, 0);
    while (f->app.generation->used > 0) /* what is left in the ring takes its turns, too */
        flood_turn(w, f);
    f->client = rig_connect(&f->rig);
}

/* The client does not read: others have their turn all the same. */
static void spooling_does_not_hold_the_lane(void **state)
{
    static const struct {
        size_t block, total, most;
    } floods[] = { { 16384, 64u << 20, 4 * APP_TURN_MAX }, { 64, 8u << 20, 4ul * APP_TURN_FRAMES * 64 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
        struct exchange *ex;
        struct fixture f;
        struct flood w;

        open_fixture(&f, NULL, NULL);
        ex = flood_begin(&w, &f, floods[i].block, floods[i].total);
        while (!atomic_load(&w.over)) {
            uint64_t before = app_of(ex)->held.size;

            flood_turn(&w, &f);
            assert_true(app_of(ex)->held.size - before <= floods[i].most);
        }
        flood_end(&w, &f);
        close_fixture(&f);
    }
}

static unsigned greedy_writes;

static ssize_t greedy_writev(struct stream *s, const struct iovec *iov, int n)
{
    size_t sum = 0;

    (void)s;
    for (int i = 0; i < n; i++)
        sum += iov[i].iov_len;
    greedy_writes++;
    return (ssize_t)sum;
}

/* The client takes all at once, in many small pieces. */
static void small_pieces_do_not_hold_the_lane(void **state)
{
    struct stream_ops ops;
    struct fixture f;
    struct flood w;
    struct conn *c;

    (void)state;
    open_fixture(&f, NULL, NULL);
    c = CONTAINER_OF(f.rig.lane->open.next, struct conn, link);
    ops = *c->stream.ops;
    ops.writev = greedy_writev;
    c->stream.ops = &ops;
    (void)flood_begin(&w, &f, 8, 8u << 20);
    while (!atomic_load(&w.over)) {
        greedy_writes = 0;
        flood_turn(&w, &f);
        assert_true(greedy_writes <= 4 * CONN_SHARE / CONN_SHARE_LEAST);
    }
    flood_end(&w, &f);
    close_fixture(&f);
}

static void sends_a_file_by_descriptor(void **state)
{
    struct wire_message m = { .type = WIRE_FILE_BODY, .n_fds = 1 };
    struct pool_file range = { .offset = 2, .length = 100 };
    struct fixture f;
    char path[128];
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    rig_file(&f.rig, "file", "0123456789");
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "8");
    m.number = (uint64_t)t.slot << 32 | t.serial;
    (void)snprintf(path, sizeof(path), "%s/file", f.rig.dir);
    m.fds[0] = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(wire_send(f.app.channel, &m), 0);
    close(m.fds[0]);
    assert_int_equal(pool_put_file(f.app.pool, t, &range), 0);
    rig_app_end(&f.app, t, 0);
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\n23456789");
    close_fixture(&f);
}

static void a_file_frame_without_a_file_is_502(void **state)
{
    struct pool_file range = { .offset = 0, .length = 1 };
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    f.rig.edge.log.level = LOG_ALERT;
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, NULL, NULL);
    assert_int_equal(pool_put_file(f.app.pool, t, &range), 0);
    rig_app_end(&f.app, t, 0);
    expect(&f, "HTTP/1.1 502", "Request ");
    close_fixture(&f);
}

static void replays_a_safe_request_once(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, GET);
    (void)rig_app_take(&f.app, 0, &f.request);
    rig_app_kill(&f.rig, &f.app);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    send_request(&f, GET);
    (void)rig_app_take(&f.app, 0, &f.request);
    rig_app_kill(&f.rig, &f.app);
    (void)rig_app_take(&f.app, 0, &f.request);
    rig_app_kill(&f.rig, &f.app); /* it killed twice: never a third time */
    expect(&f, "HTTP/1.1 502", "Request ");
    assert_true(rig_app_idle(&f.app, 0));
    close_fixture(&f);
}

static void turn_for(struct fixture *f, uint64_t ns)
{
    for (uint64_t end = clock_mono_ns() + ns; clock_mono_ns() < end;) {
        loop_wake(f->rig.lane->loop);
        loop_once(f->rig.lane->loop);
    }
}

/* The time it ran is no time in the queue. */
static void a_replayed_request_may_wait_anew(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, "queue_timeout", "300ms");
    send_request(&f, GET);
    (void)rig_app_take(&f.app, 0, &f.request);
    turn_for(&f, 350 * NS_PER_MS);
    rig_app_kill(&f.rig, &f.app);
    turn_for(&f, 10 * NS_PER_MS); /* the successor is not at once free */
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

/* The 503 says that no worker has seen it. */
static void what_a_worker_has_taken_is_not_recalled(void **state)
{
    struct pool_ticket t;
    struct fixture f;
    struct job *job;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, POST);
    job = f.app.generation->slots[f.app.generation->free[f.app.generation->n_free]].job;
    t = rig_app_take(&f.app, 0, &f.request);
    assert_false(dispatch_recall(&f.rig.edge.dispatch, job));
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

static void never_replays_an_unsafe_request(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, POST);
    (void)rig_app_take(&f.app, 0, &f.request);
    assert_true(str_eq(f.request.body_data, STR("abc")));
    rig_app_kill(&f.rig, &f.app);
    expect(&f, "HTTP/1.1 502", "Request ");
    assert_true(rig_app_idle(&f.app, 0));
    close_fixture(&f);
}

static void a_response_complete_before_the_death_is_sent(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, POST);
    rig_app_head(&f.app, t, 200, "Content-Length", "5");
    assert_int_equal(pool_put_data(f.app.pool, t, STR("hello")), 5);
    assert_int_equal(pool_put_end(f.app.pool, t), 0);
    rig_app_kill(&f.rig, &f.app);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

static void drops_what_nobody_waits_for(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, GET);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_true(rig_app_idle(&f.app, 0)); /* READY was taken back */
    f.client = rig_connect(&f.rig);
    t = send_and_take(&f, GET);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_true(pool_cancelled(f.app.pool, t)); /* RUNNING: it is told */
    pool_done(f.app.pool, 0, t);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

static void a_broken_promise_of_length_breaks_off(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "10");
    rig_app_data(&f.app, t, "hello");
    rig_app_end(&f.app, t, 0);
    answer = rig_read(&f.rig, f.client);
    assert_non_null(strstr(answer, "hello"));
    assert_true(rig_closed(&f.rig, f.client));
    mem_free(answer);
    close_fixture(&f);
}

static void a_head_that_would_split_is_502(void **state)
{
    static const char *const values[] = { "a\r\nSet-Cookie: b", "a\nb", "a\rb" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct fixture f;
        struct pool_ticket t;

        open_fixture(&f, NULL, NULL);
        t = send_and_take(&f, GET);
        rig_app_head(&f.app, t, 200, "X-A", values[i]);
        rig_app_end(&f.app, t, 0);
        expect(&f, "HTTP/1.1 502", "Request ");
        close_fixture(&f);
    }
}

/* As Django writes Set-Cookie. */
static void blanks_around_a_value_are_trimmed(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    rig_app_head(&f.app, t, 200, "Set-Cookie", " a=b; Path=/ ");
    rig_app_end(&f.app, t, 0);
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\nSet-Cookie: a=b; Path=/\r\n");
    close_fixture(&f);
}

static void a_failed_application_is_500(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    assert_int_equal(pool_put_fail(f.app.pool, t), 0);
    pool_done(f.app.pool, 0, t);
    expect(&f, "HTTP/1.1 500", "Request ");
    close_fixture(&f);
}

static void a_switch_takes_waiting_requests_along(void **state)
{
    struct rig_app next;
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, GET);
    rig_app_open(&f.rig, &next, 2, 1);
    assert_true(rig_app_idle(&f.app, 0));
    {
        struct pool_ticket t = rig_app_take(&next, 0, &f.request);

        rig_app_head(&next, t, 200, "Content-Length", "3");
        rig_app_data(&next, t, "new");
        rig_app_end(&next, t, 0);
    }
    expect(&f, "HTTP/1.1 200 OK\r\n", "new");
    assert_int_equal(rig_told(&f.rig), WIRE_POOL_IDLE); /* the old generation may end */
    rig_app_close(&f.rig, &next);
    close_fixture(&f);
}

/* An edge that replaces another one may be told of the generation that boots before it is told to switch to the serving one. */
static void a_switch_leaves_newer_generations_alone(void **state)
{
    struct rig_app next;
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    rig_app_boot(&f.rig, &next, 2, 1);
    pools_switch(&f.rig.edge.dispatch, f.app.generation);
    send_request(&f, GET);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    assert_int_equal(rig_told(&f.rig), WIRE_NONE);
    rig_app_close(&f.rig, &next);
    close_fixture(&f);
}

/* A rollback: what waits for the newer one goes back with it, and the newer one is idle then. */
static void switched_back(void **state)
{
    struct rig_app next;
    struct pool_ticket t;
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    rig_app_open(&f.rig, &next, 2, 1);
    send_request(&f, GET); /* handed to the newer one, whose worker has not taken it */
    pools_switch(&f.rig.edge.dispatch, f.app.generation);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    assert_int_equal(rig_told(&f.rig), WIRE_POOL_IDLE);
    assert_true(next.generation->retired && !f.app.generation->retired);
    pools_switch(&f.rig.edge.dispatch, next.generation);
    send_request(&f, GET);
    t = rig_app_take(&next, 0, &f.request);
    rig_app_head(&next, t, 200, "Content-Length", "3");
    rig_app_data(&next, t, "new");
    rig_app_end(&next, t, 0);
    expect(&f, "HTTP/1.1 200 OK\r\n", "new");
    rig_app_close(&f.rig, &next);
    close_fixture(&f);
}

static void a_stuck_application_is_504_and_reported(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, "timeout", "20ms");
    send_request(&f, GET);
    {
        struct pool_ticket t = rig_app_take(&f.app, 0, &f.request);
        char *answer;

        do
            answer = rig_read(&f.rig, f.client);
        while (answer[0] == '\0' && (mem_free(answer), true));
        assert_true(strncmp(answer, "HTTP/1.1 504", 12) == 0);
        mem_free(answer);
        assert_true(pool_cancelled(f.app.pool, t));
    }
    mem_free(rig_read(&f.rig, f.client));
    assert_int_equal(rig_told(&f.rig), WIRE_WORKER_STUCK);
    rig_app_kill(&f.rig, &f.app);
    close_fixture(&f);
}

static void a_request_that_waits_too_long_is_503(void **state)
{
    struct fixture f;
    char *answer;

    (void)state;
    open_fixture(&f, "queue_timeout", "20ms");
    send_request(&f, GET);
    do
        answer = rig_read(&f.rig, f.client);
    while (answer[0] == '\0' && (mem_free(answer), true));
    assert_true(strncmp(answer, "HTTP/1.1 503", 12) == 0);
    assert_non_null(strstr(answer, "Retry-After: "));
    mem_free(answer);
    assert_true(rig_app_idle(&f.app, 0));
    assert_int_equal(rig_told(&f.rig), WIRE_NONE);
    close_fixture(&f);
}

/* More requests than slots: they queue and come in order. */
static void the_queue_is_first_come_first_served(void **state)
{
    enum { N = 40 };
    struct fixture f;
    int clients[N];

    (void)state;
    open_fixture(&f, NULL, NULL);
    for (int i = 0; i < N; i++) {
        char request[64];
        int n = snprintf(request, sizeof(request), "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);

        clients[i] = rig_connect(&f.rig);
        mem_free(rig_talk(&f.rig, clients[i], request, (size_t)n));
    }
    for (int i = 0; i < N; i++) {
        struct pool_ticket t = rig_app_take(&f.app, 0, &f.request);
        char path[16], *answer;

        snprintf(path, sizeof(path), "/%d", i);
        assert_true(str_eq(f.request.vars[POOL_PATH], str_of(path)));
        answer_hello(&f, t);
        answer = rig_read(&f.rig, clients[i]);
        assert_non_null(strstr(answer, "hello"));
        mem_free(answer);
        close(clients[i]);
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_the_request_over),
        cmocka_unit_test(a_body_of_no_bytes_is_complete_at_once),
        cmocka_unit_test(keep_alive_0_closes_after_the_answer),
        cmocka_unit_test(streams_chunked),
        cmocka_unit_test(takes_a_slow_clients_response_off_the_worker),
        cmocka_unit_test(spooling_does_not_hold_the_lane),
        cmocka_unit_test(small_pieces_do_not_hold_the_lane),
        cmocka_unit_test(sends_a_file_by_descriptor),
        cmocka_unit_test(a_file_frame_without_a_file_is_502),
        cmocka_unit_test(replays_a_safe_request_once),
        cmocka_unit_test(a_replayed_request_may_wait_anew),
        cmocka_unit_test(what_a_worker_has_taken_is_not_recalled),
        cmocka_unit_test(never_replays_an_unsafe_request),
        cmocka_unit_test(a_response_complete_before_the_death_is_sent),
        cmocka_unit_test(drops_what_nobody_waits_for),
        cmocka_unit_test(a_broken_promise_of_length_breaks_off),
        cmocka_unit_test(a_head_that_would_split_is_502),
        cmocka_unit_test(blanks_around_a_value_are_trimmed),
        cmocka_unit_test(a_failed_application_is_500),
        cmocka_unit_test(a_switch_takes_waiting_requests_along),
        cmocka_unit_test(a_switch_leaves_newer_generations_alone),
        cmocka_unit_test(switched_back),
        cmocka_unit_test(a_stuck_application_is_504_and_reported),
        cmocka_unit_test(a_request_that_waits_too_long_is_503),
        cmocka_unit_test(the_queue_is_first_come_first_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
