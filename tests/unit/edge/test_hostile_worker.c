/* Workers that break the rules or die at the worst moment: their requests get an answer, their slots and descriptors come back. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/handler/handlers.h"
#include "fixture.h"
#include "pool/layout.h"
#include "pool/wake.h"
#include "wire/message.h"

static struct pool_ticket take_request(struct fixture *f, const char *request)
{
    send_request(f, request);
    return rig_app_take(&f->app, 0, &f->request);
}

static int file_of(const char *content)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    return fd;
}

/* ---- deaths ---- */

static void died_with_an_unfit_head(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    rig_app_head(&f.app, t, 200, "X-A", "a\r\nb: c");
    rig_app_kill(&f.rig, &f.app);
    expect(&f, "HTTP/1.1 502", "Request ");
    assert_int_equal(f.app.generation->used, 0);
    close_fixture(&f);
}

static void died_between_done_and_attention(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    struct shared_slot *s;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "5");
    assert_int_equal(pool_put_data(f.app.pool, t, STR("hello")), 5);
    assert_int_equal(pool_put_end(f.app.pool, t), 0);
    s = slot_at(f.app.pool, t.slot);
    atomic_store(&s->word, word_make(POOL_DONE, 0, t.serial));
    rig_app_kill(&f.rig, &f.app);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

static void died_done_after_its_client_left(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    atomic_store(&slot_at(f.app.pool, t.slot)->word, word_make(POOL_DONE, 0, t.serial));
    rig_app_kill(&f.rig, &f.app);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* The supervisor's word is in, the lane has not looked yet: then the client goes. */
static void client_leaves_before_a_death_is_settled(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    (void)take_request(&f, GET);
    pools_worker_gone(&f.rig.edge.dispatch, f.app.generation, 0);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_int_equal(f.app.generation->used, 0);
    app_settle_lost(f.rig.lane, f.app.generation);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* The edge died, then a worker, then a new edge was told of the worker's successor only. */
static void a_successor_joins_over_what_the_dead_left(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    int fds[2];

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    rig_app_head(&f.app, t, 200, "X-A", "a");
    assert_int_equal(wire_pair(fds), 0);
    if (pools_worker_joined(&f.rig.edge.dispatch, f.app.generation, 0, getpid() + 1, fds[1]))
        app_settle_lost(f.rig.lane, f.app.generation);
    close(fds[0]);
    expect(&f, "HTTP/1.1 502", "Request ");
    close_fixture(&f);
}

static void died_while_a_slow_client_had_it_wait(void **state)
{
    static const char big[60 << 10];
    struct fixture f;
    struct pool_ticket t;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, POST);
    rig_app_head(&f.app, t, 200, "Content-Length", "6000000");
    assert_true(pool_put_data(f.app.pool, t, str_make(big, sizeof(big))) > 0);
    pool_attention(f.app.pool, t);
    mem_free(rig_read(&f.rig, f.client));
    assert_true(pool_put_data(f.app.pool, t, str_make(big, sizeof(big))) > 0);
    rig_app_kill(&f.rig, &f.app);
    answer = rig_read(&f.rig, f.client);
    mem_free(answer);
    assert_true(rig_closed(&f.rig, f.client)); /* broken off: never looks complete */
    close_fixture(&f);
}

/* ---- descriptors ---- */

static void many_files_in_one_response(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    rig_app_head(&f.app, t, 200, NULL, NULL);
    for (int i = 0; i < 20; i++) {
        int fd = file_of("0123456789");

        put_file(&f, t, fd, 3);
        pool_attention(f.app.pool, t);
        close(fd);
        answer = rig_read(&f.rig, f.client);
        assert_non_null(strstr(answer, "3\r\n012\r\n"));
        mem_free(answer);
    }
    rig_app_end(&f.app, t, 0);
    expect(&f, "0\r\n\r\n", "");
    close_fixture(&f);
}

static void files_that_are_none(void **state)
{
    int pipes[2], fds[4];

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    fds[0] = pipes[0];
    fds[1] = open("/dev/zero", O_RDONLY);
    fds[2] = open("/", O_RDONLY | O_DIRECTORY);
    fds[3] = -1;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        struct fixture f;
        struct pool_ticket t;

        open_fixture(&f, NULL, NULL);
        t = take_request(&f, GET);
        rig_app_head(&f.app, t, 200, NULL, NULL);
        put_file(&f, t, fds[i], 10);
        rig_app_end(&f.app, t, 0);
        expect(&f, "HTTP/1.1 502", "Request ");
        close_fixture(&f);
    }
    close(pipes[0]);
    close(pipes[1]);
    close(fds[1]);
    close(fds[2]);
}

