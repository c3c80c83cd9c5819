/* The bounded buffer: its limit, its growth, printf and JSON into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"

static void assert_buf(const struct buf *b, const char *want)
{
    assert_true(str_eq(buf_str(b), str_of(want)));
}

static void appending_and_consuming(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_null(b.data);
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_int_equal(buf_add(&b, "hello", 5), 0);
    assert_int_equal(buf_add_char(&b, ' '), 0);
    assert_int_equal(buf_add_str(&b, STR("world")), 0);
    assert_buf(&b, "hello world");
    buf_consume(&b, 6);
    assert_buf(&b, "world");
    buf_consume(&b, 5);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
    assert_null(b.data);
    assert_int_equal(b.cap, 0);
}

static void numbers(void **state)
{
    static const struct {
        uint64_t value;
        unsigned decimals; /* 0: whole */
        const char *text;
    } rows[] = {
        { 0, 0, "0" },
        { 7, 0, "7" },
        { UINT64_MAX, 0, "18446744073709551615" },
        { 0, 3, "0.000" },
        { 5, 3, "0.005" },
        { 999, 3, "0.999" },
        { 1000, 3, "1.000" },
        { 1234567, 6, "1.234567" },
        { 10, 1, "1.0" },
        { 0, 19, "0.0000000000000000000" },
        { UINT64_MAX, 19, "1.8446744073709551615" },
        { UINT64_MAX, 1, "1844674407370955161.5" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        int r;

        buf_init(&b, 100);
        r = rows[i].decimals == 0 ? buf_add_u64(&b, rows[i].value)
                                  : buf_add_decimal(&b, rows[i].value, rows[i].decimals);
        assert_int_equal(r, 0);
        assert_buf(&b, rows[i].text);
        b.max = b.cap = b.len + 1;
        assert_int_equal(buf_add_u64(&b, 12), -EMSGSIZE);
        assert_buf(&b, rows[i].text);
        buf_fini(&b);
    }
}

static void the_maximum_is_exact(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_int_equal(buf_add(&b, "12345", 5), 0);
    assert_int_equal(buf_add(&b, "678901", 6), -EMSGSIZE);
    assert_buf(&b, "12345");
    assert_int_equal(buf_printf(&b, "%s", "678901"), -EMSGSIZE);
    assert_buf(&b, "12345");
    assert_int_equal(buf_printf(&b, "%d", 67890), 0);
    assert_buf(&b, "1234567890");
    assert_int_equal(b.cap, 10);
    assert_int_equal(buf_add_char(&b, 'x'), -EMSGSIZE);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), -EMSGSIZE);
    assert_int_equal(buf_reserve(&b, 0), 0);
    buf_fini(&b);
}

static void reserve_then_commit(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_reserve(&b, 7), 0);
        memcpy(b.data + b.len, "1234567", 7);
        buf_commit(&b, 7);
        assert_true(b.len <= b.cap && b.cap <= b.max);
    }
    assert_int_equal(b.len, 7000);
    assert_true(b.cap < 16384);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], '1' + (int)(i % 7));
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_true(b.cap >= 7000);
    buf_fini(&b);
}

static void printf_of_any_length(void **state)
{
    char want[1001];
    struct buf b;

    (void)state;
    for (int n = 0; n <= 1000; n += 1) {
        memset(want, 'x', (size_t)n);
        want[n] = '\0';
        buf_init(&b, 1000);
        assert_int_equal(buf_printf(&b, "%s", want), 0);
        assert_buf(&b, want);
        buf_fini(&b);
    }
}

static void json_strings(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(buf_add_json(&b, STR("a\"b\\c\n\r\t\x01\x7f \xc3\xa9 \xc2\x9b \xff\xe2\x82/")), 0);
    assert_buf(&b, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f \xc3\xa9 \\u009b \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd/\"");
    buf_clear(&b);
    assert_int_equal(buf_add_json(&b, str_make(NULL, 0)), 0);
    assert_buf(&b, "\"\"");
    buf_fini(&b);
    for (size_t max = 0; max < 6; max++) { /* "a\n" needs 1 + 1 + 2 + 1 and a start that stays */
        buf_init(&b, max + 1);
        assert_int_equal(buf_add_char(&b, '['), 0);
        assert_int_equal(buf_add_json(&b, STR("a\n")), max >= 5 ? 0 : -EMSGSIZE);
        assert_int_equal(b.len, max >= 5 ? 6 : 1);
        buf_fini(&b);
    }
}

/* Each byte in each place of a text that is read by eights. */
static void plain_text_is_found_byte_by_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';

        for (size_t at = 0; at < 20; at++) {
            char text[20];

            memset(text, at % 2 == 0 ? ' ' : '~', sizeof(text));
            text[at] = (char)c;
            assert_int_equal(json_plain(str_make(text, sizeof(text))), plain ? sizeof(text) : at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending_and_consuming),
        cmocka_unit_test(numbers),
        cmocka_unit_test(the_maximum_is_exact),
        cmocka_unit_test(reserve_then_commit),
        cmocka_unit_test(printf_of_any_length),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(plain_text_is_found_byte_by_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
