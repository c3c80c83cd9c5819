/*
 * The whole vocabulary between processes: one row a message.
 *
 * A message is one SOCK_SEQPACKET datagram: a fixed head, at most WIRE_TEXT_MAX bytes of text, and descriptors. The rows say who sends it
 * to whom and how many descriptors come along; anything else is refused at the receiving end (the supervisor trusts no child).
 *
 *   S supervisor, E edge, W worker, C courier; columns: name, from, to, descriptors at least, at most
 *
 * New rows go to the end of the list: while a new binary takes over, it speaks with the edge and workers of the old one.
 */
#ifndef QUINTET_WIRE_MESSAGE_H
#define QUINTET_WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

#define WIRE_TEXT_MAX (32u << 10)
#define WIRE_FDS_MAX 16

/* clang-format off */
#define WIRE_LIST(X)                                                                                                   \
    /* configuration of an edge, in this order; text and number as said */                                             \
    X(CONF,          'S', 'E', 1, 1)  /* memfd: the options in conf_write's form. Before START: first; later: a new snapshot */ \
    X(LOGS,          'S', 'E', 1, 2)  /* error log, access log (absent: off). Again after USR1 */                      \
    X(LISTENER,      'S', 'E', 1, 1)  /* text: address as configured; number: 1 = TLS, 2 = metrics; generation 1: another edge listens there still */ \
    X(ROOT,          'S', 'E', 1, 1)  /* O_PATH directory; text: "static /static/" or "media /media/", then a line each: its real and its configured path; or "dir docs/" of a route; number: nth of that kind */ \
    X(TLS,           'S', 'E', 1, 1)  /* memfd: certificate pairs, whom to believe of clients (wire/tls_blob.h) */         \
    X(START,         'S', 'E', 0, 0)  /* all sent: answer READY and accept; later: apply the new CONF, ROOT, TLS */    \
    /* generations */                                                                                                  \
    X(POOL_OPEN,     'S', 'E', 0, 0)  /* make a pool: generation, number = workers << 32 | threads */                  \
    X(POOL,          'E', 'S', 2, 16) /* answer: memfd, then one eventfd a lane; generation */                         \
    X(POOL_ADOPT,    'S', 'E', 2, 16) /* to a new edge: the same back */                                               \
    X(WORKER_JOIN,   'S', 'E', 1, 1)  /* generation, worker, pid; its channel */                                       \
    X(WORKER_GONE,   'S', 'E', 0, 0)  /* generation, worker, pid: reaped by waitpid */                                 \
    X(SWITCH,        'S', 'E', 0, 0)  /* new requests go to this generation */                                         \
    X(POOL_IDLE,     'E', 'S', 0, 0)  /* after SWITCH: the older generation has no request left */                     \
    X(POOL_CLOSE,    'S', 'E', 0, 0)  /* its workers have ended: unmap */                                              \
    X(POOL_BAD,      'E', 'S', 0, 0)  /* worker broke the pool's rules; text: which. Replace it */                     \
    X(WORKER_STUCK,  'E', 'S', 0, 0)  /* generation, worker, pid: a request ran past --timeout; number: thread << 32 | age in ms; text: method, target, id */ \
    /* ends */                                                                                                         \
    X(DRAIN,         'S', 'E', 0, 0)  /* close listeners, finish requests, close connections; number 1: another edge has them all, that of metrics too */ \
    X(DRAINED,       'E', 'S', 0, 0)                                                                                   \
    X(STATUS_ASK,    'S', 'E', 0, 0)  /* number: echoed */                                                             \
    X(STATUS,        'E', 'S', 0, 0)  /* text: a JSON object; number as asked */                                       \
    X(READY,         '*', 'S', 0, 0)  /* edge: accepting; worker: application imported, number = boot ns */            \
    /* workers */                                                                                                      \
    X(BOOT_FAILED,   'W', 'S', 0, 0)  /* text: traceback, cut at WIRE_TEXT_MAX */                                      \
    X(STOP,          'S', 'W', 0, 0)  /* finish what runs, take no more, exit 0 */                                     \
    X(EDGE,          'S', 'W', 1, 1)  /* a new edge: channel to it */                                                  \
    X(BODY,          'E', 'W', 1, 1)  /* number: slot << 32 | serial; the request body, at offset 0 */                 \
    X(FILE_BODY,     'W', 'E', 1, 1)  /* number: slot << 32 | serial; file for the FILE frame that follows */           \
    X(WORKER_SPENT,  'E', 'S', 0, 0)  /* generation, worker, pid: was stuck, and no request that anybody waits for is left in it: end it */ \
    X(RECYCLE,       'W', 'S', 0, 0)  /* wants to be replaced, text: why; it goes on serving until STOP */              \
    X(FORK,          'S', 'W', 3, 4)  /* to a preloader: worker; its output pipe, channel to us, channel to the edge, recorder */ \
    X(FORKED,        'W', 'S', 0, 0)  /* worker, pid; pid 0: failed, text: why */                                       \
    /* the edge's health and pauses */                                                                                  \
    X(UNREADY,       'S', 'E', 0, 0)  /* readiness fails from now on; everything else as before */                      \
    X(HOLD,          'S', 'E', 0, 0)  /* hand nothing to workers for at most number ns; 0: go on; generation: nth pause */ \
    X(PING,          'S', 'E', 0, 0)  /* number: echoed when every lane has turned */                                   \
    X(PONG,          'E', 'S', 0, 0)                                                                                   \
    X(WATCHED,       'E', 'S', 0, 0)  /* somebody asks for readiness or health; at most once in ten seconds */ \
    X(HELD,          'E', 'S', 0, 0)  /* after HOLD: no request runs any more; generation: nth pause */                              \
    X(TICKETS,       'S', 'E', 1, 1)  /* memfd: 1 to 4 keys of session tickets, 80 bytes each, newest first. Before TLS; again when they change */ \
    X(SECRET,        'S', 'E', 1, 1)  /* memfd: a file of basic_auth or signed; text: its name as configured. Before START */
