/* The plain stream: what its results mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/stream.h"
#include "segments.h"

static struct stream a;
static int peer;

static int open_pair(void **state)
{
    int fds[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
        return -1;
    stream_init_plain(&a, fds[0]);
    peer = fds[1];
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    if (a.fd >= 0)
        stream_close(&a);
    if (peer >= 0)
        close(peer);
    return 0;
}

static void bytes_pass_both_ways(void **state)
{
    struct iovec iov[3] = { { "he", 2 }, { NULL, 0 }, { "llo", 3 } };
    struct stream_tls_info info;
    char got[16];

    (void)state;
    assert_int_equal(stream_handshake(&a), 0);
    assert_int_equal(stream_writev(&a, iov, 3), 5);
    assert_int_equal(read(peer, got, sizeof(got)), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(stream_read(&a, got, sizeof(got)), -EAGAIN);
    assert_int_equal(write(peer, "world", 5), 5);
    assert_int_equal(stream_read(&a, got, sizeof(got)), 5);
    assert_memory_equal(got, "world", 5);
    assert_false(stream_tls_info(&a, &info));
    assert_false(stream_pending(&a));
}

/* Small vectors go as one piece: around that size, and where pieces end, nothing is lost or moved. */
static void a_vector_arrives_as_it_is(void **state)
{
    static char bytes[3000], got[sizeof(bytes) + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31 + i / 256);
    for (size_t n = 2040; n < 2056; n++) {
        struct iovec iov[3] = { { bytes, 300 }, { bytes + 300, 1000 }, { bytes + 1300, n - 1300 } };

        memset(got, 0, sizeof(got));
        assert_int_equal(stream_writev(&a, iov, 3), n);
        assert_int_equal(read(peer, got, sizeof(got)), n);
        assert_memory_equal(got, bytes, n);
    }
}

static void the_end_is_zero(void **state)
{
    char got[4];

    (void)state;
    assert_int_equal(stream_shutdown(&a), 0);
    assert_int_equal(read(peer, got, sizeof(got)), 0);
    close(peer);
    peer = -1;
    assert_int_equal(stream_read(&a, got, sizeof(got)), 0);
}

/* SIGPIPE is at its default here: it would end the test. */
static void writing_to_nobody_is_an_error_not_a_signal(void **state)
{
    struct iovec iov = { "x", 1 };

    (void)state;
    close(peer);
    peer = -1;
    assert_int_equal(stream_writev(&a, &iov, 1), -EPIPE);
}

static void a_full_socket_says_again(void **state)
{
    static char block[1 << 16];
    struct iovec iov = { block, sizeof(block) };
    ssize_t n, total = 0;

    (void)state;
    while ((n = stream_writev(&a, &iov, 1)) > 0)
        total += n;
    assert_int_equal(n, -EAGAIN);
    assert_true(total > 0);
}

static void files_leave_from_the_offset(void **state)
{
    int fd = memfd_create("f", MFD_CLOEXEC);
    char got[16];

    (void)state;
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(stream_sendfile(&a, fd, 3, 4), 4);
    assert_int_equal(read(peer, got, sizeof(got)), 4);
    assert_memory_equal(got, "3456", 4);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 10); /* its own place did not move */
    assert_int_equal(stream_sendfile(&a, fd, 8, 100), 2);
    assert_int_equal(stream_sendfile(&a, fd, 10, 100), 0);
    close(fd);
}

static void closing_closes_the_descriptor(void **state)
{
    int fd = a.fd;

    (void)state;
    stream_close(&a);
    assert_int_equal(a.fd, -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* Instead of the pair. */
static void connect_by_tcp(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(to);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    close_pair(NULL);
    assert_int_equal(bind(listener, (struct sockaddr *)&to, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&to, &len), 0);
    peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&to, len), 0);
    stream_init_plain(&a, accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    close(listener);
}

/* Packets in which so many bytes and the end arrive. */
static unsigned packets_of_the_end(bool file, size_t n)
{
    static char bytes[100000];
    struct iovec iov = { bytes, n };
    int fd = memfd_create("test", MFD_CLOEXEC);
    unsigned before, after;

    connect_by_tcp();
    assert_int_equal(ftruncate(fd, sizeof(bytes)), 0);
    before = segments_in(peer);
    stream_ending(&a);
    assert_int_equal(file ? stream_sendfile(&a, fd, 0, n) : stream_writev(&a, &iov, 1), n);
    stream_close(&a);
    after = segments_in(peer);
    close(fd);
    for (size_t left = n; left > 0;) {
        ssize_t got = read(peer, bytes, sizeof(bytes));

        assert_true(got > 0);
        left -= (size_t)got;
    }
    assert_int_equal(read(peer, bytes, 1), 0);
    return after - before;
}

/* Whoever is held up for 0.2 s in the middle finds the bytes sent: so the best of some. */
static void the_end_leaves_with_the_last_bytes(void **state)
{
    for (int file = 0; file < 2; file++) {
        unsigned least = UINT32_MAX;

        (void)state;
        for (int i = 0; i < 20 && least > 1; i++) {
            unsigned n = packets_of_the_end(file == 1, 1000);

            least = n < least ? n : least;
        }
        assert_int_equal(least, 1);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_vector_arrives_as_it_is),
        EACH(bytes_pass_both_ways),
        EACH(the_end_is_zero),
        EACH(writing_to_nobody_is_an_error_not_a_signal),
        EACH(a_full_socket_says_again),
        EACH(files_leave_from_the_offset),
        EACH(closing_closes_the_descriptor),
        EACH(the_end_leaves_with_the_last_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
