/* Finding a cookie among what clients send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "http/cookie.h"
#include "http/h1.h"

static const struct h1_limits limits = { 100, 20, 1000 };

static struct str find(const char *fields, const char *name)
{
    static struct http_head head;
    static char text[4096];
    struct h1_parser parser;
    int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);

    h1_head_begin(&parser, &limits, &head);
    assert_int_equal(h1_head_parse(&parser, text, (size_t)n, &head), H1_DONE);
    return http_cookie(&head, text, str_of(name));
}

static void found(void **state)
{
    static const struct {
        const char *fields, *name, *value;
    } cases[] = {
        { "Cookie: a=1\r\n", "a", "1" },      { "Cookie: a=1; b=2\r\n", "b", "2" },
        { "Cookie: b=2;a=1\r\n", "a", "1" },  { "Cookie:   x = y ;a=\t1 \r\n", "a", "1" },
        { "Cookie: a=b=c\r\n", "a", "b=c" },  { "Cookie: b=\"1\"; a=1\r\n", "a", "1" },
        { "Cookie: a=1; a=1\r\n", "a", "1" }, { "Cookie: b=1\r\nX: a=3\r\nCookie: a=2\r\n", "a", "2" },
        { "Cookie: ; ;; a=1\r\n", "a", "1" }, { "Cookie: a\r\nCookie: a=1\r\n", "a", "1" },
        { "Cookie: a=\r\n", "a", "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str value = find(cases[i].fields, cases[i].name);

        if (value.p == NULL || !str_eq(value, str_of(cases[i].value)))
            fail_msg("%s: " STR_FMT, cases[i].fields, STR_ARG(value));
    }
}

/* What one reader takes for one value and another for another. */
static void unclear(void **state)
{
    static const char *const fields[] = { "Cookie: a=1; a=2\r\n",
                                          "Cookie: a=1\r\nCookie: a=2\r\n",
                                          "Cookie: a=; a=2\r\n",
                                          "Cookie: a=\"1\"\r\n",
                                          "Cookie: a=\"\\061\"\r\n",
                                          "Cookie: a=1\xc2\xa0\r\n",
                                          "Cookie: a=1; \xc2\xa0"
                                          "a=2\r\n",
                                          "Cookie: a=1\r\nCookie: \x85"
                                          "a=2\r\n" };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        assert_null(find(fields[i], "a").p);
}

static void not_there(void **state)
{
    static const char *const fields[] = { "",
                                          "Cookie: \r\n",
                                          "Cookie: a\r\n",
                                          "Cookie: A=1\r\n",
                                          "Cookie: xa=1\r\n",
                                          "Cookie: ax=1\r\n",
                                          "Cookie: b=a=1\r\n",
                                          "Set-Cookie: a=1\r\n",
                                          "Cookie: b=1, a=2\r\n" };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        assert_null(find(fields[i], "a").p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),
        cmocka_unit_test(unclear),
        cmocka_unit_test(not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