/* clang-format on */

enum wire_type {
    WIRE_NONE,
#define X(name, from, to, least, most) WIRE_##name,
    WIRE_LIST(X)
#undef X
        WIRE_COUNT
};

struct wire_message {
    enum wire_type type;
    uint32_t generation;
    uint32_t worker; /* index in its generation */
    int32_t pid;
    uint64_t number;
    struct str text;       /* borrowed: when received, valid until the next receive */
    int fds[WIRE_FDS_MAX]; /* sending: borrowed; received: the receiver owns them */
    size_t n_fds;
};

const char *wire_name(enum wire_type type);
/* One datagram on a SOCK_SEQPACKET socket. 0; -EAGAIN when the peer's buffer is full (non-blocking socket), -EPIPE, -errno. */
MUST_CHECK int wire_send(int fd, const struct wire_message *message);
/* Receives one into `text` (WIRE_TEXT_MAX bytes, the caller's). `route` is two letters, from whom and to whom: "SE" in the edge
 * on its channel to the supervisor, "WE" there on a worker's, so that no worker can say what only the supervisor may. 1: a
 * message; 0: the peer has closed; -EAGAIN; -EPROTO: not one of the rows for this route (its descriptors have been closed);
 * -errno. `flags` for recvmsg, such as MSG_DONTWAIT. */
MUST_CHECK int wire_receive(int fd, const char *route, int flags, char *text, struct wire_message *out);
void wire_close_fds(struct wire_message *message); /* closes received descriptors nobody took (>= 0) */
/* Connected pair of SOCK_SEQPACKET | CLOEXEC sockets; 0 or -errno. Non-blocking ends are the caller's wish by fcntl. */
MUST_CHECK int wire_pair(int fds[2]);
/* A sealed memfd with these bytes, and the whole of such a descriptor as a heap copy (NUL-terminated, mem_free; at most max bytes). */
MUST_CHECK int wire_blob_make(const char *name, struct str bytes);
MUST_CHECK int wire_blob_read(int fd, size_t max, struct str *out);

#endif
