/*
 * An exchange: one request and its response, whatever HTTP version carries it.
 *
 * The protocol side (h1.c) reads the request, calls the handler's start, and pulls the response out of it: `peek` shows the next piece of the body,
 * `consume` says how much of it has been sent. Pulling is the back-pressure: nothing is produced faster than the client reads, except by what a
 * handler chooses to hold (handler/app.c, so that a slow client never holds a worker).
 *
 * Lifetime: the arena's pieces, spans and strs live until exchange_end. One lane. The handler's `end` is called exactly once, sent or not.
 */
#ifndef QUINTET_EDGE_EXCHANGE_H
#define QUINTET_EDGE_EXCHANGE_H

#include <sys/uio.h>

#include "base/arena.h"
#include "edge/snapshot.h"
#include "edge/spool.h"
#include "edge/stats.h"
#include "http/head.h"
#include "os/stream.h"

struct lane;
struct exchange;

#define EXCHANGE_ID_LEN 32            /* hexadecimal digits of a request id that we make */
#define EXCHANGE_ID_MAX 128           /* longest one taken over from a trusted proxy */
#define EXCHANGE_PAGE_ROOM (6u << 10) /* of the arena, for a page of our own */
#define EXCHANGE_FIELDS_MAX 300       /* fields of a response, ours included */

enum piece_kind {
    PIECE_WAIT, /* nothing yet: the handler will flush */
    PIECE_DATA, /* iov: valid until the next consume */
    PIECE_FILE, /* fd, offset, size */
    PIECE_END,  /* the body is complete */
    PIECE_FAIL, /* it will never be: break the connection off */
};

struct piece {
    struct iovec iov[2];
    int n_iov;
    uint64_t size; /* bytes in iov, or left of the file */
    int fd;        /* borrowed */
    uint64_t offset;
};

/* One file of src/edge/handler each. */
struct handler {
    const char *name;
    enum stats_handler kind; /* in the metrics */
    bool
        wants_body; /* start only when the whole request body is in ex->body; otherwise it is read and dropped after the response */
    void (*start)(struct exchange *ex);
    enum piece_kind (*peek)(struct exchange *ex, struct piece *piece);
    void (*consume)(struct exchange *ex, size_t n); /* n bytes of the piece peeked last */
    void (*blocked)(struct exchange *ex);           /* the client does not read now; NULL: not interested */
    bool (*client_left)(struct exchange *ex);       /* false: something still runs for it; NULL: nothing ever does */
    void (*end)(struct exchange *ex);               /* gives up all it holds; NULL: nothing */
};

/* Where the protocol pulls the response's body from: the handler, or a filter (filter/) that changes its bytes and pulls from the one below. */
struct exchange_body {
    enum piece_kind (*peek)(struct exchange *ex, struct piece *piece);
    void (*consume)(struct exchange *ex, size_t n);
    void (*end)(struct exchange *ex); /* before the handler's */
};

/* How the exchange reaches the protocol that carries it. */
struct exchange_ops {
    void (*flush)(struct exchange *ex); /* there is something to send: response head or body */
};

struct response {
    uint16_t status;       /* 0: none yet */
    struct str reason;     /* empty: the standard one */
    struct header *fields; /* arena array of EXCHANGE_FIELDS_MAX */
    uint32_t n_fields;
    int64_t length; /* bytes of the body; -1: unknown, delimited by the protocol */
    bool ready;     /* head complete: may be sent */
    bool started;   /* head (partly) sent: no other answer possible */
    bool no_body;   /* HEAD, 204, 304: body bytes are dropped */
    bool as_it_is;  /* of a type that is not compressed: nothing that is said can change that, but a route's headers */
    bool date, server_id; /* the app sent its own Date; X-Request-ID */
};

#define REFUSAL_FIELDS_MAX 8

/* What a gate (gate.h) answers in the handler's place. */
struct refusal {
    struct header fields[REFUSAL_FIELDS_MAX];
    struct str detail;
    uint16_t status;
    uint8_t n_fields;
};

