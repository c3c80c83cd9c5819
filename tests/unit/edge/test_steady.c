/*
 * The steady state: once a lane has served a few requests on kept connections, the next one allocates nothing.
 *
 * This program's malloc and its kind stand before the C library's, so that all count: ours, and those of libraries. Only the loop's turns are
 * counted; what the test does as client and as worker is its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture.h"
#include "http/h2.h"
#include "os/sink.h"
#include "tls_client.h"

#define WARM_UP 20
#define REQUESTS 100
#define OPENSSL_MOST                                                                                                   \
    10 /* a request: six in 3.0, of them two record buffers, which an idle connection does not hold (docs/internals/tls.md) */
#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static _Thread_local volatile bool counting; /* the sink's thread is not on a request's way */
static volatile size_t allocations, last_size;

static void note(size_t size)
{
    if (!counting)
        return;
    allocations++;
    last_size = size;
}

SEEN_BY_LIBRARIES void *malloc(size_t size)
{
    note(size);
    return __libc_malloc(size);
}

/* The C library's names of the parameters are reserved to it. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
SEEN_BY_LIBRARIES void *calloc(size_t n, size_t size)
{
    note(n * size);
    return __libc_calloc(n, size);
}

SEEN_BY_LIBRARIES void *realloc(void *p, size_t size)
{
    note(size);
    return __libc_realloc(p, size);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* ---- a client and a worker that allocate nothing either ---- */

static void counted_turns(struct rig *rig)
{
    counting = true;
    for (int i = 0; i < 3; i++) {
        loop_wake(rig->lane->loop);
        loop_once(rig->lane->loop);
    }
    counting = false;
}

static void ask(struct fixture *f, const char *request)
{
    assert_int_equal(send(f->client, request, strlen(request), 0), strlen(request));
    counted_turns(&f->rig);
}

static void hear(struct fixture *f, const char *status)
{
    static char answer[1 << 16];
    ssize_t n = recv(f->client, answer, sizeof(answer) - 1, 0);

    assert_true(n > 12);
    assert_memory_equal(answer + 9, status, 3);
}

static void answer_as_app(struct fixture *f)
{
    struct pool_ticket t = rig_app_take(&f->app, 0, &f->request);

    rig_app_head(&f->app, t, 200, "Content-Length", "5");
    rig_app_data(&f->app, t, "hello");
    rig_app_end(&f->app, t, 0);
    counted_turns(&f->rig);
}

static void app_request(struct fixture *f, const char *request)
{
    ask(f, request);
    answer_as_app(f);
    hear(f, "200");
}

static void file_request(struct fixture *f, const char *request)
{
    ask(f, request);
    hear(f, "200");
}

static void missing_request(struct fixture *f, const char *request)
{
    ask(f, request);
    hear(f, "404");
}

/* ---- over HTTP/2, in clear text ---- */

#define FRAME_HEAD 9

static uint32_t last_stream; /* of the client's connection; 0: it has not said hello */

/* HEADERS with this block, and no body. */
static void ask_h2(struct fixture *f, const char *block)
{
    static const char hello[] = H2_PREFACE "\0\0\0\x04\0\0\0\0\0";
    size_t n = strlen(block);
    char frame[FRAME_HEAD + 255] = { 0, 0, (char)n, 1, 5 };

    assert_true(n <= 255);
    if (last_stream == 0)
        assert_int_equal(send(f->client, hello, sizeof(hello) - 1, 0), sizeof(hello) - 1);
    last_stream = last_stream == 0 ? 1 : last_stream + 2;
    frame[7] = (char)(last_stream >> 8);
    frame[8] = (char)last_stream;
    memcpy(frame + FRAME_HEAD, block, n);
    assert_int_equal(send(f->client, frame, FRAME_HEAD + n, 0), FRAME_HEAD + n);
    counted_turns(&f->rig);
}

/* The answer ends with a frame of `length` bytes that ends the stream. */
static void hear_h2(struct fixture *f, size_t length)
{
    static char answer[1 << 16];
    ssize_t n = recv(f->client, answer, sizeof(answer), 0);
    const char *last = answer + n - FRAME_HEAD - length;

    assert_true(n > (ssize_t)(FRAME_HEAD + length));
    assert_memory_equal(last, ((char[]){ 0, 0, (char)length, 0, 1 }), 5);
    assert_int_equal(last[8], (char)last_stream);
}

static void app_request_h2(struct fixture *f, const char *block)
{
    ask_h2(f, block);
    answer_as_app(f);
    hear_h2(f, 5);
}

static void file_request_h2(struct fixture *f, const char *block)
{
    ask_h2(f, block);
    hear_h2(f, 19);
}

/* ---- over TLS: what OpenSSL allocates for itself has a count of its own ---- */

static volatile size_t by_openssl;

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    by_openssl += counting;
    return __libc_malloc(size);
}

static void *openssl_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    by_openssl += counting;
    return __libc_realloc(p, size);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static struct tls_client secure; /* the client of the TLS tests; .ssl NULL: it has not dialled */

