/*
 * Bodies: what is delivered, where they end, and what is refused; replayed however cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "assert_str.h"
#include "replay.h"

#define BYTES(literal) STR_INIT(literal)

static struct replay_body *result; /* 64 KiB: not on the stack */

static void run(struct str message, enum http_body kind, uint64_t length)
{
    static struct http_head head;

    head.body = kind;
    head.content_length = length;
    replay_body(message, &head, (unsigned)message.n, result);
}

static void run_chunked(struct str message)
{
    run(message, HTTP_BODY_CHUNKED, 0);
}

static void test_no_body_ends_at_once(void **state)
{
    run(STR("GET /next"), HTTP_BODY_NONE, 0);
    assert_int_equal(result->result, H1_DONE);
    assert_int_equal(result->used, 0);
    run(STR("GET /next"), HTTP_BODY_LENGTH, 0);
    assert_int_equal(result->result, H1_DONE);
    assert_int_equal(result->used, 0);
}

static void test_length(void **state)
{
    run(STR("helloGET /next"), HTTP_BODY_LENGTH, 5);
    assert_int_equal(result->result, H1_DONE);
    assert_int_equal(result->used, 5);
    assert_str(str_make(result->data, result->n), STR("hello"));
    run(STR("hell"), HTTP_BODY_LENGTH, 5);
    assert_int_equal(result->result, H1_MORE);
    assert_str(str_make(result->data, result->n), STR("hell"));
}

