/* Who goes when there is no room, and what a slow client may cost: time is set back by hand. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/conn.h"
#include "edge/h1.h"
#include "edge/listen.h"
#include "edge/pace.h"
#include "fixture.h"

#define BIG "GET /static/big.bin HTTP/1.1\r\nHost: x\r\n\r\n"
#define UP "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"

static void turn(struct rig *rig)
{
    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
}

static char *say(struct rig *rig, int client, const char *text)
{
    return rig_talk(rig, client, text, strlen(text));
}

/* The connection that came last. */
static struct conn *newest(struct rig *rig)
{
    return CONTAINER_OF(rig->lane->open.prev, struct conn, link);
}

static void age(struct conn *c, uint64_t ns)
{
    c->ranked_ns -= ns;
}

static void idle_ones_first_and_the_longest_of_them(void **state)
{
    struct rig rig;
    int clients[3];

    (void)state;
    rig_init(&rig, "health_path", "/up");
    clients[0] = rig_connect(&rig);
    age(newest(&rig), 60 * NS_PER_SEC); /* has not asked for anything yet */
    for (int i = 1; i < 3; i++) {
        clients[i] = rig_connect(&rig);
        mem_free(say(&rig, clients[i], UP));
    }
    age(newest(&rig), EVICT_KEPT_NS); /* the last one; the order is that of the list, though */
    assert_true(newest(&rig)->rank == EVICT_KEPT);
    age(CONTAINER_OF(rig.lane->ranks[EVICT_KEPT].next, struct conn, ranked), EVICT_KEPT_NS);
    assert_true(evict_one(rig.lane));
    assert_true(rig_closed(&rig, clients[1]));
    assert_true(evict_one(rig.lane));
    assert_true(rig_closed(&rig, clients[2]));
    assert_true(evict_one(rig.lane));
    assert_true(rig_closed(&rig, clients[0]));
    assert_false(evict_one(rig.lane));
    assert_int_equal(atomic_load(&rig.lane->stats.evicted), 3);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    rig_fini(&rig);
}

static void a_request_that_has_come_is_not_idle(void **state)
{
    struct rig rig;
    char *answer;
    int client;

    (void)state;
    rig_init(&rig, "health_path", "/up");
    client = rig_connect(&rig);
    mem_free(say(&rig, client, UP));
    age(newest(&rig), 60 * NS_PER_SEC);
    assert_int_equal(send(client, UP, strlen(UP), MSG_NOSIGNAL), strlen(UP));
    assert_false(evict_one(rig.lane));
    answer = rig_read(&rig, client);
    assert_true(strncmp(answer, "HTTP/1.1 200", 12) == 0);
    mem_free(answer);
    close(client);
    rig_fini(&rig);
}

static void a_newcomer_has_its_chance(void **state)
{
    struct rig rig;
    struct conn *c;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    client = rig_connect(&rig);
    c = newest(&rig);
    assert_false(evict_one(rig.lane));
    age(c, EVICT_BEGIN_NS);
    mem_free(say(&rig, client, "GET / HT")); /* a piece of a head wins no time */
    assert_ptr_equal(c, newest(&rig));
    assert_true(evict_one(rig.lane));
    assert_true(rig_closed(&rig, client));
    close(client);
    rig_fini(&rig);
}

static void never_one_that_is_being_answered(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, GET);
    age(newest(&f.rig), 60 * NS_PER_SEC);
    assert_false(evict_one(f.rig.lane));
    t = rig_app_take(&f.app, 0, &f.request);
    assert_false(evict_one(f.rig.lane));
    rig_app_head(&f.app, t, 200, "X", "y");
    rig_app_data(&f.app, t, "some");
    mem_free(rig_read(&f.rig, f.client));
    assert_false(evict_one(f.rig.lane));
    rig_app_end(&f.app, t, 0);
    mem_free(rig_read(&f.rig, f.client));
    close_fixture(&f);
}