static void a_file_that_shrinks_breaks_off(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    char *answer;
    int fd;

    (void)state;
    open_fixture(&f, NULL, NULL);
    fd = file_of("0123456789");
    assert_int_equal(ftruncate(fd, 8 << 20), 0);
    t = take_request(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "8388608");
    put_file(&f, t, fd, 8 << 20);
    rig_app_end(&f.app, t, 0);
    loop_wake(f.rig.lane->loop);
    loop_once(f.rig.lane->loop);
    assert_int_equal(ftruncate(fd, 10), 0);
    answer = rig_read(&f.rig, f.client);
    assert_true(strncmp(answer, "HTTP/1.1 200", 12) == 0);
    assert_true(rig_closed(&f.rig, f.client));
    mem_free(answer);
    close(fd);
    close_fixture(&f);
}

/* Descriptors for slots it does not have, of generations past, and words only the supervisor may say. */
static void a_flood_on_the_channel_harms_nobody(void **state)
{
    struct wire_message m = { .type = WIRE_FILE_BODY, .n_fds = 1 };
    struct fixture f;
    struct pool_ticket t;
    int fd, sent = 0;

    (void)state;
    open_fixture(&f, NULL, NULL);
    fd = file_of("0123456789");
    m.fds[0] = fd;
    t = take_request(&f, GET);
    assert_int_equal(fcntl(f.app.channel, F_SETFL, O_NONBLOCK), 0);
    for (uint64_t i = 0; i < 50; i++) {
        m.number = i << 32 | (t.serial + i + 1);
        assert_int_equal(wire_send(f.app.channel, &m), 0);
    }
    rig_app_head(&f.app, t, 200, "Content-Length", "10");
    put_file(&f, t, fd, 10);
    rig_app_end(&f.app, t, 0);
    expect(&f, "HTTP/1.1 200 OK\r\n", "0123456789");
    m.number = UINT64_MAX;
    while (wire_send(f.app.channel, &m) == 0)
        sent++;
    assert_true(sent > 10);
    t = take_request(&f, GET);
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close(fd);
    close_fixture(&f);
}

/* ---- words and frames ---- */

static void frames_that_may_not_come_here(void **state)
{
    (void)state;
    for (uint64_t kind = 0; kind < 8; kind++) {
        struct fixture f;
        struct pool_ticket t;
        _Atomic uint64_t *ring;

        open_fixture(&f, NULL, NULL);
        t = take_request(&f, GET);
        ring = (void *)ring_area(f.app.pool, t.slot);
        atomic_store(ring, (uint64_t)0xfffffff8 << 32 | kind);
        atomic_store(&slot_at(f.app.pool, t.slot)->written, 8);
        pool_attention(f.app.pool, t);
        expect(&f, "HTTP/1.1 502", "Request ");
        assert_int_equal(rig_told(&f.rig), WIRE_POOL_BAD); /* it will be replaced */
        rig_app_kill(&f.rig, &f.app);
        close_fixture(&f);
    }
}

