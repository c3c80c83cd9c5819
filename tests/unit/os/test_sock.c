/* Addresses and listeners: what --bind takes, stale socket files, printing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/half_open.h"
#include "os/sock.h"

static char dir[64], path[96], bind_text[128];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/quintet-sock-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(bind_text, sizeof(bind_text), "unix:%s", path);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void specs(void **state)
{
    static const struct {
        const char *text;
        int want;
        const char *printed;
    } cases[] = {
        { "127.0.0.1:8000", 0, "127.0.0.1:8000" },
        { ":80", 0, "0.0.0.0:80" },
        { "localhost:0", 0, "127.0.0.1:0" },
        { "LocalHost:65535", 0, "127.0.0.1:65535" },
        { "[::1]:443", 0, "[::1]:443" },
        { "[::]:1", 0, "[::]:1" },
        { "unix:/run/x.sock", 0, "unix:/run/x.sock" },
        { "unix:relative", 0, "unix:relative" },
        { "", -EINVAL, NULL },
        { "8000", -EINVAL, NULL },
        { "127.0.0.1", -EINVAL, NULL },
        { "127.0.0.1:", -EINVAL, NULL },
        { "127.0.0.1:65536", -EINVAL, NULL },
        { "127.0.0.1:-1", -EINVAL, NULL },
        { "127.0.0.1:80 ", -EINVAL, NULL },
        { "::1:443", -EINVAL, NULL },
        { "[::1]", -EINVAL, NULL },
        { "http://127.0.0.1:80", -EINVAL, NULL },
        { "[::1:443", -EINVAL, NULL },
        { "unix:", -EINVAL, NULL },
        { "fd://", -EINVAL, NULL },
        { "fd://x", -EINVAL, NULL },
        { "example.org:80", -EADDRNOTAVAIL, NULL },
        { "[example]:80", -EADDRNOTAVAIL, NULL },
        { "127.1:80", -EADDRNOTAVAIL, NULL },
    };
    struct sock_spec spec;
    char out[SOCK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (sock_spec_parse(str_of(cases[i].text), &spec) != cases[i].want)
            fail_msg("%s", cases[i].text);
        if (cases[i].want == 0) {
            assert_int_equal(sock_text(&spec.addr, out), strlen(cases[i].printed));
            assert_string_equal(out, cases[i].printed);
        }
    }
    assert_int_equal(sock_spec_parse(STR("fd://3"), &spec), 0);
    assert_int_equal(spec.kind, SOCK_KIND_FD);
    assert_int_equal(spec.fd, 3);
    assert_int_equal(sock_spec_parse(str_make("unix:a\0b", 8), &spec), -EINVAL);
}

static void long_paths(void **state)
{
    char text[200] = "unix:";
    struct sock_spec spec;
    char out[SOCK_TEXT_MAX];

    (void)state;
    memset(text + 5, 'p', 150);
    assert_int_equal(sock_spec_parse(str_make(text, 5 + 107), &spec), 0);
    assert_int_equal(sock_text(&spec.addr, out), 5 + 107);
    assert_int_equal(sock_spec_parse(str_make(text, 5 + 108), &spec), -ENAMETOOLONG);
    memset(spec.addr.un.sun_path, 'q', sizeof(spec.addr.un.sun_path)); /* the kernel may give one without a NUL */
    spec.addr.un.sun_family = AF_UNIX;
    assert_int_equal(sock_host_text(&spec.addr, out), 5 + 108);
}

static int listen_on(const char *text)
{
    struct sock_spec spec;

    assert_int_equal(sock_spec_parse(str_of(text), &spec), 0);
    return sock_listen(&spec, 16);
}

