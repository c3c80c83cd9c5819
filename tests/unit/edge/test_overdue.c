/* Requests past their time: who is told what, and that the other threads of their worker are let finish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture.h"
#include "pool/layout.h"
#include "wire/message.h"

#define TIMEOUT "900ms" /* a test that is not scheduled for a third of it is wrong about the order */
#define TIMEOUT_NS (900 * NS_PER_MS)
#define GIVE_UP_NS (20 * NS_PER_SEC)

static void fired(struct loop_timer *timer)
{
}

/* Turns the loop for so long, or until the supervisor is told something. */
static enum wire_type told_within(struct rig *rig, uint64_t ns)
{
    uint64_t end = clock_mono_ns() + ns;
    enum wire_type told = rig_told(rig);
    struct loop_timer timer;

    loop_timer_init(&timer, fired);
    for (uint64_t now; told == WIRE_NONE && (now = clock_mono_ns()) < end; told = rig_told(rig)) {
        loop_timer_set(rig->lane->loop, &timer, end - now);
        loop_once(rig->lane->loop);
    }
    loop_timer_stop(rig->lane->loop, &timer);
    return told;
}

static enum wire_type next_told(struct rig *rig)
{
    return told_within(rig, GIVE_UP_NS);
}

/* A rig whose one worker has two threads. */
static void open_two(struct rig *rig, struct rig_app *app)
{
    rig_init(rig, "timeout", TIMEOUT);
    rig_app_open(rig, app, 1, 2);
}

static struct pool_ticket ask(struct rig *rig, struct rig_app *app, uint32_t seat, int *client)
{
    struct pool_request request;
    struct pool_ticket ticket;

    *client = rig_connect(rig);
    mem_free(rig_talk(rig, *client, GET, sizeof(GET) - 1));
    ticket = rig_app_take(app, seat, &request);
    return ticket;
}

static char *answer_of(struct rig *rig, int client)
{
    char *answer = rig_read(rig, client);

    while (answer[0] == '\0') {
        mem_free(answer);
        loop_once(rig->lane->loop);
        answer = rig_read(rig, client);
    }
    return answer;
}

static void expect_answer(struct rig *rig, int client, const char *status)
{
    char *answer = answer_of(rig, client);

    assert_memory_equal(answer, status, strlen(status));
    mem_free(answer);
}

static void a_peer_is_let_finish(void **state)
{
    struct rig rig;
    struct rig_app app;
    struct pool_ticket stuck, peer, none;
    int a, b;

    open_two(&rig, &app);
    stuck = ask(&rig, &app, 0, &a);
    assert_int_equal(told_within(&rig, TIMEOUT_NS * 2 / 3), WIRE_NONE);
    peer = ask(&rig, &app, 1, &b);
    assert_int_equal(next_told(&rig), WIRE_WORKER_STUCK);
    expect_answer(&rig, a, "HTTP/1.1 504");
    assert_true(pool_cancelled(app.pool, stuck));
    /* Both seats are closed, and the peer has not been touched. */
    assert_int_equal(pool_try_take(app.pool, 0, &none), POOL_CLOSED);
    assert_int_equal(pool_try_take(app.pool, 1, &none), POOL_CLOSED);
    assert_int_equal(told_within(&rig, TIMEOUT_NS / 3), WIRE_NONE);
    assert_false(pool_cancelled(app.pool, peer));
    rig_app_head(&app, peer, 200, "Content-Length", "2");
    rig_app_data(&app, peer, "ok");
    rig_app_end(&app, peer, 1);
    expect_answer(&rig, b, "HTTP/1.1 200");
    assert_int_equal(next_told(&rig), WIRE_WORKER_SPENT);
    assert_int_equal(told_within(&rig, TIMEOUT_NS / 2), WIRE_NONE); /* once */
    rig_app_kill(&rig, &app);
    close(a);
    close(b);
    rig_app_close(&rig, &app);
    rig_fini(&rig);
}

static void nobody_waits_for_an_orphan_but_us(void **state)
{
    struct fixture f;

    open_fixture(&f, "timeout", TIMEOUT);
    send_request(&f, GET);
    (void)rig_app_take(&f.app, 0, &f.request);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_int_equal(f.rig.lane->pending, 0);
    assert_int_equal(next_told(&f.rig), WIRE_WORKER_STUCK);
    assert_int_equal(next_told(&f.rig), WIRE_WORKER_SPENT);
    assert_int_equal(told_within(&f.rig, TIMEOUT_NS), WIRE_NONE);
    rig_app_kill(&f.rig, &f.app);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

static void an_orphan_that_ends_in_time_is_no_news(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    open_fixture(&f, "timeout", TIMEOUT);
    t = send_and_take(&f, GET);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    answer_hello(&f, t);
    assert_int_equal(told_within(&f.rig, 2 * TIMEOUT_NS), WIRE_NONE);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* Between a worker's taking a request and its noting when, the slot bears no time. */
static void an_orphan_is_not_as_old_as_its_slot(void **state)
{
    struct fixture f;
    struct pool_ticket t;

    open_fixture(&f, "timeout", TIMEOUT);
    t = send_and_take(&f, GET);
    atomic_store(&f.app.pool->slots[t.slot].taken_ns, 0);
    close(f.client);
    mem_free(rig_read(&f.rig, f.client));
    assert_int_equal(told_within(&f.rig, TIMEOUT_NS / 2), WIRE_NONE);
    answer_hello(&f, t);
    f.client = rig_connect(&f.rig);
    close_fixture(&f);
}

/* The next worker in these seats is none of them. */
static void a_new_worker_begins_with_a_clean_name(void **state)
{
    struct fixture f;

    open_fixture(&f, "timeout", TIMEOUT);
    send_request(&f, GET);
    (void)rig_app_take(&f.app, 0, &f.request);
    assert_int_equal(next_told(&f.rig), WIRE_WORKER_STUCK);
    rig_app_kill(&f.rig, &f.app);
    assert_int_equal(told_within(&f.rig, TIMEOUT_NS), WIRE_NONE);
    assert_false(f.app.generation->workers[0].stuck);
    mem_free(rig_read(&f.rig, f.client));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_let_finish),
        cmocka_unit_test(nobody_waits_for_an_orphan_but_us),
        cmocka_unit_test(an_orphan_that_ends_in_time_is_no_news),
        cmocka_unit_test(an_orphan_is_not_as_old_as_its_slot),
        cmocka_unit_test(a_new_worker_begins_with_a_clean_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
