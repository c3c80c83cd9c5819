/*
 * HTTP/2 on a connection: a session (http/h2.h), and an exchange for each stream, as many at a time as the client may open.
 *
 * The connection:
 *
 *      IDLE ◀─▶ UPLOAD (all streams are still arriving) ◀─▶ BUSY ◀─▶ FLUSH (no stream, but bytes that the client does not take)
 *        │                                    which one says only who is asked to go (edge/evict.h) and what is timed
 *        └── idle for too long, a drain, the client broke the rules ──▶ ENDING: what is in `out` goes ──▶ linger, closed
 *
 * A stream (h2_stream.c):
 *
 *      HEAD ─ complete ─▶ BODY ─ complete ─▶ WAIT ─ response head ─▶ SEND ─ last byte pulled ─▶ REST ─ the handler has ended ─▶ released
 *                                              └── the client resets it while a worker runs it ────▲
 *
 * REST is why a cancelled request still counts: until its worker is done with it, it takes one of the H2_STREAMS_MAX places, so that a client cannot
 * have more work under way by cancelling it. docs/internals/http2.md has the bounds.
 *
 * Callbacks of the session only note; h2_step does what they noted, so that no stream ends under the session's feet. Own thread.
 */
#ifndef QUINTET_EDGE_H2_H
#define QUINTET_EDGE_H2_H

#include "base/buf.h"
#include "edge/conn.h"
#include "edge/exchange.h"
#include "http/h2.h"

enum h2_leaving {
    H2_STAYS,
    H2_NOTICED, /* the client has been told to open no more streams; those on their way are served */
    H2_GONE,    /* none is */
};

struct h2 {
    struct conn *conn;              /* borrowed */
    struct h2_session *session;     /* owned */
    struct buf out;                 /* frames to be written; none while there are none */
    size_t out_pos;                 /* of it already written */
    struct list streams;            /* struct h2_stream, owned */
    struct list news;               /* those of them that have something to do */
    uint32_t n_streams, n_arriving; /* all; those whose head or body is not complete */
    size_t heads;                   /* bytes of the streams' heads */
    uint64_t taken;                 /* bytes that the kernel says the client has taken, when that was asked last */
    uint64_t noticed_ns;            /* when leaving became H2_NOTICED */
    uint64_t look_ns;               /* when the streams' deadlines are looked at next */
    enum h2_leaving leaving;
    bool failed; /* nothing more is read */
    bool inside; /* one of the session's functions runs, which call ours */
};

enum h2_stream_state { H2_HEAD, H2_BODY, H2_WAIT, H2_SEND, H2_REST };

struct h2_stream {
    struct list link; /* in h2.streams, or lane.spare_h2 */
    struct list news; /* in h2.news */
    struct h2 *h2;    /* borrowed */
    int32_t id;
    enum h2_stream_state state;
    struct h2_head head;
    struct buf bytes; /* of the head */
    size_t counted;   /* of them in h2.heads */
    struct exchange exchange;
    struct h2_answer answer; /* the response's head, from SEND or REST on; its fields are the exchange's */
    uint64_t deadline;       /* by edge/pace.h, while the client is the one to move; 0: it is not */
    bool open;               /* the session knows it */
    bool all_came;           /* the client has said all */
    bool said;               /* we have */
    bool asked;              /* pull said that there was nothing: resume it */
};

/* The first bytes of a connection: the whole preface, a part of it, or something else. */
enum h2_preface { H2_PREFACE_NO, H2_PREFACE_PART, H2_PREFACE_YES };
enum h2_preface h2_preface(const char *p, size_t n);

/* The connection speaks HTTP/2 from here on; p are the bytes read already, from the preface on. */
void h2_begin(struct conn *c, const char *p, size_t n);
void h2_release(struct conn *c); /* all that it holds */
/* No new requests, please: what is on its way is served, then the connection closes. */
void h2_leave(struct h2 *h2);
/* It is about to be closed while it is idle: GOAWAY with the last request's number, if that goes at once, so that a request on its way can be repeated. */
void h2_farewell(struct h2 *h2);

/* ---- between h2.c and h2_stream.c ---- */

extern const struct h2_events h2_stream_events;

void h2_ponged(struct h2 *h2);                 /* the client has seen the notice */
void h2_stream_step(struct h2_stream *st);     /* what its news ask for; it may be gone afterwards */
void h2_stream_blocked(struct h2_stream *st);  /* nothing of its body goes out now */
void h2_stream_too_slow(struct h2_stream *st); /* its deadline is over */
void h2_stream_free_all(struct h2 *h2);        /* ends them all: the client has gone */
void h2_stream_fini_spare(struct lane *lane);  /* frees those that are kept */

#endif
