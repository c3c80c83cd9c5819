/*
 * A request's way through the edge, again and again, for budgets.py to count its instructions.
 *
 * usage: paths hello|file REQUESTS
 *
 *   hello   by the application: the test plays the worker, outside of what is counted
 *   file    of 1 KB, of a kind that is not compressed
 *
 * What is counted runs below measured(): the lane's turns.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "../unit/edge/fixture.h"
#include "base/must.h"
#include "os/sink.h"

#define WARM_UP 20
#define FIELDS                                                                                                         \
    " HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\n"      \
    "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate\r\n"             \
    "Cookie: sessionid=abcdefghijklmnopqrstuvwxyz012345\r\nConnection: keep-alive\r\n\r\n"

static struct fixture fixture;

/* Valgrind 3.19 has no openat2(2). A file is opened once and kept: it is not on the counted way. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    const struct open_how *how;
    long args[6]; /* as many as any call has: so does the C library's */
    va_list ap;

    va_start(ap, number);
    for (size_t i = 0; i < ARRAY_LEN(args); i++)
        args[i] = va_arg(ap, long);
    va_end(ap);
    if (number != SYS_openat2)
        return __real_syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
    how = (const void *)args[2];
    return openat((int)args[0], (const char *)args[1], (int)how->flags);
}

void measured(struct loop *loop);

__attribute__((noinline)) void measured(struct loop *loop)
{
    loop_once(loop);
}

/* Two that do not sleep: what came is answered, what was deferred is done. */
static void turns(bool count)
{
    struct loop *loop = fixture.rig.lane->loop;

    for (int i = 0; i < 2; i++) {
        loop_wake(loop);
        if (count)
            measured(loop);
        else
            loop_once(loop);
    }
}

static void once(bool hello, bool count)
{
    static char answer[1 << 16];
    const char *request = hello ? "GET /products/guitar/?page=2" FIELDS : "GET /static/1k.png" FIELDS;

    must(send(fixture.client, request, strlen(request), 0) == (ssize_t)strlen(request));
    turns(count);
    if (hello) {
        answer_hello(&fixture, rig_app_take(&fixture.app, 0, &fixture.request));
        turns(count);
    }
    must(recv(fixture.client, answer, sizeof(answer), 0) > 12 && memcmp(answer + 9, "200", 3) == 0);
}

int main(int argc, char **argv)
{
    char kilobyte[1025];
    uint64_t requests;
    bool hello = argc == 3 && strcmp(argv[1], "hello") == 0;
    struct sink *sink;

    if (argc != 3 || str_to_u64(str_of(argv[2]), 1000000, &requests) != 0)
        return 2;
    memset(kilobyte, 'k', sizeof(kilobyte) - 1);
    kilobyte[sizeof(kilobyte) - 1] = '\0';
    open_fixture(&fixture, NULL, NULL);
    rig_file(&fixture.rig, "static/1k.png", kilobyte);
    must(sink_new(dup(STDERR_FILENO), &sink) == 0);
    fixture.rig.edge.access_sink = sink;
    for (int i = 0; i < WARM_UP; i++)
        once(hello, false);
    while (requests-- > 0)
        once(hello, true);
    fixture.rig.edge.access_sink = NULL;
    sink_free(sink);
    close_fixture(&fixture);
    return 0;
}
