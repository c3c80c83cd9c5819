/* Sites and routes: what the file may say, what is refused and where, what is inherited, and that it travels whole. */
#include "conf_testing.h"

#include <string.h>

#include "base/buf.h"
#include "conf/route_options.h"
#include "conf/site_values.h"
#include "conf/value.h"

#define SITES(text) "sites:\n- hosts: a.test\n  routes:\n" text

static void options_win_over_keys_of_the_same_name(void **state)
{
    for (size_t i = 0; i < route_option_count; i++) {
        const struct option_row *row = &route_table[i];

        assert_true(!route_option_at(row, CONF_LEVEL_TOP) || option_find(str_of(row->name)) == NULL);
        for (size_t k = 0; k < i; k++)
            assert_true(route_table[k].offset != row->offset);
    }
}

static void a_single_site_stands_at_the_top(void **state)
{
    struct testing *t = *state;
    const struct conf_sites *s = &conf_of(t->b)->sites;

    assert_accepted(t,
                    YAML(t, "workers: 2\nheaders: {X-A: b, X-B: ''}\nroutes:\n- path: /x\n  exact: yes\n  respond: ''\n"
                            "- path: /y/\n  redirect: /z/\n  status: 302\n"));
    assert_int_equal(s->n, 1);
    assert_false(s->listed);
    assert_int_equal(s->top.headers.n, 2);
    assert_string_equal(s->top.headers.items[1], "X-B:");
    assert_int_equal(s->sites[0].n_routes, 2);
    assert_string_equal(s->sites[0].routes[0].path, "/x");
    assert_string_equal(s->sites[0].routes[0].respond, "");
    assert_string_equal(s->sites[0].routes[1].place, "quintet.yaml:7");
    assert_int_equal(s->sites[0].routes[1].status, 302);
}

static void errors_say_where(void **state)
{
    struct testing *t = *state;

    assert_refused(t, YAML(t, "routes: yes\n"), "quintet.yaml:1:9: expected a list of routes");
}

static void refused(const char *yaml, const char *message)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX] = "";
    int rc = yaml_reader_read(b, "q", str_of(yaml), error);

    if (rc == 0)
        rc = conf_finish(b, error);
    assert_string_equal(error, message);
    assert_int_equal(rc, -EINVAL);
    conf_builder_free(b);
}

static void what_is_wrong_is_refused(void **state)
{
    refused("routes:\n- /x\n", "q:2:3: expected a mapping such as \"path: /docs/\"");
    refused("sites:\n- host: a\n", "q:2:3: \"host\": no such key of a site; did you mean hosts?");
    refused("sites:\n- path: /a\n", "q:2:3: \"path\": not in a site");
    refused(SITES("  - path: a\n"),
            "q:4:11: path: expected a path that begins with a slash, without %, //, /./ and /../, found \"a\"");
    refused(SITES("  - path: /a\n    path: /b\n"), "q:5:5: path: is given twice");
    refused(SITES("  - status: 404\n"), "q:4: a route needs its path, such as \"path: /docs/\"");
    refused(SITES("  - path: /a\n  - path: /a\n"), "q:5: the site has another route for /a, at q:4");
    refused(SITES("  - path: /a\n    root: x\n    respond: y\n"),
            "q:4: one of app, root, redirect and respond can answer, not several");
    refused(SITES("  - path: /a\n    redirect: //evil\n"),
            "q:5:15: redirect: expected a path or URL such as /new/ or https://www.example.com; {host}, {path} and "
            "{query} may stand in it, found \"//evil\"");
    refused(SITES("  - path: /a\n    redirect: /b\n    status: 200\n"),
            "q:4: status: of a redirect it is 301, 302, 303, 307 or 308");
    refused(SITES("  - path: /a\n    status: 0\n"), "q:5:13: status: expected a number from 200 to 599, found \"0\"");
    refused(SITES("  - path: /a\n    status: 304\n"), "q:4: status: expected 200 to 299 or 400 to 599, or a redirect");
    refused("sites:\n- hosts: [a, b]\n- hosts: A\n", "q:3: hosts: a is given twice");
    refused("sites:\n- root: a\n- root: b\n", "q:3: two sites without hosts: which is meant?");
    refused("sites: []\nroutes: []\n", "q:2:1: routes: where there are `sites:`, each has its own");
    refused("hosts: a\nsites: []\n", "quintet.yaml: hosts: where there are `sites:`, each has its own");
    refused("headers: {A b: c}\n", "q:1:11: headers: expected names and values of response fields such as "
                                   "{X-Frame-Options: DENY}, other than Connection, Content-Length, Date and their "
                                   "like, found \"A b: c\"");
    refused("headers: {A: b, a: c}\n", "q:1:17: headers: a is given twice");
    refused("headers: [A]\n",
            "q:1:10: headers: expected names and values of response fields such as {X-Frame-Options: DENY}, other than "
            "Connection, Content-Length, Date and their like, found a list");
    refused("sites: &x []\n", "q:1:8: anchors and tags are not allowed here");
}