static void assert_flags(int fd)
{
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Connects to the listener, says something and is accepted; returns the accepted side, the client in *client. */
static int connect_to(int listener, int *client, union sock_addr *peer)
{
    union sock_addr addr;
    socklen_t len;

    assert_int_equal(sock_local(listener, &addr, &len), 0);
    *client = socket(addr.sa.sa_family, SOCK_STREAM, 0);
    assert_int_equal(connect(*client, &addr.sa, len), 0);
    assert_int_equal(write(*client, "hello", 5), 5);
    return sock_accept(listener, peer, &len);
}

static void accepting(void **state)
{
    int listener = listen_on("127.0.0.1:0"), client, fd, on = 0;
    union sock_addr peer, local;
    socklen_t len;
    char out[SOCK_TEXT_MAX];

    (void)state;
    assert_true(listener >= 0);
    assert_flags(listener);
    assert_int_equal(sock_accept(listener, &peer, &len), -EAGAIN);
    fd = connect_to(listener, &client, &peer);
    assert_true(fd >= 0);
    assert_flags(fd);
    len = sizeof(on);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_equal(on, 1);
    sock_host_text(&peer, out);
    assert_string_equal(out, "127.0.0.1");
    assert_int_equal(sock_local(client, &local, &len), 0);
    assert_int_equal(sock_port(&peer), sock_port(&local));
    close(client);
    close(fd);
    close(listener);
}

/* Whoever has come before is accepted, whoever comes after is not even let in by the kernel. */
static void deaf(void **state)
{
    int listener = listen_on("127.0.0.1:0"), early = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), fd;
    struct pollfd writable = { .fd = late, .events = POLLOUT };
    union sock_addr addr, peer;
    socklen_t len;

    (void)state;
    assert_int_equal(sock_local(listener, &addr, &len), 0);
    assert_true(sock_is_local(listener));
    assert_true(connect(early, &addr.sa, len) == 0 || errno == EINPROGRESS);
    assert_int_equal(sock_deafen(listener), 0);
    assert_int_equal(connect(late, &addr.sa, len), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(poll(&writable, 1, 100), 0);
    assert_int_equal(write(early, "w", 1), 1); /* its handshake was done before, the kernel has waited for this */
    fd = sock_accept(listener, &peer, &len);
    assert_true(fd >= 0);
    assert_int_equal(sock_accept(listener, &peer, &len), -EAGAIN);
    assert_int_equal(write(early, "x", 1), 1);
    close(listener);
    assert_int_equal(write(early, "y", 1), 1); /* the filter was the listener's, not the connection's */
    writable.fd = fd;
    writable.events = POLLIN;
    assert_int_equal(poll(&writable, 1, 1000), 1);
    assert_int_equal(writable.revents, POLLIN);
    close(early);
    close(late);
    close(fd);
}

/* Who says nothing is with the kernel, and counted there, until it speaks or the time for it is over. */
static void who_says_nothing_is_on_the_way(void **state)
{
    int listener = listen_on("127.0.0.1:0"), speaks = socket(AF_INET, SOCK_STREAM, 0),
        silent = socket(AF_INET, SOCK_STREAM, 0), fd;
    struct pollfd readable = { .fd = listener, .events = POLLIN };
    union sock_addr addr, peer;
    socklen_t len;

    (void)state;
    assert_true(sock_is_deferred(listener));
    assert_int_equal(half_open(listener), 0);
    assert_int_equal(sock_local(listener, &addr, &len), 0);
    assert_int_equal(connect(speaks, &addr.sa, len), 0);
    assert_int_equal(connect(silent, &addr.sa, len), 0);
    assert_int_equal(half_open(listener), 2);
    assert_int_equal(sock_accept(listener, &peer, &len), -EAGAIN);
    assert_int_equal(write(speaks, "x", 1), 1);
    fd = sock_accept(listener, &peer, &len);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(half_open(listener), 1);
    assert_int_equal(poll(&readable, 1, 5000), 1);
    assert_int_equal(half_open(listener), 0);
    fd = sock_accept(listener, &peer, &len);
    assert_true(fd >= 0);
    close(fd);
    close(speaks);
    close(silent);
    close(listener);
}

/* Somebody else's socket: its owner says when it is told of a client. */
static void on_the_way_elsewhere(void **state)
{
    int at_a_path = listen_on(bind_text), v6 = listen_on("[::1]:0"), given = socket(AF_INET, SOCK_STREAM, 0);
    char text[32];

    (void)state;
    assert_int_equal(half_open(at_a_path), 0);
    assert_false(sock_is_deferred(at_a_path));
    assert_int_equal(half_open(v6), 0);
    assert_int_equal(listen(given, 16), 0);
    snprintf(text, sizeof(text), "fd://%d", given);
    assert_int_equal(listen_on(text), given);
    assert_false(sock_is_deferred(given));
    assert_int_equal(half_open(-1), -EBADF);
    close(at_a_path);
    unlink(path);
    close(v6);
    close(given);
}

static void deaf_at_a_path(void **state)
{
    int listener = listen_on(bind_text), early = socket(AF_UNIX, SOCK_STREAM, 0),
        late = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    union sock_addr addr, peer;
    socklen_t len;

    (void)state;
    assert_int_equal(sock_local(listener, &addr, &len), 0);
    assert_true(sock_is_local(listener));
    assert_int_equal(connect(early, &addr.sa, len), 0);
    assert_int_equal(sock_deafen(listener), 0);
    assert_int_equal(connect(late, &addr.sa, len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    fd = sock_accept(listener, &peer, &len);
    assert_true(fd >= 0);
    close(early);
    close(late);
    close(fd);
    close(listener);
    unlink(path);
}

static void a_listener_of_this_machine(void **state)
{
    static const struct {
        const char *text;
        bool local;
    } cases[] = { { "127.9.0.1:0", true }, { "[::1]:0", true }, { "0.0.0.0:0", false }, { "[::]:0", false } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = listen_on(cases[i].text);

        assert_true(fd >= 0);
        assert_int_equal(sock_is_local(fd), cases[i].local);
        close(fd);
    }
}

static void a_port_in_use_is_refused(void **state)
{
    int first = listen_on("127.0.0.1:0");
    union sock_addr addr;
    socklen_t len;
    char text[SOCK_TEXT_MAX];

    (void)state;
    assert_int_equal(sock_local(first, &addr, &len), 0);
    sock_text(&addr, text);
    assert_int_equal(listen_on(text), -EADDRINUSE);
    close(first);
}

static void a_stale_socket_file_is_replaced_a_live_one_is_not(void **state)
{
    mode_t old = umask(0027);
    int listener = listen_on(bind_text), again, client, fd;
    union sock_addr peer;
    struct stat st;
    char out[SOCK_TEXT_MAX];

    (void)state;
    assert_true(listener >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(listen_on(bind_text), -EADDRINUSE);
    close(listener); /* the file stays, as after a crash */
    again = listen_on(bind_text);
    assert_true(again >= 0);
    fd = connect_to(again, &client, &peer);
    assert_true(fd >= 0);
    sock_text(&peer, out);
    assert_string_equal(out, "unix:");
    assert_int_equal(sock_port(&peer), 0);
    close(fd);
    close(client);
    close(again);
    umask(old);
}

/* A server too busy to accept is alive. */
static void a_full_queue_is_not_stale(void **state)
{
    int listener, clients[64], n = 0, r = 0;
    struct sock_spec spec;

    (void)state;
    unlink(path);
    assert_int_equal(sock_spec_parse(str_of(bind_text), &spec), 0);
    listener = sock_listen(&spec, 0);
    assert_true(listener >= 0);
    while (r == 0 && n < 64) {
        clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        r = connect(clients[n++], &spec.addr.sa, spec.len);
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(listen_on(bind_text), -EADDRINUSE);
    while (n > 0)
        close(clients[--n]);
    close(listener);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    struct stat st;
    int fd;

    (void)state;
    unlink(path);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(listen_on(bind_text), -EADDRINUSE);
    assert_int_equal(stat(path, &st), 0);
}

static void a_given_descriptor_must_listen(void **state)
{
    int listener = listen_on("127.0.0.1:0"), fds[2];
    char text[32];

    (void)state;
    assert_int_equal(fcntl(listener, F_SETFD, 0), 0);
    assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
    snprintf(text, sizeof(text), "fd://%d", listener);
    assert_int_equal(listen_on(text), listener);
    assert_flags(listener);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    snprintf(text, sizeof(text), "fd://%d", fds[0]);
    assert_int_equal(listen_on(text), -EINVAL);
    close(fds[0]);
    close(fds[1]);
    close(listener);
    assert_int_equal(pipe(fds), 0);
    snprintf(text, sizeof(text), "fd://%d", fds[0]);
    assert_int_equal(listen_on(text), -ENOTSOCK);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(listen_on(text), -EBADF);
}

static void mapped_addresses_print_as_ipv4(void **state)
{
    union sock_addr addr = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) } };
    char out[SOCK_TEXT_MAX];

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &addr.in6.sin6_addr), 1);
    sock_host_text(&addr, out);
    assert_string_equal(out, "192.0.2.1");
    sock_text(&addr, out);
    assert_string_equal(out, "192.0.2.1:80");
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &addr.in6.sin6_addr), 1);
    sock_host_text(&addr, out);
    assert_string_equal(out, "2001:db8::1");
    sock_text(&addr, out);
    assert_string_equal(out, "[2001:db8::1]:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(accepting),
        cmocka_unit_test(deaf),
        cmocka_unit_test(who_says_nothing_is_on_the_way),
        cmocka_unit_test(on_the_way_elsewhere),
        cmocka_unit_test(deaf_at_a_path),
        cmocka_unit_test(a_listener_of_this_machine),
        cmocka_unit_test(a_port_in_use_is_refused),
        cmocka_unit_test(a_stale_socket_file_is_replaced_a_live_one_is_not),
        cmocka_unit_test(a_full_queue_is_not_stale),
        cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
        cmocka_unit_test(a_given_descriptor_must_listen),
        cmocka_unit_test(mapped_addresses_print_as_ipv4),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
