/* Which site and route a host and a path have. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/yaml_reader.h"
#include "edge/site.h"
#include "edge/snapshot.h"
#include "http/uri.h"
#include "rig.h"

static struct snapshot *make(const char *yaml)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX];

    assert_int_equal(yaml_reader_read(b, "q", str_of(yaml), error), 0);
    return rig_snapshot(b);
}

static void hosts(void **state)
{
    struct snapshot *s = make("sites:\n- hosts: [a.test, '*.b.test']\n- hosts: ['*.a.test', '[::1]']\n");
    const struct site *sites = s->sites->sites;

    assert_ptr_equal(sites_host(s->sites, STR("a.test")), &sites[0]);
    assert_ptr_equal(sites_host(s->sites, STR("A.TEST.")), &sites[0]);
    assert_ptr_equal(sites_host(s->sites, STR("x.b.test")), &sites[0]);
    assert_ptr_equal(sites_host(s->sites, STR("x.a.test")), &sites[1]);
    assert_ptr_equal(sites_host(s->sites, STR("[::1]")), &sites[1]);
    assert_null(sites_host(s->sites, STR("b.test")));
    assert_null(sites_host(s->sites, STR("x.y.b.test")));
    assert_null(sites_host(s->sites, STR("test")));
    assert_null(sites_host(s->sites, STR("")));
    assert_null(sites_host(s->sites, STR(".")));
    assert_false(s->sites->simple);
    snapshot_unref(s);
}

static void nothing_said_is_simple(void **state)
{
    struct snapshot *s = make("workers: 2\n");

    assert_true(s->sites->simple);
    assert_ptr_equal(sites_host(s->sites, STR("any")), &s->sites->sites[0]);
    assert_int_equal(s->sites->elsewhere->answer, CONF_ANSWER_DEFAULT);
    assert_int_equal(s->sites->elsewhere->conf->max_body_size, s->conf->max_body_size);
    assert_int_equal(s->sites->elsewhere->conf->timeout, s->conf->timeout);
    snapshot_unref(s);
}

static void the_longest_path_wins(void **state)
{
    static const struct {
        const char *path, *route;
    } cases[] = {
        { "/", "*/" },         { "/a", "*/a" },       { "/a/", "*/a" },       { "/a/x", "*/a" },  { "/ab", "*/" },
        { "/a/b", "*/a/b =" }, { "/a/b/", "*/a/b/" }, { "/a/b/c", "*/a/b/" }, { "/a/bc", "*/a" }, { "/b", "*/" },
        { "/b/", "*/b/" },     { "/b/x", "*/b/" },    { "/A", "*/" },         { "", "*/" },
    };
    struct snapshot *s = make("routes:\n- path: /a\n- path: /a/b/\n- path: /a/b\n  exact: yes\n- path: /b/\n");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct route *r = site_route(&s->sites->sites[0], str_of(cases[i].path));

        assert_true(str_eq(r->name, str_of(cases[i].route)));
    }
    snapshot_unref(s);
}

static void paths_are_normalised(void **state)
{
    static const char *const cases[][2] = {
        { "/", "/" },
        { "//", "/" },
        { "/a//b", "/a/b" },
        { "/./a", "/a" },
        { "/a/.", "/a/" },
        { "/a/..", "/" },
        { "/a/../b", "/b" },
        { "/..", "/" },
        { "/../../a", "/a" },
        { "/a/b/../../c/", "/c/" },
        { "/a/b/..", "/a/" },
        { "/...", "/..." },
        { "/.a/..b", "/.a/..b" },
        { "/a/./../b//", "/b/" },
        { "//../a", "/a" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[32];
        size_t n = strlen(cases[i][0]);

        memcpy(path, cases[i][0], n);
        n = uri_normalise(path, n);
        assert_true(str_eq(str_make(path, n), str_of(cases[i][1])));
    }
}

static void a_conf_that_makes_no_sense_is_refused(void **state)
{
    struct conf_builder *b = conf_builder_new();
    struct snapshot *s;
    struct buf text;

    buf_init(&text, 1 << 20);
    assert_int_equal(conf_write(b, &text), 0);
    assert_int_equal(buf_add_str(&text, STR("site\nroute\n")), 0);
    assert_int_equal(snapshot_new(buf_str(&text), &s), -EINVAL);
    buf_fini(&text);
    conf_builder_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(nothing_said_is_simple),
        cmocka_unit_test(the_longest_path_wins),
        cmocka_unit_test(paths_are_normalised),
        cmocka_unit_test(a_conf_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
