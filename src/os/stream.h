/*
 * A byte stream to a peer: TCP, unix socket or TLS behind one vtable.
 *
 * Results: > 0 bytes moved; 0 from stream_read: orderly end; -EAGAIN: wait for the descriptor (edge-triggered: the owner
 * remembers readiness and tries until -EAGAIN); other -errno: the stream is dead (-ECONNRESET, -EPIPE, -EPROTO for a TLS
 * violation). A TLS stream may need to read in order to write and the other way round; it keeps that to itself: after -EAGAIN,
 * try again on any readiness, a write with the same bytes, in whatever pieces. The stream owns its descriptor. One thread.
 *
 * The process ignores SIGPIPE: sendfile(2) and OpenSSL have no MSG_NOSIGNAL.
 */
#ifndef QUINTET_OS_STREAM_H
#define QUINTET_OS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/must.h"
#include "base/str.h"

struct stream;

/* Facts about a finished TLS handshake; strs are valid as long as the stream. */
struct stream_tls_info {
    struct str protocol;    /* "TLSv1.3" */
    struct str cipher;      /* OpenSSL's name, as nginx logs it: "ECDHE-RSA-AES128-GCM-SHA256" */
    struct str server_name; /* SNI, empty when none */
    struct str alpn;        /* "http/1.1", "h2", or empty */
    bool resumed;
    struct str
        client_verify; /* "SUCCESS": the client's certificate is good; "NONE": it has none; empty: it was not asked for one */
    struct str client_subject, client_issuer; /* RFC 2253, ASCII */
    struct str client_serial;                 /* hexadecimal */
};

struct stream_ops {
    int (*handshake)(struct stream *s); /* 0 done, -EAGAIN, -errno; NULL: nothing to do */
    ssize_t (*read)(struct stream *s, void *p, size_t n);
    ssize_t (*writev)(struct stream *s, const struct iovec *iov, int n);      /* may write less */
    ssize_t (*writev_more)(struct stream *s, const struct iovec *iov, int n); /* see stream_writev_more; NULL: writev */
    ssize_t (*sendfile)(struct stream *s, int fd, off_t offset,
                        size_t n);     /* from offset; does not move the file's own */
    int (*farewell)(struct stream *s); /* close_notify; 0, -EAGAIN, -errno; NULL: there is nothing to say */
    int (*shutdown)(struct stream *s); /* no more writes: FIN, or close_notify + FIN; 0, -EAGAIN, -errno */
    void (*close)(struct stream *s);   /* closes the descriptor and frees the stream's own parts */
    bool (*tls_info)(const struct stream *s, struct stream_tls_info *out); /* NULL: not TLS */
    bool (*pending)(const struct stream *s); /* bytes taken off the descriptor and not read yet; NULL: never */
    bool (*emptied)(const struct stream *s); /* see stream_emptied; NULL: by the length of the read */
};

/* Embedded in the connection; a TLS stream carries its session behind `impl`. */
struct stream {
    const struct stream_ops *ops;
    int fd;      /* owned; -1 when closed */
    bool ending; /* see stream_ending */
    void *impl;  /* owned by ops */
};

void stream_init_plain(struct stream *s, int fd); /* takes fd over */

static inline int stream_handshake(struct stream *s)
{
    return s->ops->handshake != NULL ? s->ops->handshake(s) : 0;
}
static inline ssize_t stream_read(struct stream *s, void *p, size_t n)
{
    return s->ops->read(s, p, n);
}
static inline ssize_t stream_writev(struct stream *s, const struct iovec *iov, int n)
{
    return s->ops->writev(s, iov, n);
}
/* The same when more follows at once: it may wait for that, so that a head does not leave as a packet of its own. */
static inline ssize_t stream_writev_more(struct stream *s, const struct iovec *iov, int n)
{
    return s->ops->writev_more != NULL ? s->ops->writev_more(s, iov, n) : s->ops->writev(s, iov, n);
}
/* What is written from here on is the end, and stream_shutdown or stream_close follow at once: its last bytes may wait for that and leave in one packet with
 * the FIN. (If they do not follow, the kernel lets them wait for 0.2 s: tcp(7), TCP_CORK.) */
static inline void stream_ending(struct stream *s)
{
    s->ending = true;
}
static inline ssize_t stream_sendfile(struct stream *s, int fd, off_t offset, size_t n)
{
    return s->ops->sendfile(s, fd, offset, n);
}
/* Before a stream is closed at once: close(2) says the rest. */
static inline int stream_farewell(struct stream *s)
{
    return s->ops->farewell != NULL ? s->ops->farewell(s) : 0;
}
static inline int stream_shutdown(struct stream *s)
{
    return s->ops->shutdown(s);
}
static inline void stream_close(struct stream *s) /* closed already: nothing happens */
{
    if (s->fd >= 0)
        s->ops->close(s);
    s->fd = -1;
}
static inline bool stream_tls_info(const struct stream *s, struct stream_tls_info *out)
{
    return s->ops->tls_info != NULL && s->ops->tls_info(s, out);
}
static inline bool stream_pending(const struct stream *s)
{
    return s->ops->pending != NULL && s->ops->pending(s);
}
/* After a read of `got` of at most `room` bytes: nothing more can be read before the descriptor's next event, which an edge-triggered epoll tells
 * of. False: perhaps there is more. */
static inline bool stream_emptied(const struct stream *s, size_t got, size_t room)
{
    return s->ops->emptied != NULL ? s->ops->emptied(s) : got < room;
}

#endif
