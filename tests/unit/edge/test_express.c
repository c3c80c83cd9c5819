/* Slow requests do not get the last worker while most requests are quick; and when they do after all. Two seats, three clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/express.h"
#include "edge/hold.h"
#include "rig.h"

#define CLIENTS 3
#define QUICK "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"
#define SLOW "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
#define LESS_SLOW "GET /less HTTP/1.1\r\nHost: x\r\n\r\n"

struct shop {
    struct rig rig;
    struct rig_app app;
    int clients[CLIENTS];
};

static void open_site(struct shop *s, uint64_t slow_ns)
{
    struct dispatch *d = &s->rig.edge.dispatch;

    rig_init(&s->rig, NULL, NULL);
    rig_app_open(&s->rig, &s->app, 1, 2);
    for (int i = 0; i < CLIENTS; i++)
        s->clients[i] = rig_connect(&s->rig);
    usual_note(&d->usual, STR("GET"), STR("/slow"), 2 * slow_ns);
    d->quick_share = 65536;
}

static void ask(struct shop *s, int client, const char *request)
{
    char *said = rig_talk(&s->rig, s->clients[client], request, strlen(request));

    assert_string_equal(said, "");
    mem_free(said);
}

static struct pool_ticket take(struct shop *s, uint32_t seat, const char *path)
{
    struct pool_request request;
    struct pool_ticket t = rig_app_take(&s->app, seat, &request);

    assert_true(str_eq(request.vars[POOL_PATH], str_of(path)));
    return t;
}

static void answer(struct shop *s, struct pool_ticket t, uint32_t seat, int client)
{
    char *said;

    rig_app_head(&s->app, t, 200, "Content-Length", "2");
    rig_app_data(&s->app, t, "ok");
    rig_app_end(&s->app, t, seat);
    said = rig_read(&s->rig, s->clients[client]);
    assert_non_null(strstr(said, "ok"));
    mem_free(said);
}

static void close_site(struct shop *s)
{
    struct dispatch *d = &s->rig.edge.dispatch;

    assert_int_equal(d->n_queued, 0);
    assert_int_equal(s->app.generation->n_slow, 0);
    for (int i = 0; i < CLIENTS; i++)
        close(s->clients[i]);
    rig_app_close(&s->rig, &s->app);
    rig_fini(&s->rig);
}

static void a_quick_one_overtakes(void **state)
{
    struct pool_ticket first, t;
    struct shop s;

    open_site(&s, NS_PER_SEC);
    ask(&s, 0, SLOW);
    first = take(&s, 0, "/slow");
    ask(&s, 1, SLOW);
    assert_true(rig_app_idle(&s.app, 1));
    ask(&s, 2, QUICK);
    t = take(&s, 1, "/quick");
    answer(&s, t, 1, 2);
    assert_true(rig_app_idle(&s.app, 1));
    answer(&s, first, 0, 0);
    t = take(&s, 1, "/slow");
    answer(&s, t, 1, 1);
    close_site(&s);
}

static void slow_ones_are_in_order(void **state)
{
    struct pool_ticket t;
    struct shop s;

    open_site(&s, NS_PER_SEC);
    for (int i = 0; i < CLIENTS; i++)
        ask(&s, i, SLOW);
    for (int i = 0; i < CLIENTS; i++) {
        t = take(&s, 0, "/slow");
        assert_true(rig_app_idle(&s.app, 1));
        answer(&s, t, 0, i);
    }
    close_site(&s);
}

static void not_where_slow_ones_are_the_load(void **state)
{
    struct pool_ticket t[2];
    struct shop s;

    open_site(&s, NS_PER_SEC);
    s.rig.edge.dispatch.quick_share = 65536 / 2;
    ask(&s, 0, SLOW);
    ask(&s, 1, SLOW);
    for (uint32_t i = 0; i < 2; i++)
        t[i] = take(&s, i, "/slow");
    for (uint32_t i = 0; i < 2; i++)
        answer(&s, t[i], i, (int)i);
    close_site(&s);
}

/* 40 ms are its time: after 160 ms it has waited enough, and nothing else has to happen for it. */
static void nobody_waits_aside_for_long(void **state)
{
    uint64_t begin = clock_mono_ns();
    struct pool_ticket first, t;
    struct shop s;

    open_site(&s, USUAL_SLOW_NS);
    ask(&s, 0, SLOW);
    first = take(&s, 0, "/slow");
    ask(&s, 1, SLOW);
    while (s.rig.edge.dispatch.n_queued > 0 && clock_mono_ns() - begin < 10 * NS_PER_SEC)
        mem_free(rig_read(&s.rig, s.clients[1]));
    assert_true(clock_mono_ns() - begin >= 4 * USUAL_SLOW_NS);
    t = take(&s, 1, "/slow");
    answer(&s, t, 1, 1);
    answer(&s, first, 0, 0);
    close_site(&s);
}