static void ask_tls(struct fixture *f, const char *request)
{
    if (secure.ssl == NULL) {
        rig_tls(&f->rig);
        tls_client_dial(&f->rig, &secure);
    }
    assert_int_equal(SSL_write(secure.ssl, request, (int)strlen(request)), strlen(request));
    counted_turns(&f->rig);
}

static void hear_tls(void)
{
    static char answer[1 << 16];
    int n = SSL_read(secure.ssl, answer, sizeof(answer));

    assert_true(n > 12);
    assert_memory_equal(answer + 9, "200", 3);
}

static void app_request_tls(struct fixture *f, const char *request)
{
    ask_tls(f, request);
    answer_as_app(f);
    hear_tls();
}

static void file_request_tls(struct fixture *f, const char *request)
{
    ask_tls(f, request);
    hear_tls();
}

typedef void request_fn(struct fixture *f, const char *request);

/* With an access log, as a server has one. */
static void check(request_fn *fn, const char *request)
{
    struct fixture f;
    struct sink *sink;

    last_stream = 0;
    open_fixture(&f, NULL, NULL);
    rig_file(&f.rig, "static/a.css", "body { color: red }");
    assert_int_equal(sink_new(memfd_create("log", MFD_CLOEXEC), &sink), 0);
    f.rig.edge.access_sink = sink;
    for (int i = 0; i < WARM_UP; i++)
        fn(&f, request);
    allocations = by_openssl = 0;
    for (int i = 0; i < REQUESTS; i++)
        fn(&f, request);
    if (allocations != 0)
        fail_msg("%zu allocations in %d requests, the last of %zu bytes (gdb: break note)", allocations, REQUESTS,
                 last_size);
    assert_int_equal(sink_flush(sink, 10 * NS_PER_SEC), 0);
    f.rig.edge.access_sink = NULL;
    sink_free(sink);
    if (secure.ssl != NULL)
        tls_client_hang_up(&secure);
    secure.ssl = NULL;
    close_fixture(&f);
}

/* ---- tests ---- */

#define BROWSER                                                                                                        \
    "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\n"                   \
    "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate\r\n"             \
    "Cookie: sessionid=abcdefghijklmnopqrstuvwxyz012345\r\nConnection: keep-alive\r\n\r\n"

static void the_count_sees_what_libraries_allocate(void **state)
{
    char *copy;

    (void)state;
    allocations = 0;
    counting = true;
    copy = strdup("strdup of the C library");
    counting = false;
    free(copy);
    assert_int_equal(allocations, 1);
}

static void the_application_is_asked_without_malloc(void **state)
{
    (void)state;
    check(app_request, "GET /products/guitar/?page=2 HTTP/1.1\r\n" BROWSER);
}

static void a_file_is_sent_without_malloc(void **state)
{
    (void)state;
    check(file_request, "GET /static/a.css HTTP/1.1\r\n" BROWSER);
}

static void a_small_body_is_taken_without_malloc(void **state)
{
    (void)state;
    check(app_request,
          "POST /cart/ HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n" BROWSER
          "product=7&count=2");
}

static void a_page_of_our_own_is_made_without_malloc(void **state)
{
    (void)state;
    check(missing_request, "GET /static/missing.css HTTP/1.1\r\n" BROWSER);
}

/* GET, http, the path, "shop", and a cookie that no table of the connection holds. */
#define H2_BLOCK(path) "\x82\x86\x04" path "\x01\x04shop\x0f\x11\x09sessionid"

static void the_application_is_asked_over_http2_without_malloc(void **state)
{
    (void)state;
    check(app_request_h2, H2_BLOCK("\x09/products"));
}

static void a_file_is_sent_over_http2_without_malloc(void **state)
{
    (void)state;
    check(file_request_h2, H2_BLOCK("\x0d/static/a.css"));
}

static void the_application_is_asked_over_tls_without_malloc(void **state)
{
    (void)state;
    check(app_request_tls, "GET /products/guitar/?page=2 HTTP/1.1\r\n" BROWSER);
    assert_in_range(by_openssl, 0, OPENSSL_MOST * REQUESTS);
}

static void a_file_is_sent_over_tls_without_malloc(void **state)
{
    (void)state;
    check(file_request_tls, "GET /static/a.css HTTP/1.1\r\n" BROWSER);
    assert_in_range(by_openssl, 0, OPENSSL_MOST * REQUESTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_sees_what_libraries_allocate),
        cmocka_unit_test(the_application_is_asked_without_malloc),
        cmocka_unit_test(a_file_is_sent_without_malloc),
        cmocka_unit_test(a_small_body_is_taken_without_malloc),
        cmocka_unit_test(a_page_of_our_own_is_made_without_malloc),
        cmocka_unit_test(the_application_is_asked_over_http2_without_malloc),
        cmocka_unit_test(a_file_is_sent_over_http2_without_malloc),
        cmocka_unit_test(the_application_is_asked_over_tls_without_malloc),
        cmocka_unit_test(a_file_is_sent_over_tls_without_malloc),
    };

    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
