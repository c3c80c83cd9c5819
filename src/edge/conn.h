/*
 * A connection: a stream, a timer and a state. What bytes mean is the protocol's (h1.c).
 *
 * A state is a const struct: what to do when the descriptor is ready, and how long the state may last without progress.
 * An idle connection holds no buffer and no exchange. Closing is in two steps: conn_close takes it out of the loop, the close phase frees it.
 */
#ifndef QUINTET_EDGE_CONN_H
#define QUINTET_EDGE_CONN_H

#include "edge/evict.h"
#include "edge/lane.h"
#include "os/loop.h"
#include "os/sock.h"
#include "os/stream.h"

struct conn;
struct h1;
struct h2;

struct conn_state {
    const char *name;
    bool (*step)(struct conn *c); /* true: progress was made, step again */
    void (*timed_out)(struct conn *c);
    uint64_t (*timeout)(const struct conn *c); /* ns; NULL: no limit in this state */
    enum evict_rank rank;                      /* EVICT_KEPT: only after a first request */
};

struct conn {
    struct lane *lane; /* borrowed */
    struct stream stream;
    struct loop_io io;
    struct loop_timer timer;
    struct loop_task task; /* close phase, or going on next turn */
    struct list link;      /* in lane.open */
    struct list ranked;    /* in lane.ranks[rank] */
    uint64_t ranked_ns;    /* since when at its place there */
    enum evict_rank rank;
    const struct conn_state *state;
    struct h1 *h1; /* owned; NULL while idle */
    struct h2 *h2; /* owned; NULL: the connection speaks HTTP/1 */
    union sock_addr peer;
    bool tls;
    bool watch;              /* came on --metrics-bind */
    bool proxied_tls;        /* plain to us, but not to the proxy in front: PROXY protocol */
    bool by_address;         /* counted by its address: admit.h */
    bool readable, writable; /* edge-triggered: true until -EAGAIN */
    bool peer_gone;          /* FIN, reset or error was seen */
    bool advancing, again;   /* conn_advance is on the stack; something changed meanwhile */
    bool paused;             /* has had its share of this turn: goes on in the next */
    bool closed;
    bool departed;   /* closed here, and alive in another lane */
    bool shaking;    /* counted in lane.n_shaking */
    uint32_t served; /* requests */
    uint32_t burst;  /* share of this turn that was used: see conn_spend */
};

/* A connection's share of a turn, in units of 1 KiB. */
#define CONN_SHARE 1024       /* 1 MiB, or */
#define CONN_SHARE_REQUEST 12 /* 64 requests and their answers, or */
#define CONN_SHARE_LEAST 4    /* 256 reads or writes, however few bytes each moves: it is system calls that take time */
#define CONN_REQUESTS_A_TURN (CONN_SHARE / (CONN_SHARE_REQUEST + CONN_SHARE_LEAST))

/* A connection that admit.h has counted. */
struct conn_new {
    union sock_addr peer;
    int fd; /* taken over by conn_accept */
    bool tls, by_address;
    bool watch; /* came on --metrics-bind */
};

/* Nothing is returned: a connection that cannot be set up is closed and counted off. By home.h alone. */
void conn_accept(struct lane *lane, const struct conn_new *new);
void conn_refuse(struct lane *lane, const struct conn_new *new); /* that close */
/* Out of its lane, and freed there as one that is closed, but for its stream, which is the caller's now. */
void conn_depart(struct conn *c, struct conn_new *new, struct stream *stream);
/* And into another, with its handshake done; takes the stream over. Nothing is returned, as with conn_accept. */
void conn_arrive(struct lane *lane, const struct conn_new *new, const struct stream *stream);
void conn_shaken(struct conn *c); /* its handshake, if there was one, is over: well or not */
void conn_begin(struct conn *c);  /* its own first byte is next: a handshake, or a request */
void conn_set_state(
    struct conn *c,
    const struct conn_state *state); /* the only place that changes it; arms the timer; nothing once it is closed */
void conn_touch(struct conn *c);     /* progress: the state's time begins again */
void conn_earn(struct conn *c, uint64_t bytes); /* the client has moved so many: time by edge/pace.h */
void conn_advance(struct conn *c);              /* steps until nothing more can be done; safe to call from within */
/* Work was done: a request (1), or so many bytes moved. Past its share the connection goes on in the next turn, so that one fast peer
 * does not hold the lane: true then, and the step returns false. */
bool conn_spend(struct conn *c, size_t requests, size_t bytes);
void conn_close(struct conn *c);
/* The last answer is written and nothing of the client's is unread: says farewell and closes the descriptor, at once, as the last bytes may be
 * waiting for that (stream_ending). */
void conn_end(struct conn *c);
/* Answers all there is to say, then waits a little for the client's FIN so that it can read the answer (RFC 9112 9.6). */
void conn_linger(struct conn *c);

#endif
