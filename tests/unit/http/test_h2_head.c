/*
 * Fields of an HTTP/2 request into a head: what handlers see, and what is refused. Rows name the section of RFC 9113.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "assert_str.h"
#include "http/h2_head.h"

#define FIELDS_SHOWN 12

struct field {
    const char *name, *value;
};

static const struct h1_limits limits = { .request_line = 8190, .fields = 100, .field_size = 16384 };

static struct {
    struct h2_head h;
    struct http_head head;
    struct buf bytes;
} r;

static void begin(const struct h1_limits *l)
{
    buf_init(&r.bytes, HTTP_HEAD_MAX + H2_HEAD_SLACK);
    h2_head_begin(&r.h, l, &r.head, &r.bytes);
}

static void add(const char *name, const char *value)
{
    h2_head_field(&r.h, str_of(name), str_of(value));
}

static void done(void)
{
    buf_fini(&r.bytes);
}

/* The usual pseudo-fields, then these. */
static void read_fields(const struct field *fields, bool end)
{
    begin(&limits);
    for (size_t i = 0; fields[i].name != NULL; i++)
        add(fields[i].name, fields[i].value);
    h2_head_end(&r.h, end);
}

static struct str text(struct span span)
{
    return http_str(r.bytes.data, span);
}

#define GET                                                                                                            \
    { ":method", "GET" },                                                                                              \
    {                                                                                                                  \
        ":scheme", "https"                                                                                             \
    }
#define AT(path)                                                                                                       \
    GET, { ":authority", "a.example:8443" },                                                                           \
    {                                                                                                                  \
        ":path", path                                                                                                  \
    }

static void a_request(void **state)
{
    (void)state;
    read_fields((const struct field[]){ AT("/a%20b?q=1&r"), { "user-agent", "x" }, { "accept", "" }, { NULL, NULL } },
                true);
    assert_int_equal(r.h.status, 0);
    assert_int_equal(r.head.method, HTTP_GET);
    assert_int_equal(r.head.major, 2);
    assert_int_equal(r.head.body, HTTP_BODY_NONE);
    assert_str(text(r.head.method_text), STR("GET"));
    assert_str(text(r.head.target), STR("/a%20b?q=1&r"));
    assert_str(text(r.head.path), STR("/a%20b"));
    assert_str(text(r.head.query), STR("q=1&r"));
    assert_str(text(r.head.authority), STR("a.example:8443"));
    assert_int_equal(r.head.n_fields, 3);
    assert_int_equal(r.head.fields[0].id, HTTP_F_USER_AGENT);
    assert_str(text(r.head.fields[1].value), STR(""));
    assert_int_equal(r.head.fields[2].id, HTTP_F_HOST); /* made of :authority */
    assert_str(text(r.head.fields[2].name), STR("host"));
    assert_str(text(r.head.fields[2].value), STR("a.example:8443"));
    assert_int_equal(r.head.length, r.bytes.len);
    done();
}

static void hosts(void **state)
{
    (void)state;
    read_fields((const struct field[]){ GET, { ":path", "/" }, { "host", "b.example" }, { NULL, NULL } }, true);
    assert_int_equal(r.h.status, 0);
    assert_str(text(r.head.authority), STR("b.example"));
    assert_int_equal(r.head.n_fields, 1);
    done();
    read_fields((const struct field[]){ AT("/"), { "host", "A.example:8443" }, { NULL, NULL } }, true);
    assert_int_equal(r.h.status, 0);
    assert_int_equal(r.head.n_fields, 1);
    done();
}

static void bodies(void **state)
{
    (void)state;
    read_fields((const struct field[]){ AT("/"), { NULL, NULL } }, false);
    assert_int_equal(r.head.body, HTTP_BODY_CHUNKED); /* of a length nobody knows */
    done();
    read_fields(
        (const struct field[]){ AT("/"), { "content-length", "5" }, { "expect", "100-continue" }, { NULL, NULL } },
        false);
    assert_int_equal(r.head.body, HTTP_BODY_LENGTH);
    assert_int_equal(r.head.content_length, 5);
    assert_true(r.head.expect_continue);
    done();
    read_fields((const struct field[]){ AT("/"), { "content-length", "0" }, { NULL, NULL } }, true);
    assert_int_equal(r.h.status, 0);
    done();
}

