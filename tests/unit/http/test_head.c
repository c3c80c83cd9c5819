/*
 * The vocabulary: every known name is found, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "assert_str.h"
#include "replay.h"

static const struct h1_limits limits = { 8192, 100, 16384 };

static void test_every_field_is_found_in_any_case(void **state)
{
    for (int id = HTTP_F_OTHER + 1; id < HTTP_F_COUNT; id++) {
        struct str name = http_field_name((enum http_field_id)id);
        char other[64];

        assert_true(name.n > 0 && name.n < sizeof(other));
        assert_int_equal(http_field_lookup(name), id);
        for (size_t i = 0; i < name.n; i++)
            other[i] = name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] - 32) : name.p[i];
        assert_int_equal(http_field_lookup(str_make(other, name.n)), id);
        other[name.n - 1] = '_';
        assert_int_equal(http_field_lookup(str_make(other, name.n)), HTTP_F_OTHER);
    }
}

static void test_other_names_are_not(void **state)
{
    static const char *const names[] = { "",
                                         "x",
                                         "hos",
                                         "hosts",
                                         "host ",
                                         "content_length",
                                         "content\rlength",
                                         "hoSt\xc5",
                                         "\x08ost",
                                         "a-name-that-is-longer-than-any-known-one" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(http_field_lookup(str_of(names[i])), HTTP_F_OTHER);
}

static void test_hop_by_hop(void **state)
{
    struct str m = STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-One ,te\r\nX-One: 1\r\nConnection: x-two\r\n\r\n");
    struct replay r = replay_head(m, &limits, 1);

    assert_int_equal(r.result, H1_DONE);
    assert_true(http_head_connection_lists(&r.head, m.p, STR("x-one")));
    assert_true(http_head_connection_lists(&r.head, m.p, STR("TE")));
    assert_true(http_head_connection_lists(&r.head, m.p, STR("X-Two")));
    assert_false(http_head_connection_lists(&r.head, m.p, STR("x")));
    assert_false(http_head_connection_lists(&r.head, m.p, STR("X-One ,te")));
    assert_true(http_field_is_hop_by_hop(HTTP_F_CONNECTION));
    assert_true(http_field_is_hop_by_hop(HTTP_F_TRANSFER_ENCODING));
    assert_true(http_field_is_hop_by_hop(HTTP_F_UPGRADE));
    assert_false(http_field_is_hop_by_hop(HTTP_F_CONTENT_LENGTH));
    assert_false(http_field_is_hop_by_hop(HTTP_F_OTHER));
}

static void test_find(void **state)
{
    struct str m = STR("GET / HTTP/1.1\r\nHost: a\r\nVary: 1\r\nX: 2\r\nvary: 3\r\n\r\n");
    struct replay r = replay_head(m, &limits, 1);
    const struct http_field *f = http_head_find(&r.head, HTTP_F_VARY, 0);

    assert_ptr_equal(f, &r.head.fields[1]);
    assert_ptr_equal(http_head_find(&r.head, HTTP_F_VARY, 2), &r.head.fields[3]);
    assert_null(http_head_find(&r.head, HTTP_F_VARY, 4));
    assert_null(http_head_find(&r.head, HTTP_F_COOKIE, 0));
}

static void test_methods(void **state)
{
    for (int m = HTTP_GET; m <= HTTP_PATCH; m++)
        assert_int_equal(http_method_lookup(http_method_name((enum http_method)m)), m);
    assert_int_equal(http_method_lookup(STR("get")), HTTP_OTHER);
    assert_int_equal(http_method_lookup(STR("")), HTTP_OTHER);
    assert_str(http_method_name(HTTP_OTHER), STR(""));
    assert_true(http_method_is_safe(HTTP_GET) && http_method_is_safe(HTTP_HEAD) && http_method_is_safe(HTTP_OPTIONS));
    assert_false(http_method_is_safe(HTTP_POST) || http_method_is_safe(HTTP_DELETE) || http_method_is_safe(HTTP_OTHER));
}

static void test_reasons(void **state)
{
    assert_str(http_reason(200), STR("OK"));
    assert_str(http_reason(404), STR("Not Found"));
    assert_str(http_reason(299), STR("Unknown"));
    assert_str(http_reason(0), STR("Unknown"));
    assert_str(http_reason(999), STR("Unknown"));
}

/* The tables, byte by byte, against the ABNF said in another way. */
static void test_character_classes(void **state)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        struct str s = str_make(&c, 1);
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool mark = i != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;

        assert_int_equal(http_is_token(s), alnum || mark);
        assert_int_equal(http_is_field_value(s), (i > 0x20 && i != 0x7f));
    }
    assert_false(http_is_token(STR("")));
    assert_true(http_is_field_value(STR("")));
    assert_true(http_is_field_value(STR("a\tb c")));
    assert_false(http_is_field_value(STR(" a")));
    assert_false(http_is_field_value(STR("a\t")));
    assert_false(http_is_field_value(STR("a\r\nb")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_found_in_any_case),
        cmocka_unit_test(test_other_names_are_not),
        cmocka_unit_test(test_hop_by_hop),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_character_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
