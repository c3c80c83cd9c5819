/*
 * Media types: the table is in order, and nothing that a browser would run is called inert.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "assert_str.h"
#include "http/head.h"
#include "http/mime.h"

static void test_table_is_sorted_and_sound(void **state)
{
    size_t n = 0;

    for (const struct mime_type *row; (row = mime_at(n)); n++) {
        if (n > 0)
            assert_true(str_cmp(mime_at(n - 1)->extension, row->extension) < 0);
        assert_true(http_is_token(row->extension) && http_is_field_value(row->type));
        assert_true(str_find(row->type, '/') > 0);
        for (size_t i = 0; i < row->extension.n; i++)
            assert_int_equal(row->extension.p[i], ascii_lower(row->extension.p[i]));
    }
    assert_true(n > 120);
}

static void test_every_row_is_found(void **state)
{
    for (size_t i = 0; mime_at(i); i++) {
        char name[32] = "x.";
        struct str extension = mime_at(i)->extension;

        memcpy(name + 2, extension.p, extension.n);
        assert_ptr_equal(mime_of(str_make(name, extension.n + 2)), mime_at(i));
    }
}

static void test_names(void **state)
{
    static const struct {
        struct str name, type;
    } rows[] = {
        { STR_INIT("site.css"), STR_INIT("text/css; charset=utf-8") },
        { STR_INIT("/a/b.min.JS"), STR_INIT("text/javascript; charset=utf-8") },
        { STR_INIT("app.55e7cbb9ba48.css"), STR_INIT("text/css; charset=utf-8") },
        { STR_INIT("m.mjs"), STR_INIT("text/javascript; charset=utf-8") },
        { STR_INIT("x.tar.gz"), STR_INIT("application/gzip") },
        { STR_INIT("x.wasm"), STR_INIT("application/wasm") },
        { STR_INIT("x.webmanifest"), STR_INIT("application/manifest+json") },
        { STR_INIT("x.woff2"), STR_INIT("font/woff2") },
        { STR_INIT("README"), STR_INIT("application/octet-stream") },
        { STR_INIT(""), STR_INIT("application/octet-stream") },
        { STR_INIT("."), STR_INIT("application/octet-stream") },
        { STR_INIT("x."), STR_INIT("application/octet-stream") },
        { STR_INIT("css"), STR_INIT("application/octet-stream") },
        { STR_INIT("a.css/b"), STR_INIT("application/octet-stream") },
        { STR_INIT("a.cssx"), STR_INIT("application/octet-stream") },
        { STR_INIT("a.averyveryverylongextension"), STR_INIT("application/octet-stream") },
        { STR_INIT("a.html\0"), STR_INIT("application/octet-stream") },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_str(mime_of(rows[i].name)->type, rows[i].type);
}

static void test_active_content_is_not_inert(void **state)
{
    static const char *const active[] = { "a.html", "a.HTM", "a.xhtml", "a.shtml",   "a.svg", "a.xml",
                                          "a.xsl",  "a.js",  "a.mjs",   "a.css",     "a.swf", "a.mht",
                                          "a.eml",  "a.rdf", "a.htc",   "a.unknown", "a" };
    static const char *const inert[] = { "a.png", "a.jpg", "a.webp", "a.avif", "a.gif",
                                         "a.mp4", "a.mp3", "a.pdf",  "a.txt" };

    for (size_t i = 0; i < ARRAY_LEN(active); i++)
        assert_false(mime_of(str_of(active[i]))->inert);
    for (size_t i = 0; i < ARRAY_LEN(inert); i++)
        assert_true(mime_of(str_of(inert[i]))->inert);
}

/* By type, whatever the extension: no markup and no script is ever inert. */
static void test_no_markup_type_is_inert(void **state)
{
    static const char *const parts[] = { "html", "xml", "script", "css", "flash", "related", "rfc822" };

    for (size_t i = 0; mime_at(i); i++)
        for (size_t j = 0; j < ARRAY_LEN(parts); j++)
            if (memmem(mime_at(i)->type.p, mime_at(i)->type.n, parts[j], strlen(parts[j])))
                assert_false(mime_at(i)->inert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sorted_and_sound),
        cmocka_unit_test(test_every_row_is_found),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_active_content_is_not_inert),
        cmocka_unit_test(test_no_markup_type_is_inert),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
