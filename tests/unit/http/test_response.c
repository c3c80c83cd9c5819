/*
 * Response heads: the bytes, the bounds, and what an application may not put in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "assert_str.h"
#include "http/response.h"

static void test_a_head(void **state)
{
    struct buf b;

    buf_init(&b, 4096);
    assert_int_equal(http_response_begin(&b, 200, STR("")), 0);
    assert_int_equal(http_response_field(&b, STR("Content-Type"), STR("text/plain")), 0);
    assert_int_equal(http_response_field(&b, STR("X-Empty"), STR("")), 0);
    assert_int_equal(http_response_number(&b, STR("Content-Length"), 0), 0);
    assert_int_equal(http_response_number(&b, STR("Age"), UINT64_MAX), 0);
    assert_int_equal(http_response_end(&b), 0);
    assert_str(buf_str(&b), STR("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty: \r\nContent-Length: 0\r\n"
                                "Age: 18446744073709551615\r\n\r\n"));
    buf_fini(&b);
}

static void test_status_lines(void **state)
{
    struct buf b;

    buf_init(&b, 4096);
    assert_int_equal(http_response_begin(&b, 404, STR("Nothing here")), 0);
    assert_int_equal(http_response_begin(&b, 100, STR("")), 0);
    assert_int_equal(http_response_begin(&b, 799, STR("")), 0);
    assert_str(buf_str(&b), STR("HTTP/1.1 404 Nothing here\r\nHTTP/1.1 100 Continue\r\nHTTP/1.1 799 Unknown\r\n"));
    buf_fini(&b);
}

/* Every bound between nothing and the whole head: it fits, or it fails and what is there is not touched. */
static void test_bounds(void **state)
{
    struct str line = STR("HTTP/1.1 200 OK\r\n"), field = STR("A: b\r\n");

    for (size_t max = 0; max <= line.n + field.n; max++) {
        struct buf b;

        buf_init(&b, max);
        assert_int_equal(http_response_begin(&b, 200, STR("")), max >= line.n ? 0 : -EMSGSIZE);
        assert_int_equal(b.len, max >= line.n ? line.n : 0);
        if (b.len > 0)
            assert_int_equal(http_response_field(&b, STR("A"), STR("b")), max >= line.n + field.n ? 0 : -EMSGSIZE);
        assert_true(b.len <= max);
        buf_fini(&b);
    }
}

static void test_fields_from_an_app(void **state)
{
    assert_true(http_response_field_valid(STR("X-A"), STR("b")));
    assert_true(http_response_field_valid(STR("X-A"), STR("")));
    assert_true(http_response_field_valid(STR("X-A"), STR(" b\t\xe9 ")));
    assert_false(http_response_field_valid(STR(""), STR("b")));
    assert_false(http_response_field_valid(STR("X A"), STR("b")));
    assert_false(http_response_field_valid(STR("X-A:"), STR("b")));
    assert_false(http_response_field_valid(STR("X-A\r\nSet-Cookie"), STR("b")));
    assert_false(http_response_field_valid(STR("X-A"), STR("b\r\nSet-Cookie: c")));
    assert_false(http_response_field_valid(STR("X-A"), STR("b\n")));
    assert_false(http_response_field_valid(STR("X-A"), STR("b\r")));
    assert_false(http_response_field_valid(STR("X-A"), STR("b\0")));
    assert_false(http_response_field_valid(STR("X-A"), STR("b\x7f")));
    assert_true(http_response_reason_valid(STR("Not quite \xe9")));
    assert_true(http_response_reason_valid(STR("")));
    assert_false(http_response_reason_valid(STR("OK\r\nX: y")));
}

static void test_content(void **state)
{
    assert_false(http_status_has_content(100) || http_status_has_content(204) || http_status_has_content(304));
    assert_true(http_status_has_content(200) && http_status_has_content(206) && http_status_has_content(404));
    assert_false(http_status_may_have_length(101) || http_status_may_have_length(204));
    assert_true(http_status_may_have_length(304) && http_status_may_have_length(200));
}

static void test_chunk_heads(void **state)
{
    static const struct {
        size_t n;
        struct str text;
    } rows[] = {
        { 1, STR_INIT("1\r\n") },   { 15, STR_INIT("f\r\n") },       { 16, STR_INIT("10\r\n") },
        { 31, STR_INIT("1f\r\n") }, { 16384, STR_INIT("4000\r\n") }, { SIZE_MAX, STR_INIT("ffffffffffffffff\r\n") },
    };
    char out[HTTP_CHUNK_HEAD_MAX];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_str(str_make(out, http_chunk_head(out, rows[i].n)), rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_head),  cmocka_unit_test(test_status_lines),
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_fields_from_an_app),
        cmocka_unit_test(test_content), cmocka_unit_test(test_chunk_heads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