static void an_upload_below_the_pace(void **state)
{
    struct fixture f;
    struct conn *c;
    char block[4096];

    (void)state;
    memset(block, 'x', sizeof(block));
    open_fixture(&f, NULL, NULL);
    send_request(&f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    c = newest(&f.rig);
    assert_true(c->rank == EVICT_UPLOAD);
    age(c, EVICT_UPLOAD_NS);
    c->timer.deadline -= NS_PER_SEC;
    mem_free(rig_talk(&f.rig, f.client, block, sizeof(block))); /* more than a second's worth: back at the end */
    assert_false(evict_one(f.rig.lane));
    age(c, EVICT_UPLOAD_NS);
    c->timer.deadline -= 10 * NS_PER_SEC;
    mem_free(say(&f.rig, f.client, "x"));
    assert_true(evict_one(f.rig.lane));
    assert_true(rig_closed(&f.rig, f.client));
    close(f.client);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* ---- time ---- */

static void a_trickled_body_is_out_of_time(void **state)
{
    struct fixture f;
    struct conn *c;
    uint64_t before;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    send_request(&f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    c = newest(&f.rig);
    c->timer.deadline -= 30 * NS_PER_SEC;
    before = c->timer.deadline;
    for (int i = 0; i < 10; i++)
        mem_free(say(&f.rig, f.client, "x"));
    assert_int_equal(c->timer.deadline, before + 10 * PACE_BYTE_NS);
    c->state->timed_out(c);
    answer = rig_read(&f.rig, f.client);
    assert_true(strncmp(answer, "HTTP/1.1 408", 12) == 0);
    assert_int_equal(atomic_load(&f.rig.lane->stats.too_slow), 1);
    mem_free(answer);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* ---- at the listener ---- */

static int listener(struct rig *rig, struct sockaddr_in *at)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    assert_int_equal(listen_add(rig->lane, &(struct edge_listener){ .fd = fd }), 0);
    return fd;
}

static void fini(struct rig *rig, int fd)
{
    listen_stop(rig->lane);
    close(fd);
    rig_fini(rig);
}

static int dial(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
    return fd;
}

static unsigned open_now(struct rig *rig)
{
    for (int i = 0; i < 4; i++)
        turn(rig);
    return atomic_load(&rig->edge.admit.open);
}

static void at_the_limit_the_oldest_goes(void **state)
{
    struct rig rig;
    struct sockaddr_in at;
    int fd, clients[3];

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig.edge.log.level = LOG_ALERT;
    admit_limit(&rig.edge.admit, 2, 0);
    fd = listener(&rig, &at);
    for (int i = 0; i < 3; i++)
        clients[i] = dial(&at);
    assert_int_equal(open_now(&rig), 2); /* the third waits: the others are new */
    assert_true(admit_is_tight(&rig.edge.admit, loop_now(rig.lane->loop)));
    age(CONTAINER_OF(rig.lane->ranks[EVICT_BEGINNING].next, struct conn, ranked), EVICT_BEGIN_NS);
    while (atomic_load(&rig.lane->stats.connections) < 3) /* the listener rests for a moment */
        turn(&rig);
    assert_int_equal(open_now(&rig), 2);
    assert_int_equal(atomic_load(&rig.lane->stats.evicted), 1);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    assert_int_equal(open_now(&rig), 0);
    fini(&rig, fd);
}

/* As many as there may be, and nobody waits: nobody has to go, and nobody is told to close. */
static void the_last_place_is_no_shortage(void **state)
{
    struct rig rig;
    struct sockaddr_in at;
    int fd, clients[3];

    (void)state;
    rig_init(&rig, NULL, NULL);
    admit_limit(&rig.edge.admit, 2, 0);
    fd = listener(&rig, &at);
    clients[0] = dial(&at);
    assert_int_equal(open_now(&rig), 1);
    age(CONTAINER_OF(rig.lane->ranks[EVICT_BEGINNING].next, struct conn, ranked), EVICT_BEGIN_NS);
    clients[1] = dial(&at);
    assert_int_equal(open_now(&rig), 2);
    assert_int_equal(atomic_load(&rig.lane->stats.evicted), 0);
    assert_false(admit_is_tight(&rig.edge.admit, loop_now(rig.lane->loop)));
    clients[2] = dial(&at);
    assert_int_equal(open_now(&rig), 2);
    assert_int_equal(atomic_load(&rig.lane->stats.evicted), 1);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    assert_int_equal(open_now(&rig), 0);
    fini(&rig, fd);
}

/* Only reserved descriptors are left: who has been accepted waits, request and all, and is not reset. */
static void who_is_at_the_door_waits(void **state)
{
    struct rig rig;
    struct sockaddr_in at;
    int fd, client, place = dup(0);
    char *answer, c;

    (void)state;
    rig_init(&rig, "health_path", "/up");
    rig.edge.log.level = LOG_ALERT;
    fd = listener(&rig, &at);
    rig.edge.fds_for_clients = (uint64_t)place + 1;
    client = dial(&at);
    assert_int_equal(send(client, UP, strlen(UP), MSG_NOSIGNAL), strlen(UP));
    assert_int_equal(open_now(&rig), 0);
    assert_int_equal(recv(client, &c, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    close(place);
    while (atomic_load(&rig.lane->stats.connections) == 0) /* the listener rests for a moment */
        turn(&rig);
    answer = rig_read(&rig, client);
    assert_true(strncmp(answer, "HTTP/1.1 200", 12) == 0);
    mem_free(answer);
    close(client);
    assert_int_equal(open_now(&rig), 0);
    fini(&rig, fd);
}

static void too_many_from_one_address(void **state)
{
    struct rig rig;
    struct sockaddr_in at;
    int fd, clients[3];
    char c;

    (void)state;
    rig_init(&rig, NULL, NULL);
    admit_limit(&rig.edge.admit, 100, 2);
    fd = listener(&rig, &at);
    for (int i = 0; i < 3; i++)
        clients[i] = dial(&at);
    assert_int_equal(open_now(&rig), 2);
    assert_int_equal(recv(clients[2], &c, 1, 0), 0);
    assert_int_equal(atomic_load(&rig.lane->stats.crowded), 1);
    close(clients[0]);
    assert_int_equal(open_now(&rig), 1);
    close(clients[2]);
    clients[0] = dial(&at);
    assert_int_equal(open_now(&rig), 2);
    close(clients[0]);
    close(clients[1]);
    assert_int_equal(open_now(&rig), 0);
    fini(&rig, fd);
}

static void trusted_proxies_speak_for_many(void **state)
{
    struct rig rig;
    struct sockaddr_in at;
    int fd, clients[3];

    (void)state;
    rig_init(&rig, "trusted_proxies", "127.0.0.1");
    admit_limit(&rig.edge.admit, 100, 1);
    fd = listener(&rig, &at);
    for (int i = 0; i < 3; i++)
        clients[i] = dial(&at);
    assert_int_equal(open_now(&rig), 3);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    assert_int_equal(open_now(&rig), 0);
    fini(&rig, fd);
}

/* While nobody can be let in, whoever is answered gives its place up. */
static void answers_make_room_when_nobody_else_can(void **state)
{
    struct rig rig;
    char *answer;
    int client;

    (void)state;
    rig_init(&rig, "health_path", "/up");
    client = rig_connect(&rig);
    admit_set_tight(&rig.edge.admit, loop_now(rig.lane->loop));
    answer = say(&rig, client, UP);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    mem_free(answer);
    close(client);
    rig_fini(&rig);
}

/* What the client takes out of the socket's buffer is no news to us: the kernel is asked. */
static void an_answer_that_is_taken_slowly(void **state)
{
    static char drop[64 << 10];
    struct rig rig;
    struct sockaddr_in at;
    struct conn *c;
    char path[128];
    int fd, client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/big.bin", "x");
    snprintf(path, sizeof(path), "%s/static/big.bin", rig.dir);
    assert_int_equal(truncate(path, 64 << 20), 0);
    fd = listener(&rig, &at);
    client = dial(&at);
    assert_int_equal(open_now(&rig), 1);
    c = newest(&rig);
    assert_true(send(client, BIG, strlen(BIG), MSG_NOSIGNAL) > 0);
    while (c->writable)
        turn(&rig);
    c->state->timed_out(c); /* the client's kernel has taken some since the beginning */
    assert_false(c->closed);
    assert_true(loop_timer_armed(&c->timer));
    c->h1->taken = sock_taken(c->stream.fd);
    c->timer.deadline -= 50 * NS_PER_SEC;
    assert_int_equal(recv(client, drop, sizeof(drop), MSG_WAITALL), sizeof(drop));
    for (int i = 0; i < 20000 && sock_taken(c->stream.fd) == c->h1->taken; i++)
        usleep(1000); /* the window opens, and more is acknowledged */
    c->state->timed_out(c);
    assert_false(c->closed);
    for (int i = 0; i < 20000 && atomic_load(&rig.edge.admit.open) > 0; i++) { /* once nothing moves any more */
        usleep(1000);
        c->state->timed_out(c);
        turn(&rig);
    }
    assert_int_equal(open_now(&rig), 0);
    assert_int_equal(atomic_load(&rig.lane->stats.too_slow), 1);
    close(client);
    fini(&rig, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_ones_first_and_the_longest_of_them),
        cmocka_unit_test(a_request_that_has_come_is_not_idle),
        cmocka_unit_test(a_newcomer_has_its_chance),
        cmocka_unit_test(never_one_that_is_being_answered),
        cmocka_unit_test(an_upload_below_the_pace),
        cmocka_unit_test(a_trickled_body_is_out_of_time),
        cmocka_unit_test(an_answer_that_is_taken_slowly),
        cmocka_unit_test(at_the_limit_the_oldest_goes),
        cmocka_unit_test(the_last_place_is_no_shortage),
        cmocka_unit_test(who_is_at_the_door_waits),
        cmocka_unit_test(too_many_from_one_address),
        cmocka_unit_test(trusted_proxies_speak_for_many),
        cmocka_unit_test(answers_make_room_when_nobody_else_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
