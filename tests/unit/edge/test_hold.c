/* Pauses: what waits, what runs on, what is told, and how time counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/report.h"
#include "fixture.h"

static struct dispatch *queue_of(struct fixture *f)
{
    return &f->rig.edge.dispatch;
}

static void begin(struct fixture *f, uint32_t number)
{
    hold_begin(queue_of(f), clock_mono_ns(), NS_PER_SEC, number);
    report_idle(&f->rig.edge);
    mem_free(rig_read(&f->rig, f->client));
}

static void end(struct fixture *f)
{
    hold_end(queue_of(f), clock_mono_ns());
}

static void what_no_worker_has_seen_goes_back(void **state)
{
    struct fixture f;

    open_fixture(&f, NULL, NULL);
    send_request(&f, GET);
    begin(&f, 7);
    assert_true(rig_app_idle(&f.app, 0));
    assert_int_equal(queue_of(&f)->n_queued, 1);
    assert_int_equal(rig_told(&f.rig), WIRE_HELD);
    assert_int_equal(rig_told(&f.rig), WIRE_NONE); /* once */
    end(&f);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

static void what_runs_ends_first(void **state)
{
    struct pool_ticket t;
    struct fixture f;

    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    begin(&f, 1);
    assert_int_equal(rig_told(&f.rig), WIRE_NONE);
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    assert_int_equal(rig_told(&f.rig), WIRE_HELD);
    send_request(&f, GET); /* free slots or not: it waits */
    assert_true(rig_app_idle(&f.app, 0));
    end(&f);
    answer_hello(&f, rig_app_take(&f.app, 0, &f.request));
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

static void a_second_one_is_told_of_again(void **state)
{
    uint32_t number;
    struct fixture f;

    open_fixture(&f, NULL, NULL);
    begin(&f, 1);
    assert_int_equal(rig_told(&f.rig), WIRE_HELD);
    assert_false(hold_quiet(queue_of(&f), &number));
    hold_begin(queue_of(&f), clock_mono_ns(), NS_PER_SEC, 2);
    assert_true(hold_quiet(queue_of(&f), &number));
    assert_int_equal(number, 2);
    end(&f);
    assert_false(hold_quiet(queue_of(&f), &number));
    end(&f); /* harmless */
    close_fixture(&f);
}

static void waits_through_a_switch(void **state)
{
    struct rig_app next;
    struct pool_ticket t;
    struct fixture f;

    open_fixture(&f, NULL, NULL);
    begin(&f, 1);
    assert_int_equal(rig_told(&f.rig), WIRE_HELD);
    send_request(&f, GET);
    rig_app_open(&f.rig, &next, 2, 1);
    mem_free(rig_read(&f.rig, f.client));
    assert_true(rig_app_idle(&f.app, 0) && rig_app_idle(&next, 0));
    end(&f);
    t = rig_app_take(&next, 0, &f.request);
    rig_app_head(&next, t, 200, "Content-Length", "3");
    rig_app_data(&next, t, "new");
    rig_app_end(&next, t, 0);
    expect(&f, "HTTP/1.1 200 OK\r\n", "new");
    rig_app_close(&f.rig, &next);
    (void)rig_told(&f.rig); /* POOL_IDLE */
    close_fixture(&f);
}

static void deadlines_stand_still(void **state)
{
    struct fixture f;
    char *answer;

    open_fixture(&f, "queue_timeout", "100ms");
    begin(&f, 1);
    assert_int_equal(rig_told(&f.rig), WIRE_HELD);
    send_request(&f, GET);
    for (uint64_t from = clock_mono_ns(); clock_mono_ns() - from < 300 * NS_PER_MS;) {
        answer = rig_read(&f.rig, f.client);
        assert_string_equal(answer, "");
        mem_free(answer);
    }
    end(&f); /* nobody takes it: now its time runs */
    answer = await_answer(&f);
    assert_true(strncmp(answer, "HTTP/1.1 503", 12) == 0);
    mem_free(answer);
    close_fixture(&f);
}

static void time_is_added_up(void **state)
{
    struct hold h = { 0 };

    assert_int_equal(hold_total(&h, 100), 0);
    h = (struct hold){ .since_ns = 50, .total_ns = 7 };
    assert_int_equal(hold_total(&h, 100), 57);
    assert_int_equal(hold_total(&h, 40), 7); /* another lane's clock is a moment behind */
}

static void retry_after_is_the_rest(void **state)
{
    uint64_t now = clock_mono_ns();
    struct fixture f;

    open_fixture(&f, NULL, NULL);
    hold_begin(queue_of(&f), now, 20 * NS_PER_SEC, 1);
    assert_int_equal(dispatch_retry_after(queue_of(&f), now + 5 * NS_PER_SEC + 1), 15);
    hold_end(queue_of(&f), now);
    assert_int_equal(dispatch_retry_after(queue_of(&f), now), 1);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_worker_has_seen_goes_back),
        cmocka_unit_test(what_runs_ends_first),
        cmocka_unit_test(a_second_one_is_told_of_again),
        cmocka_unit_test(waits_through_a_switch),
        cmocka_unit_test(deadlines_stand_still),
        cmocka_unit_test(time_is_added_up),
        cmocka_unit_test(retry_after_is_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