static void test_chunks_are_understood(void **state)
{
    static const struct {
        struct str message, data;
    } rows[] = {
        { BYTES("0\r\n\r\n"), BYTES("") },
        { BYTES("5\r\nhello\r\n0\r\n\r\n"), BYTES("hello") },
        { BYTES("1\r\nh\r\n4\r\nello\r\n00\r\n\r\n"), BYTES("hello") },
        { BYTES("0000000000000000000005\r\nhello\r\n0\r\n\r\n"), BYTES("hello") },
        { BYTES("A\r\n0123456789\r\n0\r\n\r\n"), BYTES("0123456789") },
        { BYTES("a\r\n01\r\n456\r\n9\r\n0\r\n\r\n"), BYTES("01\r\n456\r\n9") },
        { BYTES("5;name=value\r\nhello\r\n0;last\r\n\r\n"), BYTES("hello") },
        { BYTES("5 \t;n=\"v;\xc3\xa9\"\r\nhello\r\n0\r\n\r\n"), BYTES("hello") },
        { BYTES("5;\r\nhello\r\n0\r\n\r\n"), BYTES("hello") },
        { BYTES("5\r\nhello\r\n0\r\nA: b\r\nEmpty:\r\n\r\n"), BYTES("hello") },
        { BYTES("3\r\n\0\r\n\r\n0\r\n\r\n"), BYTES("\0\r\n") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        run_chunked(rows[i].message);
        assert_int_equal(result->result, H1_DONE);
        assert_int_equal(result->used, rows[i].message.n);
        assert_str(str_make(result->data, result->n), rows[i].data);
    }
}

static void test_what_follows_is_left_alone(void **state)
{
    struct str body = STR("5\r\nhello\r\n0\r\n\r\n");

    run_chunked(STR("5\r\nhello\r\n0\r\n\r\n\r\nGET /next"));
    assert_int_equal(result->result, H1_DONE);
    assert_int_equal(result->used, body.n);
}

static void test_chunks_are_refused(void **state)
{
    static const struct {
        struct str message;
        unsigned status;
        const char *rule;
    } rows[] = {
        { BYTES("\r\n0\r\n\r\n"), 400, "RFC 9112 7.1: no size" },
        { BYTES("\n"), 400, "RFC 9112 7.1" },
        { BYTES(" 5\r\nhello\r\n0\r\n\r\n"), 400, "blank before the size" },
        { BYTES("5 \r\nhello\r\n0\r\n\r\n"), 400, "blank behind the size and no extension" },
        { BYTES("5 x\r\nhello\r\n0\r\n\r\n"), 400, "RFC 9112 7.1.1: an extension begins with ';'" },
        { BYTES("0x5\r\nhello\r\n0\r\n\r\n"), 400, "smuggling: TE.TE by hex prefix" },
        { BYTES("+5\r\nhello\r\n0\r\n\r\n"), 400, "sign" },
        { BYTES("-5\r\nhello\r\n0\r\n\r\n"), 400, "sign" },
        { BYTES("5_0\r\nhello\r\n0\r\n\r\n"), 400, "what Python's int() takes" },
        { BYTES("g\r\n"), 400, "not hex" },
        { BYTES(";x\r\n"), 400, "an extension without a size" },
        { BYTES("8000000000000000\r\n"), 400, "past 2^63-1" },
        { BYTES("10000000000000005\r\nhello\r\n"), 400, "wraps to 5" },
        { BYTES("5\nhello\r\n0\r\n\r\n"), 400, "smuggling: lone LF ends a chunk line (CVE-2025-22871)" },
        { BYTES("5\rhello\r\n0\r\n\r\n"), 400, "smuggling: bare CR ends a chunk line" },
        { BYTES("5;a\nhello\r\n0\r\n\r\n"), 400, "smuggling: lone LF in an extension (TERM.EXT)" },
        { BYTES("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400, "smuggling: bare CR in an extension" },
        { BYTES("5;a\0\r\nhello\r\n0\r\n\r\n"), 400, "NUL in an extension" },
        { BYTES("5\r\nhello0\r\n\r\n"), 400, "no CRLF behind the data" },
        { BYTES("5\r\nhello\n0\r\n\r\n"), 400, "smuggling: lone LF behind the data" },
        { BYTES("5\r\nhello\rX0\r\n\r\n"), 400, "bare CR behind the data" },
        { BYTES("5\r\nhelloXX0\r\n\r\n"), 400, "smuggling: two bytes of anything behind the data" },
        { BYTES("5\r\nhello!\r\n0\r\n\r\n"), 400, "longer than it says" },
        { BYTES("0\r\n\n"), 400, "lone LF at the end" },
        { BYTES("0\r\n\rX"), 400, "bare CR at the end" },
        { BYTES("0\r\nA\r\n\r\n"), 400, "RFC 9112 7.1.2: a trailer field without a colon" },
        { BYTES("0\r\nA : b\r\n\r\n"), 400, "space before the colon" },
        { BYTES("0\r\n: b\r\n\r\n"), 400, "empty name" },
        { BYTES("0\r\n b\r\n\r\n"), 400, "folded" },
        { BYTES("0\r\nA: b\r\n c\r\n\r\n"), 400, "folded" },
        { BYTES("0\r\nA: b\n\r\n"), 400, "lone LF" },
        { BYTES("0\r\nA: b\rc\r\n\r\n"), 400, "bare CR" },
        { BYTES("0\r\nA: \0\r\n\r\n"), 400, "NUL" },
        { BYTES("0\r\nGET / HTTP/1.1\r\n\r\n"), 400, "a request where a trailer would be" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        run_chunked(rows[i].message);
        if (result->result != H1_ERROR || result->status != rows[i].status)
            fail_msg("row %zu: result %d, status %u instead of %u, %s:\n" STR_FMT, i, result->result, result->status,
                     rows[i].status, rows[i].rule, STR_ARG(rows[i].message));
    }
}

/* ---- limits ---- */

/* `before`, n times 'x', `after`. */
static struct str stretched(const char *before, size_t n, const char *after)
{
    static char text[16 << 10];
    size_t b = strlen(before), a = strlen(after);

    assert_true(b + n + a <= sizeof(text));
    memcpy(text, before, b);
    memset(text + b, 'x', n);
    memcpy(text + b + n, after, a);
    return str_make(text, b + n + a);
}

static void test_chunk_line_limit(void **state)
{
    run_chunked(stretched("0;", H1_CHUNK_LINE_MAX - 2, "\r\n\r\n"));
    assert_int_equal(result->result, H1_DONE);
    run_chunked(stretched("0;", H1_CHUNK_LINE_MAX - 1, "\r\n\r\n"));
    assert_int_equal(result->status, 400);
    run_chunked(stretched("1\r\nx\r\n0;", H1_CHUNK_LINE_MAX - 2, "\r\n\r\n")); /* a limit per line */
    assert_int_equal(result->result, H1_DONE);
}

static void test_trailer_limit(void **state)
{
    size_t fixed = strlen("A:\r\n\r\n");

    run_chunked(stretched("0\r\nA:", H1_TRAILER_MAX - fixed, "\r\n\r\n"));
    assert_int_equal(result->result, H1_DONE);
    run_chunked(stretched("0\r\nA:", H1_TRAILER_MAX - fixed + 1, "\r\n\r\n"));
    assert_int_equal(result->result, H1_ERROR);
    assert_int_equal(result->status, 431);
    run_chunked(stretched("0;xxxxxx\r\nA:", H1_TRAILER_MAX - fixed, "\r\n\r\n")); /* the chunk line does not count */
    assert_int_equal(result->result, H1_DONE);
}

static void test_largest_sizes(void **state)
{
    run_chunked(STR("7fffffffffffffff\r\nhello"));
    assert_int_equal(result->result, H1_MORE);
    assert_int_equal(result->n, 5);
    run(STR("hello"), HTTP_BODY_LENGTH, INT64_MAX);
    assert_int_equal(result->result, H1_MORE);
    assert_int_equal(result->n, 5);
}

static int set_up(void **state)
{
    result = malloc(sizeof(*result));
    return result ? 0 : -1;
}

static int tear_down(void **state)
{
    free(result);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_body_ends_at_once),  cmocka_unit_test(test_length),
        cmocka_unit_test(test_chunks_are_understood), cmocka_unit_test(test_what_follows_is_left_alone),
        cmocka_unit_test(test_chunks_are_refused),    cmocka_unit_test(test_chunk_line_limit),
        cmocka_unit_test(test_trailer_limit),         cmocka_unit_test(test_largest_sizes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