static void values(void **state)
{
    static const char *const hosts[] = { "a", "a.b", "*.a.b", "*", "[::1]", "a_b.c-d" };
    static const char *const no_hosts[] = { "", "a..b", ".a", "a.", "*a", "*.*", "a:80", "[::1", "a b", "*." };
    static const char *const paths[] = { "/", "/a", "/a/", "/a.b/..c", "/\xc3\xbc", "/a b" };
    static const char *const no_paths[] = { "",      "a",    "//",  "/a//b", "/.",  "/a/../b",
                                            "/a%20", "/a?b", "/a#", "/a\\b", "/a\n" };
    static const char *const targets[] = { "/", "/a/{path}", "https://a", "http://{host}:8/{path}?{query}",
                                           "https://a.{host}" };
    static const char *const no_targets[] = { "",
                                              "a",
                                              "//a",
                                              "/\\a",
                                              "ftp://a",
                                              "https://",
                                              "https:///a",
                                              "https://a{path}",
                                              "https://u@a",
                                              "/{nothing}",
                                              "/a b",
                                              "https://{query}",
                                              "/}" };
    static const char *const headers[] = { "A: b", "A:", "A: b, c: d", "X_1: \t" };
    static const char *const no_headers[] = { "Proxy-Connection: close",
                                              "",
                                              "A",
                                              ": b",
                                              "A b: c",
                                              "Content-Length: 3",
                                              "connection: close",
                                              "A: b\r\nC: d",
                                              "A: \x7f" };

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        assert_true(site_is_host(str_of(hosts[i])));
    for (size_t i = 0; i < ARRAY_LEN(no_hosts); i++)
        assert_false(site_is_host(str_of(no_hosts[i])));
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_true(site_is_route_path(str_of(paths[i])));
    for (size_t i = 0; i < ARRAY_LEN(no_paths); i++)
        assert_false(site_is_route_path(str_of(no_paths[i])));
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        assert_true(site_is_redirect(str_of(targets[i])));
    for (size_t i = 0; i < ARRAY_LEN(no_targets); i++)
        assert_false(site_is_redirect(str_of(no_targets[i])));
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_true(site_is_header(str_of(headers[i])));
    for (size_t i = 0; i < ARRAY_LEN(no_headers); i++)
        assert_false(site_is_header(str_of(no_headers[i])));
}

static const struct conf_route *route_of(const struct conf *c, const char *path)
{
    for (size_t i = 0; i < c->sites.sites[0].n_routes; i++)
        if (strcmp(c->sites.sites[0].routes[i].path, path) == 0)
            return &c->sites.sites[0].routes[i];
    fail();
    return NULL;
}

static void what_is_around_is_inherited(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);
    const struct conf_route *r;

    assert_accepted(t, YAML(t, "timeout: 7s\nheaders: {A: top, B: top}\nsites:\n"
                               "- headers: {B: site}\n  basic_auth: users\n  root: files\n  routes:\n"
                               "  - path: /a/b/\n    headers: {C: c, a: ''}\n    basic_auth: off\n"
                               "  - path: /a/\n    timeout: 1m\n    redirect: /z\n"
                               "  - path: /a\n    exact: yes\n"
                               "  - path: /ab/\n    status: 404\n"));
    assert_int_equal(conf_resolve(t->b), 0);
    r = route_of(c, "/a/b/");
    assert_int_equal(r->timeout, 60 * SECOND);
    assert_string_equal(r->basic_auth, "off");
    assert_string_equal(r->redirect, "/z");
    assert_int_equal(r->answer_cut, strlen("/a/"));
    assert_null(r->root);
    assert_int_equal(r->headers.n, 3); /* C, a (removes A), B of the site */
    r = route_of(c, "/a");             /* not inside /a/ */
    assert_int_equal(r->timeout, 7 * SECOND);
    assert_string_equal(r->root, "files");
    assert_int_equal(r->answer_cut, 1);
    r = route_of(c, "/ab/");
    assert_string_equal(r->basic_auth, "users");
    assert_int_equal(conf_route_answer(r), CONF_ANSWER_RESPOND);
    assert_null(r->root);
    assert_string_equal(c->sites.sites[0].own.path, "/");
}

