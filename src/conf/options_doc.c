/*
 * A tool of the build, not of the server: writes docs/user/options.md from the option table, or checks that it is up to date.
 *
 *   options_doc FILE            write it            (ninja options-doc)
 *   options_doc --check FILE    exit 1 when it differs (a test)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/help.h"

#define PAGE_MAX (1u << 20)

static int write_page(const char *path, const struct buf *page)
{
    FILE *file = fopen(path, "w");

    if (!file || fwrite(page->data, 1, page->len, file) != page->len || fclose(file) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    return 0;
}

static int check_page(const char *path, const struct buf *page)
{
    static char there[PAGE_MAX];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(there, 1, sizeof(there), file) : 0;

    if (file)
        (void)fclose(file);
    if (file && n == page->len && memcmp(there, page->data, n) == 0)
        return 0;
    (void)fprintf(stderr, "%s does not fit the option table: run `ninja -C build options-doc`\n", path);
    return 1;
}

int main(int argc, char **argv)
{
    struct buf page;
    int rc = 2;

    buf_init(&page, PAGE_MAX);
    must(help_markdown(&page) == 0);
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        rc = check_page(argv[2], &page);
    else if (argc == 2)
        rc = write_page(argv[1], &page);
    else
        (void)fprintf(stderr, "usage: options_doc [--check] FILE\n");
    buf_fini(&page);
    return rc;
}
