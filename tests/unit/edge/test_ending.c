/* The last bytes of a connection may wait for its FIN, but nobody may wait for them longer than that, or lose them by it: over TCP, as other sockets hold nothing back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fixture.h"

#define LAST "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* Instead of the socket pair. */
static void connect_by_tcp(struct fixture *f)
{
    close(f->client);
    mem_free(rig_read(&f->rig, f->client));
    f->client = rig_connect_by_tcp(&f->rig);
}

static void an_answer_waits_for_nothing_but_the_end(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    connect_by_tcp(&f);
    t = send_and_take(&f, LAST);
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    assert_true(rig_closed(&f.rig, f.client));
    close_fixture(&f);
}

/* Its last byte is there, and its worker goes on for as long as it likes. */
static void an_answer_does_not_wait_for_its_worker(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    connect_by_tcp(&f);
    t = send_and_take(&f, LAST);
    rig_app_head(&f.app, t, 200, "Content-Length", "5");
    rig_app_data(&f.app, t, "hello");
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    rig_app_end(&f.app, t, 0);
    assert_true(rig_closed(&f.rig, f.client));
    close_fixture(&f);
}

/* We close, and the client did not know: what it has sent meanwhile resets the connection, which must not take an answer along that was given. */
static void an_answer_outlives_what_comes_too_late(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, "keep_alive", "0");
    connect_by_tcp(&f);
    t = send_and_take(&f, GET);
    assert_int_equal(send(f.client, GET, strlen(GET), MSG_NOSIGNAL), strlen(GET));
    answer_hello(&f, t); /* the edge sees this first */
    expect(&f, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_waits_for_nothing_but_the_end),
        cmocka_unit_test(an_answer_does_not_wait_for_its_worker),
        cmocka_unit_test(an_answer_outlives_what_comes_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