/* It gives up what it had, by its word: nobody else gets it, and its death ends it. */
static void a_word_that_says_ready_again(void **state)
{
    for (int left = 0; left < 2; left++) {
        struct fixture f;
        struct pool_ticket t;

        (void)state;
        open_fixture(&f, NULL, NULL);
        t = take_request(&f, POST);
        rig_app_head(&f.app, t, 200, "Content-Length", "5");
        rig_app_data(&f.app, t, "hel");
        mem_free(rig_read(&f.rig, f.client));
        if (left) {
            close(f.client);
            f.client = rig_connect(&f.rig);
            mem_free(rig_read(&f.rig, f.client));
        }
        atomic_store(&slot_at(f.app.pool, t.slot)->word, word_make(POOL_READY, 0, t.serial));
        rig_app_kill(&f.rig, &f.app);
        mem_free(rig_read(&f.rig, f.client));
        assert_int_equal(f.app.generation->used, 0);
        close_fixture(&f);
    }
}

static void heads_with_absurd_fields(void **state)
{
    static const struct {
        unsigned status;
        const char *name, *value;
    } cases[] = { { 0, "X", "y" },
                  { 100, "X", "y" },
                  { 101, "X", "y" },
                  { 199, "X", "y" },
                  { 600, "X", "y" },
                  { 65535, "X", "y" },
                  { 200, "", "y" },
                  { 200, "X Y", "y" },
                  { 200, "X:", "y" },
                  { 200, "Content-Length", "-1" },
                  { 200, "Content-Length", "1, 1" },
                  { 200, "Content-Length", "99999999999999999999" },
                  { 200, "X", "a\x7f" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct pool_ticket t;

        open_fixture(&f, NULL, NULL);
        t = take_request(&f, GET);
        rig_app_head(&f.app, t, cases[i].status, cases[i].name, cases[i].value);
        rig_app_end(&f.app, t, 0);
        expect(&f, "HTTP/1.1 502", "Request ");
        close_fixture(&f);
    }
}

static void says_done_without_a_word(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    pool_done(f.app.pool, 0, t);
    expect(&f, "HTTP/1.1 502", "Request ");
    close_fixture(&f);
}

static void says_done_in_the_middle(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    char *answer;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    rig_app_head(&f.app, t, 200, "Content-Length", "10");
    rig_app_data(&f.app, t, "hello");
    pool_done(f.app.pool, 0, t);
    answer = rig_read(&f.rig, f.client);
    assert_non_null(strstr(answer, "hello"));
    assert_true(rig_closed(&f.rig, f.client));
    mem_free(answer);
    close_fixture(&f);
}

/* What another edge left, with a header that its workers have changed since. */
static void an_inherited_pool_with_another_geometry_is_refused(void **state)
{
    struct rig rig;
    struct pool_geometry geometry = { .workers = 1, .threads = 1, .lanes = 2, .slots = 4 };
    int memfd = pool_create(&geometry), event = dup(memfd);
    struct pool_fds fds = { .memfd = memfd, .eventfds = &event, .lanes = 1 };
    struct generation *g;

    (void)state;
    rig_init(&rig, NULL, NULL);
    assert_int_equal(pools_open(&rig.edge.dispatch, 1, &fds, &g), -EPROTO);
    rig_fini(&rig);
}

/* ---- time and memory ---- */

static void no_timeout_is_no_limit(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    (void)state;
    open_fixture(&f, "timeout", "0");
    t = take_request(&f, GET);
    for (int i = 0; i < 5; i++)
        mem_free(rig_read(&f.rig, f.client));
    assert_false(pool_cancelled(f.app.pool, t));
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

static void no_timeout_keeps_the_queues_limit(void **state)
{
    struct fixture f;
    char *answer;
    int other;

    (void)state;
    open_fixture(&f, "timeout", "0");
    ((struct conf_route *)(uintptr_t)f.rig.edge.snapshot->sites->elsewhere->conf)->queue_timeout = 20 * NS_PER_MS;
    (void)take_request(&f, GET);
    other = rig_connect(&f.rig);
    mem_free(rig_talk(&f.rig, other, GET, strlen(GET)));
    do
        answer = rig_read(&f.rig, other);
    while (answer[0] == '\0' && (mem_free(answer), true));
    assert_true(strncmp(answer, "HTTP/1.1 503", 12) == 0);
    mem_free(answer);
    close(other);
    close(f.client);
    mem_free(rig_read(&f.rig, other));
    rig_app_kill(&f.rig, &f.app);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

struct give_up {
    struct loop_timer timer;
    bool fired;
};

static void too_late(struct loop_timer *timer)
{
    CONTAINER_OF(timer, struct give_up, timer)->fired = true;
}

struct end {
    struct rig_app *app;
    struct pool_ticket *ticket;
};

/* Says DONE once the lane has said that it sleeps, or after a second in which it did not. */
static void *ends_when_the_lane_sleeps(void *arg)
{
    struct end *end = arg;
    uint64_t until = clock_mono_ns() + NS_PER_SEC;

    while (atomic_load(&end->app->pool->lanes[0].asleep) == 0 && clock_mono_ns() < until)
        sched_yield();
    pool_done(end->app->pool, 0, *end->ticket);
    return NULL;
}

/* The lane sleeps with no request of its own: the end of an orphan must still wake it, or a retired generation never ends. */
static void the_end_of_an_orphan_wakes_the_lane(void **state)
{
    struct give_up give_up = { .fired = false };
    struct fixture f;
    struct pool_ticket t;
    struct end end = { &f.app, &t };
    enum wire_type told = WIRE_NONE;
    struct rig_app next;
    pthread_t thread;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = take_request(&f, GET);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_int_equal(f.rig.lane->pending, 0);
    rig_app_open(&f.rig, &next, 2, 1);
    loop_timer_init(&give_up.timer, too_late);
    loop_timer_set(f.rig.lane->loop, &give_up.timer, 2 * NS_PER_SEC);
    assert_int_equal(pthread_create(&thread, NULL, ends_when_the_lane_sleeps, &end), 0);
    while (told != WIRE_POOL_IDLE && !give_up.fired) {
        loop_once(f.rig.lane->loop);
        told = rig_told(&f.rig);
    }
    pthread_join(thread, NULL);
    loop_timer_stop(f.rig.lane->loop, &give_up.timer);
    assert_false(give_up.fired);
    rig_app_close(&f.rig, &next);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* The supervisor closes a pool in which a request still is. */
static void a_pool_that_is_closed_under_a_request(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, NULL, NULL);
    (void)take_request(&f, POST);
    rig_app_close(&f.rig, &f.app);
    expect(&f, "HTTP/1.1 502", "Request ");
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_int_equal(f.rig.lane->pending, 0);
    rig_fini(&f.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(died_with_an_unfit_head),
        cmocka_unit_test(died_between_done_and_attention),
        cmocka_unit_test(died_done_after_its_client_left),
        cmocka_unit_test(client_leaves_before_a_death_is_settled),
        cmocka_unit_test(a_successor_joins_over_what_the_dead_left),
        cmocka_unit_test(died_while_a_slow_client_had_it_wait),
        cmocka_unit_test(many_files_in_one_response),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_file_that_shrinks_breaks_off),
        cmocka_unit_test(a_flood_on_the_channel_harms_nobody),
        cmocka_unit_test(frames_that_may_not_come_here),
        cmocka_unit_test(a_word_that_says_ready_again),
        cmocka_unit_test(heads_with_absurd_fields),
        cmocka_unit_test(says_done_without_a_word),
        cmocka_unit_test(says_done_in_the_middle),
        cmocka_unit_test(an_inherited_pool_with_another_geometry_is_refused),
        cmocka_unit_test(no_timeout_is_no_limit),
        cmocka_unit_test(no_timeout_keeps_the_queues_limit),
        cmocka_unit_test(the_end_of_an_orphan_wakes_the_lane),
        cmocka_unit_test(a_pool_that_is_closed_under_a_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
