/* Directories of a root of pages: the slash behind them, index.html, and no way to another server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rig.h"

/* A site whose every path is below one root: prefix "/". */
static void open_site(struct rig *rig, bool index)
{
    struct root *root;
    char path[100];

    rig_init(rig, NULL, NULL);
    root = &rig->lane->snapshot->roots[0];
    root->index = index;
    root->prefix.n = 1;
    snprintf(path, sizeof(path), "%s/static/docs", rig->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/static/empty", rig->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    rig_file(rig, "static/index.html", "front");
    rig_file(rig, "static/docs/index.html", "docs");
    rig_file(rig, "static/docs/a.txt", "text");
}

static void expect(struct rig *rig, const char *target, const char *status, const char *has)
{
    char request[300], *answer;
    int client = rig_connect(rig), n;

    n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    answer = rig_talk(rig, client, request, (size_t)n);
    if (strncmp(answer + 9, status, strlen(status)) != 0 || strstr(answer, has) == NULL)
        fail_msg("%s: %s", target, answer);
    mem_free(answer);
    close(client);
}

static void directories_have_a_slash(void **state)
{
    struct rig rig;

    (void)state;
    open_site(&rig, true);
    expect(&rig, "/", "200", "\r\n\r\nfront");
    expect(&rig, "/docs/", "200", "\r\n\r\ndocs");
    expect(&rig, "/docs/a.txt", "200", "\r\n\r\ntext");
    expect(&rig, "/docs", "301", "\r\nLocation: /docs/\r\n");
    expect(&rig, "/docs?a=b&c", "301", "\r\nLocation: /docs/?a=b&c\r\n");
    expect(&rig, "/%64ocs", "301", "\r\nLocation: /%64ocs/\r\n");
    expect(&rig, "/empty", "301", "\r\nLocation: /empty/\r\n");
    expect(&rig, "/empty/", "404", "");
    expect(&rig, "/docs/a.txt/", "404", "");
    expect(&rig, "/nothing", "404", "");
    expect(&rig, "/nothing/", "404", "");
    expect(&rig, "/index.html/", "404", "");
    rig_fini(&rig);
}

static void no_way_to_another_server(void **state)
{
    struct rig rig;

    (void)state;
    open_site(&rig, true);
    expect(&rig, "//docs", "301", "\r\nLocation: /docs/\r\n");
    expect(&rig, "///docs", "301", "\r\nLocation: /docs/\r\n");
    expect(&rig, "//docs//", "200", "\r\n\r\ndocs");
    expect(&rig, "/.//docs", "404", "");
    expect(&rig, "/%2fdocs", "404", "");
    expect(&rig, "/%5cdocs", "404", "");
    expect(&rig, "/docs/../docs", "404", "");
    expect(&rig, "/docs%0d%0aa:b", "404", "");
    rig_fini(&rig);
}

static void elsewhere_there_are_none(void **state)
{
    struct rig rig;

    (void)state;
    open_site(&rig, false);
    expect(&rig, "/", "404", "");
    expect(&rig, "/docs", "404", "");
    expect(&rig, "/docs/", "404", "");
    expect(&rig, "/docs/index.html", "200", "\r\n\r\ndocs");
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_have_a_slash),
        cmocka_unit_test(no_way_to_another_server),
        cmocka_unit_test(elsewhere_there_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
