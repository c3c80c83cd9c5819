/* Snapshots: trusted networks, roots, the manifest, security headers. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "edge/handler/handlers.h"
#include "edge/route.h"
#include "edge/snapshot.h"
#include "rig.h"

static struct snapshot *make(const char *option, const char *value)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX];

    assert_int_equal(conf_set(b, CONF_COMMAND_LINE, STR("test"), str_of(option), str_of(value), error), 0);
    return rig_snapshot(b);
}

static void networks(void **state)
{
    static const struct {
        const char *network, *address;
        bool trusted;
    } cases[] = {
        { "10.0.0.0/8", "10.255.255.255", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.1.2.128/25", "10.1.2.127", false },
        { "10.1.2.128/25", "10.1.2.255", true },
        { "10.1.2.3", "10.1.2.3", true },
        { "10.1.2.3", "10.1.2.2", false },
        { "10.0.0.0/8", "::ffff:10.0.0.1", true },
        { "10.0.0.0/8", "a00::", false }, /* the same bits elsewhere */
        { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
        { "::1", "::1", true },
        { "::1", "127.0.0.1", false },
        { "*", "8.8.8.8", true },
        { "*", "2001::1", true },
        { "0.0.0.0/0", "2001::1", false },
        { "10.0.0.0/8", "10.0.0.1 ", false },
        { "10.0.0.0/8", "10.0.0.1.", false },
        { "10.0.0.0/8", "010.0.0.1", false },
        { "10.0.0.0/8", "", false },
        { "10.0.0.0/8", "unknown", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct snapshot *s = make("trusted_proxies", cases[i].network);

        if (snapshot_trusts_text(s, str_of(cases[i].address)) != cases[i].trusted)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
        snapshot_unref(s);
    }
}

static void peers(void **state)
{
    struct snapshot *s = make("trusted_proxies", "10.0.0.0/8"), *none = make("timeout", "1s");
    union sock_addr peer = { .in = { .sin_family = AF_INET } };

    (void)state;
    peer.in.sin_addr.s_addr = htonl(0x0a000001);
    assert_true(snapshot_trusts(s, &peer));
    assert_false(snapshot_trusts(none, &peer));
    peer.in.sin_addr.s_addr = htonl(0x0b000001);
    assert_false(snapshot_trusts(s, &peer));
    peer = (union sock_addr){ .un = { .sun_family = AF_UNIX } };
    assert_true(snapshot_trusts(s, &peer));
    assert_false(snapshot_trusts(none, &peer));
    peer = (union sock_addr){ .in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT } };
    assert_false(snapshot_trusts(s, &peer));
    snapshot_unref(s);
    snapshot_unref(none);
}

static int directory(void)
{
    return open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void the_longest_root_wins(void **state)
{
    struct snapshot *s = make("timeout", "1s");

    (void)state;
    assert_int_equal(snapshot_add_root(s, STR("/static/"), false, directory()), 0);
    assert_int_equal(snapshot_add_root(s, STR("/static/uploads/"), true, directory()), 0);
    assert_false(snapshot_root(s, STR("/static/a"))->media);
    assert_true(snapshot_root(s, STR("/static/uploads/a"))->media);
    assert_false(snapshot_root(s, STR("/static/uploads"))->media);
    assert_null(snapshot_root(s, STR("/static")));
    assert_null(snapshot_root(s, STR("/Static/a")));
    assert_null(snapshot_root(s, STR("")));
    assert_int_not_equal(s->roots[0].id, s->roots[1].id);
    snapshot_unref(s);
}

static void there_is_a_last_root(void **state)
{
    struct snapshot *s = make("timeout", "1s");
    int last;

    (void)state;
    for (int i = 0; i < SNAPSHOT_ROOTS_MAX; i++)
        assert_int_equal(snapshot_add_root(s, STR("/a/"), true, directory()), 0);
    last = directory();
    assert_int_equal(snapshot_add_root(s, STR("/b/"), true, last), -ENOSPC);
    assert_int_equal(fcntl(last, F_GETFD), -1); /* taken over all the same */
    snapshot_unref(s);
}

static void names_of_the_manifest_are_immutable(void **state)
{
    static const char *const manifests[] = {
        "{\"paths\": {\"a.css\": \"a.0123.css\", \"plain.txt\": \"plain.txt\", \"n\": 5}}",
        "{\"paths\": []}",
        "[",
        "",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
        struct snapshot *s = make("timeout", "1s");
        struct rig rig;
        char path[128];

        rig_init(&rig, NULL, NULL);
        rig_file(&rig, "static/staticfiles.json", manifests[i]);
        (void)snprintf(path, sizeof(path), "%s/static", rig.dir);
        assert_int_equal(snapshot_add_root(s, STR("/static/"), false, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)), 0);
        assert_int_equal(map_get(&s->immutable, STR("a.0123.css")) != NULL, i == 0);
        assert_null(map_get(&s->immutable, STR("plain.txt")));
        assert_null(map_get(&s->immutable, STR("a.css")));
        snapshot_unref(s);
        rig_fini(&rig);
    }
}

static void what_cannot_be_read_is_refused(void **state)
{
    struct snapshot *s;

    (void)state;
    assert_true(snapshot_new(STR("no such option\n"), &s) != 0);
    assert_true(snapshot_new(STR("trusted_proxies 300.0.0.0/8\n"), &s) != 0);
}

/* ---- routes, which are the snapshot's and the head's alone ---- */

static const struct handler *route_of(struct snapshot *s, const char *path, enum http_method method,
                                      enum http_target form)
{
    struct exchange ex = { .snapshot = s, .bytes = path };

    ex.head.method = method;
    ex.head.target_form = form;
    ex.head.path = (struct span){ 0, (uint32_t)strlen(path) };
    return route(&ex);
}

static void routes(void **state)
{
    struct snapshot *s = make("health_path", "/static/up");

    (void)state;
    assert_int_equal(snapshot_add_root(s, STR("/static/"), false, directory()), 0);
    assert_ptr_equal(route_of(s, "/", HTTP_GET, HTTP_TARGET_ORIGIN), &app_handler);
    assert_ptr_equal(route_of(s, "/static", HTTP_GET, HTTP_TARGET_ORIGIN), &app_handler);
    assert_ptr_equal(route_of(s, "/static/", HTTP_GET, HTTP_TARGET_ORIGIN), &file_handler);
    assert_ptr_equal(route_of(s, "/static/a", HTTP_POST, HTTP_TARGET_ABSOLUTE), &file_handler);
    assert_ptr_equal(route_of(s, "/static/up", HTTP_GET, HTTP_TARGET_ORIGIN), &health_handler);
    assert_ptr_equal(route_of(s, "/static/up", HTTP_HEAD, HTTP_TARGET_ORIGIN), &health_handler);
    assert_ptr_equal(route_of(s, "/static/up", HTTP_POST, HTTP_TARGET_ORIGIN), &file_handler);
    assert_ptr_equal(route_of(s, "/static/up/", HTTP_GET, HTTP_TARGET_ORIGIN), &file_handler);
    assert_ptr_equal(route_of(s, "*", HTTP_OPTIONS, HTTP_TARGET_ASTERISK), &options_handler);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test(peers),
        cmocka_unit_test(the_longest_root_wins),
        cmocka_unit_test(there_is_a_last_root),
        cmocka_unit_test(names_of_the_manifest_are_immutable),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
