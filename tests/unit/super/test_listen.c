/* Listening sockets: what is bound, how it is shown, and the sentence when it cannot be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "super/listen.h"

static struct why why;

static int open_one(struct listeners *l, char *address)
{
    struct conf conf = { .bind = { &address, 1 } };

    why.text[0] = '\0';
    return listeners_open(l, &conf, &why);
}

static void test_open(void **state)
{
    char *http[] = { "127.0.0.1:0", "127.0.0.1:0" }, *tls[] = { "127.0.0.1:0" };
    struct conf conf = { .bind = { http, 2 }, .tls_bind = { tls, 1 }, .metrics_bind = "127.0.0.1:0" };
    struct listeners l;

    assert_int_equal(listeners_open(&l, &conf, &why), 0);
    assert_int_equal(l.n, 4);
    assert_int_equal(l.items[0].kind, LISTENER_HTTP);
    assert_int_equal(l.items[2].kind, LISTENER_TLS);
    assert_int_equal(l.items[3].kind, LISTENER_METRICS);
    assert_true(l.items[0].fd >= 0);
    assert_string_not_equal(l.items[0].shown, l.items[1].shown);
    listeners_close(&l);
    assert_int_equal(l.n, 0);
    listeners_close(&l);
}

static void shows(enum listener_kind kind, const char *shown, const char *url)
{
    struct listener l = { .kind = kind, .shown = (char *)shown };
    struct buf out;

    buf_init(&out, 256);
    assert_int_equal(listener_url(&l, &out), 0);
    assert_true(str_eq(buf_str(&out), str_of(url)));
    buf_fini(&out);
}

static void test_urls(void **state)
{
    shows(LISTENER_HTTP, "127.0.0.1:8000", "http://127.0.0.1:8000");
    shows(LISTENER_HTTP, "0.0.0.0:80", "http://0.0.0.0:80");
    shows(LISTENER_TLS, "[::]:443", "https://[::]:443");
    shows(LISTENER_TLS, "[::1]:443", "https://[::1]:443");
    shows(LISTENER_HTTP, "unix:/run/site.sock", "unix:/run/site.sock");
}

static void test_in_use(void **state)
{
    struct listeners first, second;
    char expected[256];

    assert_int_equal(open_one(&first, "127.0.0.1:0"), 0);
    assert_int_equal(open_one(&second, first.items[0].shown), -EADDRINUSE);
    (void)snprintf(expected, sizeof(expected), "cannot listen on %s: address already in use; ", first.items[0].shown);
    assert_memory_equal(why.text, expected, strlen(expected));
    assert_int_equal(second.n, 0);
    listeners_close(&first);
}

static void test_sentences(void **state)
{
    struct listeners l;

    assert_int_equal(open_one(&l, "nonsense"), -EINVAL);
    assert_string_equal(
        why.text, "cannot listen on nonsense: invalid argument; expected HOST:PORT, [V6]:PORT, unix:PATH or fd://N");
    assert_int_equal(open_one(&l, "192.0.2.1:80"), -EADDRNOTAVAIL);
    assert_non_null(strstr(why.text, "no interface of this machine has that address"));
}

static void refuses_descriptor(int fd, const char *because)
{
    char address[32], expected[128];
    struct listeners l;

    (void)snprintf(address, sizeof(address), "fd://%d", fd);
    assert_true(open_one(&l, address) < 0);
    (void)snprintf(expected, sizeof(expected), "cannot listen on %s: that descriptor is %s;", address, because);
    assert_memory_equal(why.text, expected, strlen(expected));
}

static void test_descriptors(void **state)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    refuses_descriptor(fds[0], "a pipe");
    close(fds[0]);
    close(fds[1]);
    refuses_descriptor(fds[0], "not open here");
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
    refuses_descriptor(fds[0], "a socket, but not a stream socket");
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    refuses_descriptor(fds[0], "a stream socket that does not listen");
    close(fds[0]);
    close(fds[1]);
}

/* A second set for another configuration: what both have is one socket, the rest opens and closes with its set. */
static void test_copies(void **state)
{
    char a[64], b[64], c[64];
    char *old[] = { "127.0.0.1:0", a, b }, *new[] = { "127.0.0.1:0", b, c };
    struct conf before = { .bind = { old, 3 } }, after = { .bind = { new, 3 } };
    struct listeners first, second;

    (void)snprintf(a, sizeof(a), "unix:/tmp/quintet-listen-a-%d", (int)getpid());
    (void)snprintf(b, sizeof(b), "unix:/tmp/quintet-listen-b-%d", (int)getpid());
    (void)snprintf(c, sizeof(c), "unix:/tmp/quintet-listen-c-%d", (int)getpid());
    assert_int_equal(listeners_open(&first, &before, &why), 0);
    assert_int_equal(listeners_copy(&second, &after, &first, &why), 0);
    assert_int_equal(second.n, 3);
    assert_string_equal(second.items[0].shown, first.items[0].shown);
    assert_true(second.items[0].fd != first.items[0].fd);
    assert_int_equal(access(c + 5, F_OK), 0);

    listeners_close_copies(&second); /* given up */
    assert_int_equal(access(b + 5, F_OK), 0);
    assert_int_equal(access(c + 5, F_OK), -1);

    assert_int_equal(listeners_copy(&second, &after, &first, &why), 0);
    listeners_close_others(&first, &second);
    assert_int_equal(access(a + 5, F_OK), -1);
    assert_int_equal(access(b + 5, F_OK), 0);
    listeners_close(&second);
    assert_int_equal(access(b + 5, F_OK), -1);
    assert_int_equal(access(c + 5, F_OK), -1);
}

static void test_a_copy_that_fails(void **state)
{
    char *old[] = { "127.0.0.1:0" }, *new[] = { "127.0.0.1:0", "192.0.2.1:80" };
    struct conf before = { .bind = { old, 1 } }, after = { .bind = { new, 2 } };
    struct listeners first, second;

    assert_int_equal(listeners_open(&first, &before, &why), 0);
    assert_true(listeners_copy(&second, &after, &first, &why) < 0);
    assert_int_equal(second.n, 0);
    listeners_close(&first);
}

/* The file goes with the socket, so that the next start finds no stale one. */
static void test_unix_socket_is_removed(void **state)
{
    char address[] = "unix:/tmp/quintet-listen-XXXXXX.sock";
    struct listeners l;

    (void)snprintf(address, sizeof(address), "unix:/tmp/quintet-listen-%d.sock", (int)getpid() % 100000);
    assert_int_equal(open_one(&l, address), 0);
    assert_int_equal(access(address + 5, F_OK), 0);
    listeners_close(&l);
    assert_int_equal(access(address + 5, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_in_use),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_a_copy_that_fails),
        cmocka_unit_test(test_unix_socket_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
