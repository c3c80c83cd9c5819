/*
 * Link fields: taken apart, and which relations are early.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assert_str.h"
#include "http/link.h"

static void lists(void **state)
{
    struct str list = STR("</a,b>; rel=\"x,y\" , junk,, <>, </c>;rel=preload,"), link;

    (void)state;
    assert_true(link_next(&list, &link));
    assert_str(link, STR("</a,b>; rel=\"x,y\""));
    assert_true(link_next(&list, &link));
    assert_str(link, STR("</c>;rel=preload"));
    assert_false(link_next(&list, &link));
    list = STR("</never closed, rel=preload");
    assert_true(link_next(&list, &link));
    assert_false(link_next(&list, &link));
}

static void early(void **state)
{
    static const char *const yes[] = {
        "</a.css>; rel=preload; as=style",
        "</a.js>;rel=\"modulepreload\"",
        "<https://cdn.example>; crossorigin; REL = PreConnect",
        "</a>; rel=\"next preload\"",
        "</a;rel=x>; title=\"a;rel=next\"; rel=preload",
    };
    static const char *const no[] = {
        "</a>",
        "</a>; rel",
        "</a>; rel=",
        "</a>; rel=prefetch",
        "</a>; rel=next; rel=preload",
        "</a>; title=\"rel=preload\"",
        "</a>; xrel=preload",
        "</a; rel=preload",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!link_is_early(str_of(yes[i])))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (link_is_early(str_of(no[i])))
            fail_msg("%s", no[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