static void it_travels_whole(void **state)
{
    struct testing *t = *state;
    struct conf_builder *arrived, *old;
    struct buf one, two;

    assert_accepted(t, YAML(t, "headers: {}\nsites:\n- hosts: [a, '*.b']\n  routes:\n  - path: /ü x/\n    respond: "
                               "\"1\\n\\\\2\"\n- root: d\n"));
    buf_init(&one, 1u << 20);
    buf_init(&two, 1u << 20);
    assert_int_equal(conf_write(t->b, &one), 0);
    assert_int_equal(conf_read(buf_str(&one), &arrived), 0);
    assert_int_equal(conf_write(arrived, &two), 0);
    assert_true(str_eq(buf_str(&one), buf_str(&two)));
    assert_string_equal(conf_of(arrived)->sites.sites[0].routes[0].respond, "1\n\\2");
    assert_int_equal(conf_of(arrived)->sites.top.set, conf_of(t->b)->sites.top.set);
    old = conf_read_old(buf_str(&one));
    assert_int_equal(conf_of(old)->sites.n, 2);
    conf_builder_free(arrived);
    conf_builder_free(old);
    buf_fini(&one);
    buf_fini(&two);
}

static void hostile_lines_are_refused(void **state)
{
    static const char *const lines[] = { "route\n",
                                         "route.path /a\n",
                                         "site.path /a\n",
                                         "top.path /a\n",
                                         "site\nsite\n",
                                         "site\ntop.headers A: b\n",
                                         "site\nroute\nsite.headers A: b\n",
                                         "sites\nsites\n",
                                         "site\nroute\nroute.path /a\nroute.path /b\n",
                                         "site\nroute\nroute.path a\n",
                                         "site\nroute\nroute.nothing a\n",
                                         ".x y\n",
                                         "site\nroute\nroute.path\n" };
    struct conf_builder *b = conf_builder_new(), *out;
    struct buf text;

    buf_init(&text, 1u << 20);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        buf_clear(&text);
        assert_int_equal(conf_write(b, &text), 0);
        assert_int_equal(buf_add_str(&text, str_of(lines[i])), 0);
        assert_int_equal(conf_read(buf_str(&text), &out), -EPROTO);
    }
    conf_builder_free(b);
    buf_fini(&text);
}

static void it_is_shown(void **state)
{
    struct testing *t = *state;
    struct buf out;

    assert_accepted(t,
                    YAML(t, "sites:\n- hosts: [a.test]\n  routes:\n  - path: /x/\n    exact: yes\n    redirect: /y\n"));
    buf_init(&out, 1u << 20);
    assert_int_equal(conf_show_table(t->b, &out), 0);
    assert_int_equal(buf_add_char(&out, '\0'), 0);
    assert_non_null(strstr(out.data,
                           "\nsite                          a.test                              quintet.yaml:2\n"
                           "  exact route                 /x/                                 quintet.yaml:4\n"
                           "    redirect                  /y\n"));
    buf_clear(&out);
    assert_int_equal(conf_show_json(t->b, &out), 0);
    assert_int_equal(buf_add_char(&out, '\0'), 0);
    assert_non_null(strstr(out.data, "\"redirect\": \"/y\""));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_win_over_keys_of_the_same_name),
        TEST(a_single_site_stands_at_the_top),
        TEST(errors_say_where),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(values),
        TEST(what_is_around_is_inherited),
        TEST(it_travels_whole),
        cmocka_unit_test(hostile_lines_are_refused),
        TEST(it_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
