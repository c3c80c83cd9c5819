/* HTTP/1 on a connection, answered by the edge itself: files, pages, health. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rig.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static char *ask(struct rig *rig, const char *request)
{
    int client = rig_connect(rig);
    char *answer = rig_talk(rig, client, request, strlen(request));

    close(client);
    return answer;
}

static void expect(struct rig *rig, const char *request, const char *status, const char *has)
{
    char *answer = ask(rig, request);

    if (strncmp(answer, status, strlen(status)) != 0 || (has != NULL && strstr(answer, has) == NULL))
        fail_msg("asked %s\ngot %s\nexpected %s … %s", request, answer, status, has == NULL ? "" : has);
    mem_free(answer);
}

static void serves_files(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a.css", "body{}");
    expect(&rig, GET("/static/a.css"), "HTTP/1.1 200 OK\r\n", "\r\n\r\nbody{}");
    expect(&rig, GET("/static/a.css"), "HTTP/1.1 200 OK\r\n", "Content-Type: text/css");
    expect(&rig, GET("/static/a.css"), "HTTP/1.1 200 OK\r\n", "X-Content-Type-Options: nosniff");
    expect(&rig, "HEAD /static/a.css HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Content-Length: 6\r\n");
    expect(&rig, "GET /static/a.css HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n", "HTTP/1.1 206", "\r\n\r\nod");
    expect(&rig, GET("/static/none.css"), "HTTP/1.1 404", NULL);
    expect(&rig, "POST /static/a.css HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405",
           "Allow: GET, HEAD");
    rig_fini(&rig);
}

static void never_leaves_the_root(void **state)
{
    static const char *const paths[] = { "/static/../secret",        "/static/%2e%2e/secret", "/static/..%2fsecret",
                                         "/static/a%00.css",         "/static/.hidden",       "/static/out",
                                         "/static/sub/../../secret", "/static/%5c..%5csecret" };
    struct rig rig;
    char link[160];

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "secret", "SECRET");
    rig_file(&rig, "static/.hidden", "SECRET");
    snprintf(link, sizeof(link), "%s/static/out", rig.dir);
    assert_int_equal(symlink("../secret", link), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char request[256], *answer;

        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", paths[i]);
        answer = ask(&rig, request);
        assert_null(strstr(answer, "SECRET"));
        assert_true(strncmp(answer, "HTTP/1.1 40", 11) == 0);
        mem_free(answer);
    }
    rig_fini(&rig);
}

static void media_cannot_act_as_a_page(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "media/x.html", "<script>");
    rig_file(&rig, "media/x.png", "png");
    expect(&rig, GET("/media/x.html"), "HTTP/1.1 200", "Content-Disposition: attachment");
    expect(&rig, GET("/media/x.png"), "HTTP/1.1 200", "sandbox");
    rig_fini(&rig);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
        n++;
    return n;
}

/* More than one burst, so that going on in the next turn is covered. */
static void answers_pipelined_requests_in_order(void **state)
{
    struct rig rig;
    char request[200 * 64];
    size_t n = 0;
    char *answer;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/0.txt", "zero");
    rig_file(&rig, "static/1.txt", "one.");
    for (unsigned i = 0; i < 200; i++)
        n +=
            (size_t)snprintf(request + n, sizeof(request) - n, "GET /static/%u.txt HTTP/1.1\r\nHost: x\r\n\r\n", i % 2);
    answer = ask(&rig, request);
    assert_int_equal(count(answer, "HTTP/1.1 200 OK"), 200);
    assert_int_equal(count(answer, "zero"), 100);
    assert_true(strstr(answer, "zero") < strstr(answer, "one."));
    mem_free(answer);
    rig_fini(&rig);
}

static void reads_a_head_byte_by_byte(void **state)
{
    const char *request = GET("/static/a.css");
    struct rig rig;
    int client;

    (void)state;
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/a.css", "body{}");
    client = rig_connect(&rig);
    for (size_t i = 0; request[i] != '\0'; i++) {
        char *answer = rig_talk(&rig, client, request + i, 1);

        assert_int_equal(answer[0] == '\0', request[i + 1] != '\0');
        mem_free(answer);
    }
    close(client);
    rig_fini(&rig);
}

static void refuses_and_closes(void **state)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "HTTP/1.1 400" },
        { "GET / HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400" },
        { "POST /static/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 400" },
        { "GET / HTTP/3.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505" },
        { "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 413" },
    };
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int client = rig_connect(&rig);
        char *answer = rig_talk(&rig, client, cases[i].request, strlen(cases[i].request));

        assert_true(strncmp(answer, cases[i].status, strlen(cases[i].status)) == 0);
        assert_non_null(strstr(answer, "Connection: close"));
        assert_non_null(strstr(answer, "X-Request-ID: "));
        shutdown(client, SHUT_WR);
        assert_true(rig_closed(&rig, client));
        mem_free(answer);
        close(client);
    }
    rig_fini(&rig);
}

static void answers_health_by_itself(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, "health_path", "/up");
    expect(&rig, GET("/up"), "HTTP/1.1 200 OK", "\r\n\r\nok\n");
    expect(&rig, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 204", "Allow: ");
    rig_fini(&rig);
}

static void a_full_queue_is_503(void **state)
{
    struct rig rig;
    int first;
    char *none;

    (void)state;
    rig_init(&rig, "queue_size", "1");
    first = rig_connect(&rig);
    none = rig_talk(&rig, first, GET("/"), strlen(GET("/")));
    assert_string_equal(none, ""); /* waits: there is no worker */
    assert_int_equal(rig.edge.dispatch.n_queued, 1);
    expect(&rig, GET("/"), "HTTP/1.1 503", "Retry-After: ");
    close(first); /* the client leaves: nothing waits any more */
    mem_free(rig_read(&rig, first));
    assert_int_equal(rig.edge.dispatch.n_queued, 0);
    mem_free(none);
    rig_fini(&rig);
}

/* Larger than any socket buffer: partial writes and sendfile. */
static void sends_a_large_file_whole(void **state)
{
    struct rig rig;
    size_t n = 8 << 20;
    char *content = mem_alloc(n + 1), *answer, *body;

    (void)state;
    for (size_t i = 0; i < n; i++)
        content[i] = (char)('a' + i % 23);
    content[n] = '\0';
    rig_init(&rig, NULL, NULL);
    rig_file(&rig, "static/big.bin", content);
    answer = ask(&rig, GET("/static/big.bin"));
    body = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(strlen(body), n);
    assert_int_equal(memcmp(body, content, n), 0);
    mem_free(answer);
    mem_free(content);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_files),
        cmocka_unit_test(never_leaves_the_root),
        cmocka_unit_test(media_cannot_act_as_a_page),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(reads_a_head_byte_by_byte),
        cmocka_unit_test(refuses_and_closes),
        cmocka_unit_test(answers_health_by_itself),
        cmocka_unit_test(a_full_queue_is_503),
        cmocka_unit_test(sends_a_large_file_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