struct exchange {
    struct lane *lane;         /* borrowed */
    struct snapshot *snapshot; /* owned reference */
    const struct exchange_ops *ops;
    struct arena arena; /* owned; reset with the exchange */
    struct http_head head;
    const char *bytes; /* what head's spans refer to; borrowed from the protocol, which may move them until start */
    /* who asks; all in the arena */
    struct str peer_text, remote_addr; /* the socket's peer; the client behind trusted proxies */
    uint16_t remote_port;
    int stream_fd;            /* the connection, for its local address; borrowed */
    bool tls;                 /* this connection is TLS */
    bool proxied_tls;         /* it is between the client and the proxy in front */
    bool watch;               /* came on --metrics-bind */
    bool secure;              /* the client's is: scheme https */
    bool trusted;             /* the peer is a trusted proxy */
    struct str forwarded_for; /* X-Forwarded-For for the application; .p == NULL: none */
    bool forwarded_proto;     /* a proxy has said the client's scheme */
    const char *distrust;     /* not NULL: why what trusted proxies say cannot be believed; static */
    struct stream_tls_info tls_info;
    const struct route *route; /* which rules are in force (edge/site.h); of the snapshot; never NULL once identified */
    struct str host;           /* "host[:port]" that was asked; empty when HTTP/1.0 sent none */
    struct str remote_user;    /* whose name and password were right; empty: not asked for */
    struct str server_name;    /* the same without port, or the connection's own address */
    uint32_t server_port;
    struct str id;     /* request id */
    uint64_t start_ns; /* first byte of the request */
    /* request body */
    struct spool body;
    bool body_complete;
    /* response */
    struct response response;
    const struct handler *handler;           /* NULL before routing and after the end */
    const struct handler *routed;            /* what it was at first; NULL: refused before routing */
    void *state;                             /* the handler's, in the arena */
    const struct exchange_body *body_filter; /* NULL: the handler's own bytes */
    void *body_state;                        /* the filter's, in the arena */
    uint64_t sent;                           /* body bytes sent */
    uint64_t queue_ns, app_ns;               /* for the log; 0: never there */
    uint64_t took_ns;                        /* known at the end */
    int worker;                              /* index, -1: none */
    struct refusal refusal;
    struct str rate_state; /* of RateLimit, in the arena; .p == NULL: no rate limit was asked */
    uint32_t retry_after;  /* seconds, for a 503; 0: 1 */
    bool close;            /* the connection closes after this response */
    bool client_gone;      /* logged as 499 when nothing was sent */
};

void exchange_begin(struct exchange *ex); /* arena and spool are initialised already; the rest is cleared */
/* Ends the handler, writes the access log line, frees what the request held. */
void exchange_end(struct exchange *ex);
void exchange_init(struct exchange *ex, struct lane *lane); /* once in its life */
void exchange_fini(struct exchange *ex);

/* Memory for everything that the edge itself does with this exchange from now on: what allocates from the arena below need not look. 0 or
 * -ENOMEM. */
MUST_CHECK int exchange_reserve(struct exchange *ex);
/* Facts that routing and handlers need (client address, request id, host) from head, peer and trusted proxies. */
void exchange_identify(struct exchange *ex, const union sock_addr *peer, int fd);

/* ---- for handlers ---- */

struct str exchange_field(const struct exchange *ex, enum http_field_id id); /* first value, or .p == NULL */
struct str exchange_path(const struct exchange *ex);                         /* raw */
/* An empty response head with this status; fields of an earlier attempt are forgotten. */
void exchange_respond(struct exchange *ex, unsigned status);
/* Pieces must live as long as the exchange (static or arena). Ignored past EXCHANGE_FIELDS_MAX (the app's limit is below it). */
void exchange_add(struct exchange *ex, struct str name, struct str value);
void exchange_vary(struct exchange *ex, struct str name);   /* adds the name to Vary, unless it or * is there already */
void exchange_remove(struct exchange *ex, struct str name); /* every field of that name */
bool exchange_has(const struct exchange *ex, struct str name); /* any case */
bool exchange_tells_length(const struct exchange *ex);         /* by a Content-Length field */
void exchange_ready(struct exchange *ex); /* head complete: filters run, then the protocol flushes */
/* A small page of our own (handler/page.c) with this status, in the client's preferred form. */
void exchange_page(struct exchange *ex, unsigned status, struct str detail);
/* Ends the handler before its time: another one answers in its place. Its response head and the request stay. */
void exchange_leave_handler(struct exchange *ex);
/* After body bytes or the end became available. */
void exchange_flush(struct exchange *ex);

/* ---- for protocols: the body as it goes out, see struct handler ---- */

static inline enum piece_kind exchange_peek(struct exchange *ex, struct piece *piece)
{
    return ex->body_filter == NULL ? ex->handler->peek(ex, piece) : ex->body_filter->peek(ex, piece);
}

static inline void exchange_consume(struct exchange *ex, size_t n)
{
    if (ex->body_filter == NULL)
        ex->handler->consume(ex, n);
    else
        ex->body_filter->consume(ex, n);
}

/* Nobody will get the body: what is still pulled, to let the handler end, are its own bytes. */
void exchange_unfilter(struct exchange *ex);

static inline void exchange_blocked(struct exchange *ex)
{
    if (ex->handler->blocked != NULL)
        ex->handler->blocked(ex);
}

#endif