static void wait_until_nobody_is_aside(struct shop *s, int client)
{
    uint64_t begin = clock_mono_ns();

    while (s->rig.edge.dispatch.n_queued > 0 && clock_mono_ns() - begin < 10 * NS_PER_SEC)
        mem_free(rig_read(&s->rig, s->clients[client]));
    assert_int_equal(s->rig.edge.dispatch.n_queued, 0);
}

/* It had a slot when it came, so it was not aside then. */
static void who_is_taken_back_waits_no_longer(void **state)
{
    struct pool_ticket first, t;
    struct dispatch *d;
    struct shop s;

    open_site(&s, USUAL_SLOW_NS);
    d = &s.rig.edge.dispatch;
    d->quick_share = 65536 / 2;
    ask(&s, 0, SLOW);
    ask(&s, 1, SLOW);
    d->quick_share = 65536;
    hold_begin(d, clock_mono_ns(), NS_PER_SEC, 1);
    assert_int_equal(d->n_queued, 2);
    hold_end(d, clock_mono_ns());
    first = take(&s, 0, "/slow");
    wait_until_nobody_is_aside(&s, 1);
    t = take(&s, 1, "/slow");
    answer(&s, t, 1, 1);
    answer(&s, first, 0, 0);
    close_site(&s);
}

/* The one before it may wait for longer, and leaves. */
static void who_has_waited_goes_when_another_leaves(void **state)
{
    uint64_t begin = clock_mono_ns();
    struct pool_ticket first, t;
    struct shop s;

    open_site(&s, 10 * NS_PER_SEC);
    usual_note(&s.rig.edge.dispatch.usual, STR("GET"), STR("/less"), 2 * USUAL_SLOW_NS);
    ask(&s, 0, SLOW);
    first = take(&s, 0, "/slow");
    ask(&s, 1, SLOW);
    ask(&s, 2, LESS_SLOW);
    while (clock_mono_ns() - begin < 6 * USUAL_SLOW_NS)
        mem_free(rig_read(&s.rig, s.clients[2]));
    assert_int_equal(s.rig.edge.dispatch.n_queued, 2);
    shutdown(s.clients[1], SHUT_RDWR);
    wait_until_nobody_is_aside(&s, 1);
    t = take(&s, 1, "/less");
    answer(&s, t, 1, 2);
    answer(&s, first, 0, 0);
    close_site(&s);
}

static void who_leaves_while_aside_is_gone(void **state)
{
    struct pool_ticket first;
    struct shop s;

    open_site(&s, NS_PER_SEC);
    ask(&s, 0, SLOW);
    first = take(&s, 0, "/slow");
    ask(&s, 1, SLOW);
    assert_int_equal(s.rig.edge.dispatch.n_queued, 1);
    shutdown(s.clients[1], SHUT_RDWR);
    mem_free(rig_read(&s.rig, s.clients[1]));
    assert_int_equal(s.rig.edge.dispatch.n_queued, 0);
    answer(&s, first, 0, 0);
    assert_true(rig_app_idle(&s.app, 1));
    close_site(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quick_one_overtakes),
        cmocka_unit_test(slow_ones_are_in_order),
        cmocka_unit_test(not_where_slow_ones_are_the_load),
        cmocka_unit_test(nobody_waits_aside_for_long),
        cmocka_unit_test(who_is_taken_back_waits_no_longer),
        cmocka_unit_test(who_has_waited_goes_when_another_leaves),
        cmocka_unit_test(who_leaves_while_aside_is_gone),
    };

    return cmocka_run_group_tests_name("express", tests, NULL, NULL);
}