/* 8.2.3, whatever stands between the crumbs. */
static void cookies(void **state)
{
    (void)state;
    read_fields((const struct field[]){ AT("/"),
                                        { "cookie", "a=1" },
                                        { "cookie", "b=2" },
                                        { "x", "y" },
                                        { "cookie", "c=3" },
                                        { "cookie", "" },
                                        { NULL, NULL } },
                true);
    assert_int_equal(r.h.status, 0);
    assert_int_equal(r.head.n_fields, 3);
    assert_str(text(r.head.fields[0].value), STR("a=1; b=2; c=3; "));
    assert_str(text(r.head.fields[1].value), STR("y"));
    done();
}

static void refusals(void **state)
{
    static const struct {
        unsigned status;
        const char *rule;
        struct field fields[FIELDS_SHOWN];
        bool body;
    } rows[] = {
        { 400, "8.3.1: no :method", { { ":scheme", "https" }, { ":path", "/" }, { ":authority", "a" } }, false },
        { 400, "8.3.1: no :scheme", { { ":method", "GET" }, { ":path", "/" }, { ":authority", "a" } }, false },
        { 400, "8.3.1: no :path", { GET, { ":authority", "a" } }, false },
        { 400, "8.3.1: empty :path", { AT("") }, false },
        { 400, "8.3.1: :path without a slash", { AT("a/b") }, false },
        { 400, "8.3.1: absolute :path", { AT("http://a.example/") }, false },
        { 400, "8.3.1: * is for OPTIONS", { AT("*") }, false },
        { 400, "RFC 3986 3.5: a fragment", { AT("/a#b") }, false },
        { 400, "a space in :path", { AT("/a b") }, false },
        { 400, "HTTP/1 rules: NUL in the path", { AT("/a%00") }, false },
        { 400,
          "8.3.1: another scheme",
          { { ":method", "GET" }, { ":scheme", "ftp" }, { ":path", "/" }, { ":authority", "a" } },
          false },
        { 400,
          "RFC 9110 9.1: method is a token",
          { { ":method", "G T" }, { ":scheme", "http" }, { ":path", "/" }, { ":authority", "a" } },
          false },
        { 400, "8.3: unknown pseudo-field", { AT("/"), { ":protocol", "websocket" } }, false },
        { 400, "8.3.1: userinfo", { GET, { ":path", "/" }, { ":authority", "u:p@a" } }, false },
        { 400, "8.3.1: Host and :authority", { AT("/"), { "host", "b.example" } }, false },
        { 400, "8.3.1: Host and :authority, port", { AT("/"), { "host", "a.example" } }, false },
        { 400, "RFC 9110 7.2: no Host at all", { GET, { ":path", "/" } }, false },
        { 400, "RFC 9110 7.2: two Hosts", { GET, { ":path", "/" }, { "host", "a" }, { "host", "a" } }, false },
        { 400, "8.2: upper case", { AT("/"), { "X-A", "b" } }, false },
        { 400, "8.2.1: no token", { AT("/"), { "a b", "c" } }, false },
        { 400, "8.2.1: empty name", { AT("/"), { "", "c" } }, false },
        { 400, "8.2.1: CR LF", { AT("/"), { "a", "b\r\nc: d" } }, false },
        { 400, "8.2.1: blank at an end", { AT("/"), { "a", " b" } }, false },
        { 400, "8.2.2: connection", { AT("/"), { "connection", "close" } }, false },
        { 400, "8.2.2: keep-alive", { AT("/"), { "keep-alive", "timeout=5" } }, false },
        { 400, "8.2.2: proxy-connection", { AT("/"), { "proxy-connection", "close" } }, false },
        { 400, "8.2.2: transfer-encoding", { AT("/"), { "transfer-encoding", "chunked" } }, true },
        { 400, "8.2.2: upgrade", { AT("/"), { "upgrade", "h2c" } }, false },
        { 400, "8.2.2: te", { AT("/"), { "te", "gzip" } }, false },
        { 400, "8.1.1: length without a body", { AT("/"), { "content-length", "5" } }, false },
        { 400, "length is no number", { AT("/"), { "content-length", "+5" } }, true },
        { 400, "lengths", { AT("/"), { "content-length", "5" }, { "content-length", "5" } }, true },
        { 400, "HTTP/1 rules: twice", { AT("/"), { "authorization", "a" }, { "authorization", "b" } }, false },
        { 405,
          "TRACE",
          { { ":method", "TRACE" }, { ":scheme", "http" }, { ":path", "/" }, { ":authority", "a" } },
          false },
        { 417, "expectation", { AT("/"), { "expect", "200-ok" } }, true },
        { 501, "8.5: CONNECT", { { ":method", "CONNECT" }, { ":authority", "a:443" } }, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_fields(rows[i].fields, !rows[i].body);
        if (r.h.status != rows[i].status)
            fail_msg("%s: %u instead of %u (%s)", rows[i].rule, r.h.status, rows[i].status,
                     r.h.reason != NULL ? r.h.reason : "");
        done();
    }
}

static void fits(void **state)
{
    (void)state;
    read_fields((const struct field[]){ { ":method", "OPTIONS" },
                                        { ":scheme", "HTTP" },
                                        { ":path", "*" },
                                        { ":authority", "[::1]:80" },
                                        { "te", "trailers" },
                                        { NULL, NULL } },
                true);
    assert_int_equal(r.h.status, 0);
    assert_int_equal(r.head.target_form, HTTP_TARGET_ASTERISK);
    done();
}

static char *repeat(char c, size_t n)
{
    char *s = malloc(n + 1);

    assert_non_null(s);
    memset(s, c, n);
    s[n] = '\0';
    return s;
}

static void limits_of_size(void **state)
{
    struct h1_limits tight = { .request_line = 20, .fields = 3, .field_size = 10 };
    char *path = repeat('/', 20), *big = repeat('x', 9000);
    unsigned n = 0;

    (void)state;
    begin(&tight); /* 414 */
    for (size_t i = 0; i < 4; i++)
        add(((const char *[]){ ":method", ":scheme", ":authority", ":path" })[i],
            ((const char *[]){ "GET", "http", "a", path })[i]);
    h2_head_end(&r.h, true);
    assert_int_equal(r.h.status, 414);
    done();
    begin(&tight); /* fields */
    for (unsigned i = 0; i < 4; i++)
        add("a", "b");
    assert_int_equal(r.h.status, 431);
    done();
    begin(&tight); /* a field's size, name and ": " included */
    add("a", "1234567");
    assert_int_equal(r.h.status, 0);
    add("a", "12345678");
    assert_int_equal(r.h.status, 431);
    done();
    begin(&tight); /* crumbs are one field */
    add("cookie", "ab");
    add("cookie", "abcdef");
    assert_int_equal(r.h.status, 0);
    add("cookie", "x");
    assert_int_equal(r.h.status, 431);
    done();
    begin(&limits); /* all of it; nothing is kept past the maximum */
    while (r.h.status == 0 && n++ < 100)
        add("x", big);
    assert_int_equal(r.h.status, 431);
    for (unsigned i = 0; i < 100; i++)
        add("x", big);
    assert_true(r.bytes.len <= HTTP_HEAD_MAX);
    assert_true(r.h.size > 100 * 9000);
    done();
    begin(&limits); /* a cookie that wanders is copied, but not for ever */
    for (n = 0; r.h.status == 0 && n < 1000; n++) {
        add("cookie", n < 1 ? big : "a");
        add(n % 2 == 0 ? "x" : "y", "z");
    }
    assert_int_equal(r.h.status, 431);
    assert_true(r.bytes.len <= HTTP_HEAD_MAX);
    done();
    free(path);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),      cmocka_unit_test(hosts),    cmocka_unit_test(bodies),
        cmocka_unit_test(cookies),        cmocka_unit_test(refusals), cmocka_unit_test(fits),
        cmocka_unit_test(limits_of_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
