/* The byte rules of WSGI responses, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/rules.h"

static void test_status(void **state)
{
    static const char *const bad[] = { "",         "2",       "200",     "200OK",  "20 OK",   " 200 OK",  "2000 OK",
                                       "-20 OK",   "100 Low", "199 Low", "600 Up", "999 Up",  "200 O\nK", "200 O\rK",
                                       "200 \x7f", "2x0 OK",  "20x OK",  "x00 OK", "200\tOK", "200 \x1b" };
    uint16_t code = 0;
    struct str reason;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rules_status(str_of(bad[i]), &code, &reason));
    assert_non_null(rules_status(str_make("200 a\0b", 7), &code, &reason));
    assert_null(rules_status(STR("200 "), &code, &reason));
    assert_int_equal(reason.n, 0);
    assert_null(rules_status(STR("599 Tr\xe8s bien\t!"), &code, &reason));
    assert_int_equal(code, 599);
    assert_true(str_eq(reason, STR("Tr\xe8s bien\t!")));
}

/* RFC 9110 section 5.6.2 lists the characters of a token; every other byte is refused wherever it stands. */
static void test_name_bytes(void **state)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    for (int c = 0; c < 256; c++) {
        char name[3] = { 'x', (char)c, 'y' };
        bool good = c != 0 && strchr(tchars, c) != NULL;

        assert_true((rules_field_name(str_make(name, 3)) == NULL) == good);
    }
    assert_non_null(rules_field_name(STR("")));
}

static void test_hop_by_hop(void **state)
{
    static const char *const hop[] = { "Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Authorization",
                                       "TE",         "Trailers",   "Transfer-Encoding",  "UPGRADE" };

    for (size_t i = 0; i < ARRAY_LEN(hop); i++)
        assert_non_null(rules_field_name(str_of(hop[i])));
    assert_null(rules_field_name(STR("Content-Length")));
    assert_null(rules_field_name(STR("Connections")));
    assert_null(rules_field_name(STR("X-Connection")));
}

static void test_ascii(void **state)
{
    char bytes[20];

    assert_true(rules_is_ascii(STR("")));
    for (size_t n = 1; n <= sizeof(bytes); n++) {
        for (size_t at = 0; at < n; at++) {
            memset(bytes, 0x7f, sizeof(bytes));
            assert_true(rules_is_ascii(str_make(bytes, n)));
            bytes[at] = (char)(0x80 + at);
            assert_false(rules_is_ascii(str_make(bytes, n)));
        }
    }
}

static void test_value_bytes(void **state)
{
    for (int c = 0; c < 256; c++) {
        char value[3] = { 'x', (char)c, 'y' };
        bool good = (c >= 0x20 || c == '\t') && c != 0x7f;

        assert_true((rules_field_value(str_make(value, 3)) == NULL) == good);
    }
    assert_null(rules_field_value(STR("")));
}

static void test_bodyless(void **state)
{
    for (uint16_t status = 200; status < 600; status++)
        assert_true(rules_bodyless(status) == (status == 204 || status == 304));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),      cmocka_unit_test(test_name_bytes), cmocka_unit_test(test_hop_by_hop),
        cmocka_unit_test(test_value_bytes), cmocka_unit_test(test_bodyless),   cmocka_unit_test(test_ascii),
    };

    return cmocka_run_group_tests_name("worker/rules", tests, NULL, NULL);
}
