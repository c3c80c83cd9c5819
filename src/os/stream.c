/* The plain byte stream: TCP and unix sockets. See stream.h; the TLS one is in tls.c. */
#include "os/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/sock.h"

#define JOIN_MAX 2048 /* a vector of so many bytes is sent as one piece */

static ssize_t result(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static ssize_t plain_read(struct stream *s, void *p, size_t n)
{
    ssize_t got;

    do
        got = recv(s->fd, p, n, 0);
    while (got < 0 && errno == EINTR);
    return result(got);
}

/* Bytes of the vector in `joined`; 0: they are more than fit. */
static size_t join(const struct iovec *iov, int n, char joined[JOIN_MAX])
{
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > JOIN_MAX - at)
            return 0;
        if (iov[i].iov_len > 0)
            memcpy(joined + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    return at;
}

static ssize_t plain_send_vector(const struct stream *s, const struct iovec *iov, int n, int flags)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };
    ssize_t sent;

    do
        sent = sendmsg(s->fd, &msg, flags);
    while (sent < 0 && errno == EINTR);
    return result(sent);
}

/* One piece goes by send: sendmsg copies and checks a header and a vector first, which takes longer than to join a small head and body. */
static ssize_t plain_send(const struct stream *s, const struct iovec *iov, int n, int flags)
{
    char joined[JOIN_MAX];
    struct iovec one = n == 1 ? iov[0] : (struct iovec){ joined, join(iov, n, joined) };
    ssize_t sent;

    if (one.iov_len == 0)
        return plain_send_vector(s, iov, n, flags);
    do
        sent = send(s->fd, one.iov_base, one.iov_len, flags);
    while (sent < 0 && errno == EINTR);
    return result(sent);
}

static ssize_t plain_writev(struct stream *s, const struct iovec *iov, int n)
{
    return plain_send(s, iov, n, MSG_NOSIGNAL | (s->ending ? MSG_MORE : 0));
}

static ssize_t plain_writev_more(struct stream *s, const struct iovec *iov, int n)
{
    return plain_send(s, iov, n, MSG_NOSIGNAL | MSG_MORE);
}

static ssize_t plain_sendfile(struct stream *s, int fd, off_t offset, size_t n)
{
    ssize_t sent;

    if (s->ending)
        sock_cork(s->fd); /* sendfile(2) has no MSG_MORE */
    do
        sent = sendfile(s->fd, fd, &offset, n);
    while (sent < 0 && errno == EINTR);
    return result(sent);
}

static int plain_shutdown(struct stream *s)
{
    return shutdown(s->fd, SHUT_WR) == 0 ? 0 : -errno;
}

static void plain_close(struct stream *s)
{
    close(s->fd);
}

static const struct stream_ops plain_ops = {
    .read = plain_read,
    .writev = plain_writev,
    .writev_more = plain_writev_more,
    .sendfile = plain_sendfile,
    .shutdown = plain_shutdown,
    .close = plain_close,
};

void stream_init_plain(struct stream *s, int fd)
{
    *s = (struct stream){ .ops = &plain_ops, .fd = fd };
}
