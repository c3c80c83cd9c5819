/* What is worth compressing, by media type and by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pack/types.h"

static void test_types(void **state)
{
    static const char *const fit[] = { "text/html",
                                       "TEXT/HTML; charset=utf-8",
                                       "text/event-stream",
                                       "application/json",
                                       "application/json ;x=y",
                                       "application/problem+json",
                                       "application/javascript",
                                       "application/wasm",
                                       "image/svg+xml",
                                       "font/ttf",
                                       "application/ecmascript",
                                       "application/graphql",
                                       "application/x-javascript",
                                       "application/x-yaml",
                                       "application/xml" };
    static const char *const unfit[] = {
        "",
        "text",
        "image/png",
        "application/zip",
        "application/octet-stream",
        "font/woff2",
        "video/mp4",
        "json",
        "textual/html",
        "multipart/form-data",
        "application/a-very-long-name-that-ends-as-if-it-were-known-to-us-and-compressed+json"
    };

    for (size_t i = 0; i < ARRAY_LEN(fit); i++)
        if (!pack_type_fits(str_of(fit[i])))
            fail_msg("%s", fit[i]);
    for (size_t i = 0; i < ARRAY_LEN(unfit); i++)
        if (pack_type_fits(str_of(unfit[i])))
            fail_msg("%s", unfit[i]);
}

static void test_names(void **state)
{
    assert_true(pack_name_fits(STR("style.css")));
    assert_true(pack_name_fits(STR("app.min.JS")));
    assert_true(pack_name_fits(STR("a/b.d/.json")));
    assert_false(pack_name_fits(STR("css")));
    assert_false(pack_name_fits(STR("style.css.br")));
    assert_false(pack_name_fits(STR("photo.jpeg")));
    assert_false(pack_name_fits(STR("a.css/readme")));
    assert_false(pack_name_fits(STR("a.")));
    assert_false(pack_name_fits(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("pack/types", tests, NULL, NULL);
}
