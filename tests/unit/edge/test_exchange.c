/* Exchanges: the end of a handler comes once, a new answer forgets the old one, status as JSON. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/exchange.h"
#include "edge/handler/handlers.h"
#include "edge/status.h"
#include "fixture.h"

static unsigned ended, flushed;

static void on_end(struct exchange *ex)
{
    assert_non_null(ex->state);
    ended++;
}

static void on_flush(struct exchange *ex)
{
    (void)ex;
    flushed++;
}

static const struct handler counting = { .name = "counting", .end = on_end };
static const struct exchange_ops ops = { .flush = on_flush };

static void begin(struct rig *rig, struct exchange *ex)
{
    static int something;

    rig_init(rig, NULL, NULL);
    exchange_init(ex, rig->lane);
    ex->ops = &ops;
    exchange_begin(ex);
    ex->snapshot = snapshot_ref(rig->edge.snapshot);
    ex->route = ex->snapshot->sites->elsewhere;
    ex->id = STR("id");
    ex->handler = &counting;
    ex->state = &something;
    ended = flushed = 0;
}

static void a_handler_ends_once(void **state)
{
    struct exchange ex;
    struct rig rig;

    (void)state;
    begin(&rig, &ex);
    exchange_end(&ex);
    assert_int_equal(ended, 1);
    exchange_end(&ex);
    exchange_fini(&ex);
    assert_int_equal(ended, 1);
    rig_fini(&rig);
}

static void a_page_ends_the_handler_before(void **state)
{
    struct exchange ex;
    struct rig rig;

    (void)state;
    begin(&rig, &ex);
    exchange_respond(&ex, 200);
    exchange_add(&ex, STR("X-Old"), STR("1"));
    exchange_page(&ex, 502, STR("detail"));
    assert_int_equal(ended, 1);
    assert_int_equal(flushed, 1);
    assert_ptr_equal(ex.handler, &page_handler);
    assert_int_equal(ex.response.status, 502);
    assert_false(exchange_has(&ex, STR("x-old")));
    assert_true(exchange_has(&ex, STR("x-request-id")));
    exchange_page(&ex, 504, STR("another, before the first was sent"));
    assert_int_equal(ex.response.status, 504);
    exchange_fini(&ex);
    assert_int_equal(ended, 1);
    rig_fini(&rig);
}

static void fields_past_the_maximum_are_dropped(void **state)
{
    struct exchange ex;
    struct rig rig;

    (void)state;
    begin(&rig, &ex);
    exchange_respond(&ex, 200);
    for (int i = 0; i < EXCHANGE_FIELDS_MAX + 10; i++)
        exchange_add(&ex, STR("A"), STR("b"));
    assert_int_equal(ex.response.n_fields, EXCHANGE_FIELDS_MAX);
    exchange_fini(&ex);
    rig_fini(&rig);
}

static void pages_escape_what_is_not_ours(void **state)
{
    struct exchange ex;
    struct rig rig;
    struct piece piece = { 0 };

    (void)state;
    begin(&rig, &ex);
    ex.id = STR("<script>");
    exchange_page(&ex, 404, STR(""));
    assert_int_equal(page_handler.peek(&ex, &piece), PIECE_DATA);
    assert_null(memmem(piece.iov[0].iov_base, piece.iov[0].iov_len, "<script>", 8));
    exchange_fini(&ex);
    rig_fini(&rig);
}

/* ---- status ---- */

static json_t *status_of(struct rig *rig, size_t max)
{
    struct buf b;
    json_t *json;

    buf_init(&b, max);
    assert_int_equal(status_write(&rig->edge, &b), 0);
    json = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    buf_fini(&b);
    return json;
}

static void status_is_json(void **state)
{
    struct fixture f;
    struct pool_ticket t;
    json_t *json, *g;

    (void)state;
    open_fixture(&f, NULL, NULL);
    t = send_and_take(&f, GET);
    json = status_of(&f.rig, WIRE_TEXT_MAX);
    g = json_array_get(json_object_get(json, "generations"), 0);
    assert_int_equal(json_integer_value(json_object_get(g, "slots_used")), 1);
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(g, "seats"), 0), "busy")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "open"), 0)), 1);
    json_decref(json);
    answer_hello(&f, t);
    expect(&f, "HTTP/1.1 200 OK\r\n", "hello");
    close_fixture(&f);
}

/* More seats than a message holds: the seats are left out, the rest is there. */
static void a_large_status_leaves_out_the_seats(void **state)
{
    struct rig rig;
    struct rig_app app;
    json_t *json, *g;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_app_open(&rig, &app, 1, POOL_SEATS_MAX);
    json = status_of(&rig, WIRE_TEXT_MAX);
    g = json_array_get(json_object_get(json, "generations"), 0);
    assert_int_equal(json_integer_value(json_object_get(g, "slots")), POOL_SLOTS_MAX);
    assert_int_equal(json_array_size(json_object_get(g, "seats")), 0);
    json_decref(json);
    {
        struct buf b;

        buf_init(&b, 10);
        assert_int_equal(status_write(&rig.edge, &b), -EMSGSIZE);
        buf_fini(&b);
    }
    rig_app_close(&rig, &app);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_ends_once),
        cmocka_unit_test(a_page_ends_the_handler_before),
        cmocka_unit_test(fields_past_the_maximum_are_dropped),
        cmocka_unit_test(pages_escape_what_is_not_ours),
        cmocka_unit_test(status_is_json),
        cmocka_unit_test(a_large_status_leaves_out_the_seats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
