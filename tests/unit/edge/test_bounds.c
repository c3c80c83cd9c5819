/* Limits of routes across snapshots: what is one limit and what is two, before and after a reload; and tallies from many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "conf/yaml_reader.h"
#include "edge/bounds.h"
#include "edge/snapshot.h"

static struct snapshot *snapshot_of(const char *yaml)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX];
    struct snapshot *s;
    struct buf text;

    buf_init(&text, 1 << 16);
    if (yaml_reader_read(b, "quintet.yaml", str_of(yaml), error) != 0 || conf_finish(b, error) != 0)
        fail_msg("%s", error);
    assert_int_equal(conf_write(b, &text), 0);
    assert_int_equal(snapshot_new(buf_str(&text), &s), 0);
    buf_fini(&text);
    conf_builder_free(b);
    return s;
}

/* The bounds of a path of the only site. */
static const struct route_bounds *at(const struct snapshot *s, const char *path)
{
    return &s->bounds->routes[site_route(&s->sites->sites[0], str_of(path))->nth];
}

static void nothing_said(void **state)
{
    struct snapshot *s = snapshot_of("keep_alive: 10\n");

    assert_int_equal(s->bounds->n, 1);
    assert_int_equal(at(s, "/")->n_rules, 0);
    assert_false(at(s, "/")->allow_only);
    assert_null(at(s, "/")->crowd);
    assert_null(s->bounds->tables[BOUNDS_ADDRESSES]);
    snapshot_unref(s);
}

#define ROUTES                                                                                                         \
    "rate_limit: [10/s, 100/m]\nconcurrency: 5\n"                                                                      \
    "routes:\n- path: /a/\n- path: /b/\n  rate_limit: 10/s\n- path: /b/c/\n- path: /d/\n  concurrency: 5\n"            \
    "- path: /e/\n  rate_limit: []\n  concurrency: 0\n"

static void one_limit_for_all_who_inherit_it(void **state)
{
    struct snapshot *s = snapshot_of(ROUTES);
    const struct route_bounds *top = at(s, "/"), *a = at(s, "/a/"), *b = at(s, "/b/"), *c = at(s, "/b/c/");

    assert_int_equal(top->n_rules, 2);
    assert_int_not_equal(top->rules[0].id, top->rules[1].id);
    assert_int_equal(a->rules[0].id, top->rules[0].id);
    assert_int_equal(a->rules[1].id, top->rules[1].id);
    assert_ptr_equal(a->rules[0].tally, top->rules[0].tally);
    assert_ptr_equal(a->crowd, top->crowd);
    assert_int_equal(b->n_rules, 1);
    assert_int_not_equal(b->rules[0].id, top->rules[0].id);
    assert_int_equal(c->rules[0].id, b->rules[0].id);
    assert_ptr_not_equal(at(s, "/d/")->crowd, top->crowd);
    assert_int_equal(at(s, "/d/")->rules[0].id, top->rules[0].id);
    assert_int_equal(at(s, "/e/")->n_rules, 0);
    assert_null(at(s, "/e/")->crowd);
    snapshot_unref(s);
}

/* By what it is, not by its figures or its place in the file. */
static void a_reload_goes_on(void **state)
{
    struct snapshot *before = snapshot_of(ROUTES);
    struct snapshot *after = snapshot_of("concurrency: 7\nrate_limit: [20/s burst 99, 5/h, 3/h by route]\n"
                                         "routes:\n- path: /b/\n  rate_limit: 1/d by cookie x\n");
    struct tally *crowd = at(before, "/")->crowd, *rate = at(before, "/")->rules[0].tally;
    struct throttle *table = before->bounds->tables[BOUNDS_ADDRESSES];

    bounds_inherit(after->bounds, before->bounds);
    assert_true(tally_enter(crowd, 1));
    snapshot_unref(before);
    assert_ptr_equal(at(after, "/")->crowd, crowd);
    assert_ptr_equal(at(after, "/")->rules[0].tally, rate);
    assert_ptr_equal(after->bounds->tables[BOUNDS_ADDRESSES], table);
    assert_int_equal(at(after, "/")->n_rules, 3);
    assert_int_not_equal(at(after, "/b/")->rules[0].id, at(after, "/")->rules[0].id);
    assert_false(tally_enter(at(after, "/")->crowd, 1));
    snapshot_unref(after);
    tally_leave(crowd); /* the one inside kept it */
}

static void what_all_share_is_asked_last(void **state)
{
    struct snapshot *s = snapshot_of("rate_limit: [9/s by route, 8/s by header X, 7/s by route, 6/s]\n");
    const struct route_bounds *r = at(s, "/");

    assert_string_equal(r->rules[0].text, "8/s by header X");
    assert_string_equal(r->rules[1].text, "6/s by address");
    assert_string_equal(r->rules[2].text, "9/s by route");
    assert_string_equal(r->rules[3].text, "7/s by route");
    assert_int_not_equal(r->rules[2].id, r->rules[3].id);
    assert_true(str_eq(r->policy, STR("\"8/s by header X\";q=8;w=1, \"6/s by address\";q=6;w=1, "
                                      "\"9/s by route\";q=9;w=1, \"7/s by route\";q=7;w=1")));
    snapshot_unref(s);
}

/* ---- tallies ---- */

#define THREADS 4
#define MOST 3
#define ROUNDS 20000

static atomic_uint inside, refused;

static void *come_and_go(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!tally_enter(arg, MOST)) {
            atomic_fetch_add(&refused, 1);
            continue;
        }
        must(atomic_fetch_add(&inside, 1) < MOST);
        atomic_fetch_sub(&inside, 1);
        tally_leave(arg);
    }
    return NULL;
}

static void never_more_than_may_be(void **state)
{
    struct tally *tally = tally_new(1);
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, tally), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(tally->inside, 0);
    for (unsigned i = 0; i < MOST; i++)
        assert_true(tally_enter(tally, MOST));
    assert_false(tally_enter(tally, MOST));
    for (unsigned i = 0; i < MOST; i++)
        tally_leave(tally);
    tally_leave(NULL);
    tally_unref(tally);
}

static void said_once_a_minute(void **state)
{
    struct tally *tally = tally_new(1);

    assert_int_equal(tally_refused(tally, NS_PER_SEC), 1);
    assert_int_equal(tally_refused(tally, 2 * NS_PER_SEC), 0);
    assert_int_equal(tally_refused(tally, 60 * NS_PER_SEC), 0);
    assert_int_equal(tally_refused(tally, 61 * NS_PER_SEC), 3);
    assert_int_equal(tally_refused(tally, 62 * NS_PER_SEC), 0);
    tally_unref(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said),           cmocka_unit_test(one_limit_for_all_who_inherit_it),
        cmocka_unit_test(a_reload_goes_on),       cmocka_unit_test(what_all_share_is_asked_last),
        cmocka_unit_test(never_more_than_may_be), cmocka_unit_test(said_once_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
