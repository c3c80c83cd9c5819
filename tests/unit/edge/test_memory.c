/*
 * No memory: whatever a client causes fails once, each in its turn, and only that client notices.
 *
 * The linker puts the functions below in the place of mem_try_* (--wrap), in the product's own code too.
 */
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
#include "fixture.h"

static unsigned calls, fail_at, fail_from; /* 0: never */

void *__real_mem_try_alloc(size_t size);
void *__real_mem_try_zalloc(size_t size);
void *__real_mem_try_realloc(void *ptr, size_t size);
void *__wrap_mem_try_alloc(size_t size);
void *__wrap_mem_try_zalloc(size_t size);
void *__wrap_mem_try_realloc(void *ptr, size_t size);

static bool fails(void)
{
    calls++;
    return calls == fail_at || (fail_from != 0 && calls >= fail_from);
}

void *__wrap_mem_try_alloc(size_t size)
{
    return fails() ? NULL : __real_mem_try_alloc(size);
}

void *__wrap_mem_try_zalloc(size_t size)
{
    return fails() ? NULL : __real_mem_try_zalloc(size);
}

void *__wrap_mem_try_realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __real_mem_try_realloc(ptr, size);
}

/* ---- what clients do: true when all went well; otherwise the connection was closed or said 503, or the app's head was given up (502) ---- */

static bool good(char *answer)
{
    bool ok = strncmp(answer, "HTTP/1.1 200", 12) == 0;

    assert_true(ok || answer[0] == '\0' || strncmp(answer, "HTTP/1.1 503", 12) == 0 ||
                strncmp(answer, "HTTP/1.1 502", 12) == 0);
    mem_free(answer);
    return ok;
}

static char *ask(struct fixture *f, int client, const char *request)
{
    return rig_talk(&f->rig, client, request, strlen(request));
}

static bool asks_for_a_file(struct fixture *f, int client)
{
    return good(ask(f, client, "GET /static/a.css HTTP/1.1\r\nHost: x\r\n\r\n"));
}

static bool sends_nonsense(struct fixture *f, int client)
{
    char *answer = ask(f, client, "GET / HTTP/7.7\r\nHost: x\r\n\r\n");
    bool ok = strncmp(answer, "HTTP/1.1 505", 12) == 0;

    if (!ok)
        return good(answer);
    mem_free(answer);
    return true;
}

static bool sends_a_long_head(struct fixture *f, int client)
{
    char request[40000];
    size_t n = (size_t)snprintf(request, sizeof(request), "GET /static/a.css HTTP/1.1\r\nHost: x\r\nA: ");

    memset(request + n, 'a', 12000);
    n += 12000;
    n += (size_t)snprintf(request + n, sizeof(request) - n, "\r\nB: ");
    memset(request + n, 'b', 12000);
    n += 12000;
    n += (size_t)snprintf(request + n, sizeof(request) - n, "\r\n\r\n");
    return good(rig_talk(&f->rig, client, request, n));
}

/* The worker answers what comes. */
static bool serve_with(struct fixture *f, int client, const char *name, const char *value)
{
    struct pool_ticket t;

    if (pool_try_take(f->app.pool, 0, &t) != POOL_TAKEN)
        return good(rig_read(&f->rig, client));
    rig_app_head(&f->app, t, 200, name, value);
    rig_app_data(&f->app, t, "hello");
    rig_app_end(&f->app, t, 0);
    return good(rig_read(&f->rig, client));
}

/* With a long head. */
static bool serve(struct fixture *f, int client)
{
    static char value[8001];

    memset(value, 'v', sizeof(value) - 1);
    return serve_with(f, client, "X-Long", value);
}

static bool asks_for_a_file_by_the_application(struct fixture *f, int client)
{
    char *answer = ask(f, client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    return serve_with(f, client, "X-Accel-Redirect", "/static/a.css");
}

static bool asks_the_application(struct fixture *f, int client)
{
    char *answer = ask(f, client, "GET /%41?b HTTP/1.1\r\nHost: x\r\n\r\n");

    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    return serve(f, client);
}

/* Without memory for an encoder it goes as it is. */
static bool gets_it_compressed(struct fixture *f, int client)
{
    char *answer = ask(f, client, "GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n");

    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    return serve_with(f, client, "Content-Type", "text/html");
}

static bool uploads(struct fixture *f, int client)
{
    static char body[200000];
    char head[100], *answer;

    snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", sizeof(body));
    answer = ask(f, client, head);
    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    answer = rig_talk(&f->rig, client, body, sizeof(body));
    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    return serve(f, client);
}

/* A short body with the next request right behind it, which does not fit the buffer. */
static bool pipelines(struct fixture *f, int client)
{
    static char bytes[60000];
    size_t n;
    char *answer;

    (void)snprintf(bytes, sizeof(bytes), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n");
    answer = ask(f, client, bytes);
    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    memset(bytes, 'x', 20000);
    for (n = 20000; n + 50 < sizeof(bytes);)
        n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "GET /static/a.css HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = rig_talk(&f->rig, client, bytes, n);
    if (answer[0] != '\0')
        return good(answer);
    mem_free(answer);
    return serve(f, client);
}

static bool (*const stories[])(struct fixture *f, int client) = {
    asks_for_a_file,
    sends_nonsense,
    sends_a_long_head,
    asks_the_application,
    uploads,
    pipelines,
    asks_for_a_file_by_the_application,
    gets_it_compressed,
};

static void leave(struct fixture *f, int client)
{
    close(client);
    for (int i = 0; i < 8; i++) {
        loop_wake(f->rig.lane->loop);
        loop_once(f->rig.lane->loop);
    }
    while (!rig_app_idle(&f->app, 0))
        ;
}

static bool tell(struct fixture *f, size_t story)
{
    int client;
    bool ok;

    f->rig.lane->shed_said.quiet_ns = UINT64_MAX; /* no lines on the tests' output */
    client = rig_connect(&f->rig);
    ok = stories[story](f, client);
    leave(f, client);
    return ok;
}

/* An edge that has served before and one that has not: the one has buffers that the other lacks. */
static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t story = 0; story < ARRAY_LEN(stories); story++) {
        unsigned total = 0;

        for (unsigned n = 0; n <= total; n++) { /* first with none failing, to count them */
            struct fixture f;
            bool ok;

            fail_at = 0;
            open_fixture(&f, NULL, NULL);
            rig_file(&f.rig, "static/a.css", "body{}");
            calls = 0;
            fail_at = n;
            ok = tell(&f, story);
            total = n == 0 ? calls : total;
            fail_at = 0;
            assert_true(tell(&f, story)); /* and the next one is served */
            assert_true(n > 0 || ok);
            assert_true(ok || atomic_load(&f.rig.lane->stats.shed) > 0);
            close_fixture(&f);
        }
        assert_in_range(total, 2, 100);
    }
}

static void all_fail_from_one_on(void **state)
{
    (void)state;
    for (size_t story = 0; story < ARRAY_LEN(stories); story++) {
        for (unsigned n = 1; n < 20; n++) {
            struct fixture f;

            fail_from = 0;
            open_fixture(&f, NULL, NULL);
            rig_file(&f.rig, "static/a.css", "body{}");
            calls = 0;
            fail_from = n;
            for (int i = 0; i < 3; i++)
                (void)tell(&f, story);
            fail_from = 0;
            assert_true(tell(&f, story));
            close_fixture(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(all_fail_from_one_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
