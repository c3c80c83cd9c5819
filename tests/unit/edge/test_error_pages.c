/* Own pages for errors: which file is one, which is found, what is filled in. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "edge/error_pages.h"

static const struct page_values values = { STR_INIT("404"), STR_INIT("Not Found"), STR_INIT("<&'>") };

static void names(void **state)
{
    static const struct {
        const char *name;
        int status; /* 0: no page */
        enum page_form form;
    } rows[] = {
        { "404.html", 404, PAGE_HTML },
        { "500.json", 500, PAGE_JSON },
        { "429.txt", 429, PAGE_TEXT },
        { "4xx.html", 4, PAGE_HTML },
        { "5xx.txt", 5, PAGE_TEXT },
        { "200.html", 0, 0 },
        { "3xx.html", 0, 0 },
        { "600.html", 0, 0 },
        { "404.htm", 0, 0 },
        { "404.html~", 0, 0 },
        { "404", 0, 0 },
        { "4x4.html", 0, 0 },
        { "40x.html", 0, 0 },
        { "40", 0, 0 },
        { "", 0, 0 },
        { ".404.html", 0, 0 },
        { "404.HTML", 0, 0 },
        { "4XX.html", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum page_form form = 0;
        uint16_t status = 0;
        bool is_page = error_page_name(str_of(rows[i].name), &status, &form);

        if (is_page != (rows[i].status != 0) || (is_page && (status != rows[i].status || form != rows[i].form)))
            fail_msg("%s: %d %u %d", rows[i].name, is_page, status, form);
    }
}

static void assert_filled(enum page_form form, const char *text, const char *expected)
{
    struct error_page page = { 404, form, str_of(text) };
    struct arena arena;
    struct str got;

    arena_init(&arena, 1u << 20);
    got = error_page_fill(&page, &values, &arena);
    if (!str_eq(got, str_of(expected)))
        fail_msg("%.*s instead of %s", STR_ARG(got), expected);
    arena_fini(&arena);
}

static void filling(void **state)
{
    (void)state;
    assert_filled(PAGE_TEXT, "", "");
    assert_filled(PAGE_TEXT, "{{status}} {{ reason }}: {{  request_id  }}", "404 Not Found: <&'>");
    assert_filled(PAGE_HTML, "<p>{{request_id}}</p>", "<p>&lt;&amp;&#39;&gt;</p>");
    assert_filled(PAGE_JSON, "{\"a\": {\"b\": \"{{status}}\"}}", "{\"a\": {\"b\": \"404\"}}");
    assert_filled(PAGE_TEXT, "{{ other }} {{}} {{status} {status}} {{", "{{ other }} {{}} {{status} {status}} {{");
    assert_filled(PAGE_TEXT, "{{{status}}}", "{404}");
    assert_filled(PAGE_TEXT, "{{status", "{{status");
    assert_filled(PAGE_TEXT, "{{status}", "{{status}");
}

static void what_is_filled_in_is_bounded(void **state)
{
    char text[ERROR_PAGE_HOLES * 14 + 15] = "", id[129];
    struct page_values longest = { STR_INIT("503"), STR_INIT(""), { id, 128 } };
    struct error_page page = { 503, PAGE_HTML, { text, 0 } };
    struct arena arena;
    struct str got;

    (void)state;
    memset(id, '&', 128);
    for (int i = 0; i <= ERROR_PAGE_HOLES; i++)
        memcpy(text + i * 14, "{{request_id}}", 14);
    page.text.n = sizeof(text) - 1;
    arena_init(&arena, 1u << 20);
    got = error_page_fill(&page, &longest, &arena);
    assert_int_equal(got.n, ERROR_PAGE_HOLES * 128 * 5 + 14);
    assert_true(str_ends(got, STR(";{{request_id}}")));
    arena_fini(&arena);
}

static void write_page(const char *dir, const char *name, const char *text)
{
    char path[200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void remove_page(const char *dir, const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(remove(path), 0);
}

static void assert_found(const struct error_pages *pages, unsigned status, enum page_form form, const char *expected)
{
    const struct error_page *page = error_pages_find(pages, status, form);

    if (expected == NULL)
        assert_null(page);
    else
        assert_true(page != NULL && str_eq(page->text, str_of(expected)));
}

static void reading(void **state)
{
    static char dir[] = "/tmp/quintet-pages-XXXXXX", big[ERROR_PAGE_MAX + 2];
    struct log log = { .level = LOG_ALERT, .process = "edge" };
    struct error_pages *pages;
    char path[200];
    int fd;

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    assert_non_null(mkdtemp(dir));
    write_page(dir, "404.html", "not found");
    write_page(dir, "4xx.html", "four");
    write_page(dir, "4xx.json", "{}");
    write_page(dir, "500.html", big);
    write_page(dir, "style.css", "no page");
    snprintf(path, sizeof(path), "%s/502.html", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    pages = error_pages_read(fd, &log);
    assert_int_equal(pages->n, 3);
    assert_found(pages, 404, PAGE_HTML, "not found");
    assert_found(pages, 405, PAGE_HTML, "four");
    assert_found(pages, 404, PAGE_JSON, "{}");
    assert_found(pages, 404, PAGE_TEXT, NULL);
    assert_found(pages, 500, PAGE_HTML, NULL);
    assert_found(pages, 502, PAGE_HTML, NULL);
    assert_found(NULL, 404, PAGE_HTML, NULL);
    error_pages_free(pages);
    for (size_t i = 0; i < 6; i++)
        remove_page(dir,
                    (const char *[]){ "404.html", "4xx.html", "4xx.json", "500.html", "style.css", "502.html" }[i]);
    assert_int_equal(rmdir(dir), 0);
    pages = error_pages_read(fd, &log); /* it is gone */
    assert_int_equal(pages->n, 0);
    error_pages_free(pages);
    error_pages_free(NULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(filling),
        cmocka_unit_test(what_is_filled_in_is_bounded),
        cmocka_unit_test(reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
