/*
 * HTTP/2 sessions of a server, sans-I/O: bytes in, events out, and bytes out when asked for (RFC 9113, RFC 9218). The only user of nghttp2.
 *
 * The library does frames, HPACK, flow control, stream states and priorities. Ours is what a request may look like (h2_head.h), what a client may
 * do how often (h2_guard.h), and that nothing grows without a bound: at most H2_STREAMS_MAX requests at a time, a header block of at most H2_BOMB
 * bytes decoded, a dozen frames of ours waiting per request.
 *
 * A response is pulled: h2_output asks `pull` how many bytes of a body can go, in the order of priorities and as far as the client's windows go,
 * and `take` for these bytes. Windows for request bodies open when h2_took says so.
 *
 * Callbacks run inside h2_input and h2_output. They may call every function here but these two and h2_free. `stream` is what `begin` gave; it is
 * not given any more after `closed`. One thread.
 */
#ifndef QUINTET_HTTP_H2_H
#define QUINTET_HTTP_H2_H

#include <sys/types.h>

struct bins;

#include "http/h2_guard.h"
#include "http/h2_head.h"

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* RFC 9113 3.4 */
#define H2_PREFACE_LEN 24
#define H2_STREAMS_MAX 100                            /* SETTINGS_MAX_CONCURRENT_STREAMS */
#define H2_FRAME_MAX (16u << 10)                      /* payload of a frame, both ways */
#define H2_WINDOW (1u << 20)                          /* of a request's body */
#define H2_WINDOW_ALL (4u << 20)                      /* of all bodies of a connection */
#define H2_BOMB (4u * HTTP_HEAD_MAX)                  /* decoded bytes of a header block: beyond it is an attack */
#define H2_OUT_ROOM (64u << 10)                       /* h2_output stops past this */
#define H2_OUT_MAX (H2_OUT_ROOM + H2_FRAME_MAX + 64u) /* the least maximum of its buffer */

struct h2_session;
struct h2_answer;

/* RFC 9113 7: those that we say. */
enum h2_code {
    H2_NO_ERROR = 0,
    H2_INTERNAL_ERROR = 2,
    H2_REFUSED_STREAM = 7,
    H2_CANCEL = 8,
    H2_ENHANCE_YOUR_CALM = 11
};

struct h2_events {
    /* A request begins. Its stream, with *head where its fields go (begun by h2_head_begin); NULL: no room for it now. */
    void *(*begin)(void *arg, int32_t id, struct h2_head **head);
    void (*head)(void *stream, bool end); /* its head is complete, fit or not: see h2_head.status */
    void (*data)(void *stream, const char *p, size_t n);
    void (*end)(void *stream);    /* the body is complete */
    void (*said)(void *stream);   /* the end of the response is in h2_output's buffer */
    void (*closed)(void *stream); /* both sides have said all, or one of them has reset it */
    /* Bytes of the body that can go now, at most `max`; *last: they are the last. -EAGAIN: none now, h2_resume will be called; else -errno: the
     * stream is reset. */
    ssize_t (*pull)(void *stream, size_t max, bool *last);
    int (*take)(void *stream, char *out, size_t n);  /* these bytes: 0, or -errno and the stream is reset */
    const struct h2_answer *(*answer)(void *stream); /* what h2_respond was called with: its head is to be sent now */
    void (*ponged)(void *arg);                       /* the answer to h2_ping */
};

/* `memory` is for the library's own needs; borrowed, and outlives the session. NULL: no memory. */
MUST_CHECK struct h2_session *h2_new(const struct h2_events *events, void *arg, struct bins *memory);
void h2_free(struct h2_session *s); /* no callback runs */
/* Bytes from the client, all of them. 0; -EPROTO: it does not speak HTTP/2; -EDQUOT: it did something too often, see h2_abuse; -ENOMEM. What is to be said
 * about it is in h2_output then, and nothing more must be given. */
MUST_CHECK int h2_input(struct h2_session *s, const char *p, size_t n, uint64_t now);
enum h2_guard h2_abuse(const struct h2_session *s); /* after -EDQUOT: what */
/* Appends frames until there are none to send or out holds H2_OUT_ROOM bytes. 0, -EDQUOT as above, or -ENOMEM. */
MUST_CHECK int h2_output(struct h2_session *s, struct buf *out, uint64_t now);
bool h2_is_over(const struct h2_session *s);    /* all has been said after a GOAWAY: close */
bool h2_is_stuffed(const struct h2_session *s); /* so many frames wait to be sent that no more input should be given */

/* ---- a response ---- */

struct h2_answer {
    unsigned status;
    const struct header *fields; /* names in any case */
    size_t n;
    bool body; /* pull will be asked; otherwise the fields end the response */
};

/* An interim response (1xx), then the other. 0 or -ENOMEM. An interim one is copied; the other stays as it is until the stream is forgotten or `said`,
 * and `answer` gives it. */
MUST_CHECK int h2_interim(struct h2_session *s, int32_t id, const struct h2_answer *answer);
MUST_CHECK int h2_respond(struct h2_session *s, int32_t id, const struct h2_answer *answer);
void h2_resume(struct h2_session *s, int32_t id); /* after pull gave -EAGAIN */
void h2_reset(struct h2_session *s, int32_t id, enum h2_code code);
void h2_took(struct h2_session *s, int32_t id,
             size_t n); /* bytes of the request's body are dealt with: the client may send as many more */
void h2_forget(struct h2_session *s,
               int32_t id); /* no more callbacks with this stream; what arrives for it is dropped */

/* ---- the end ---- */

void h2_notice(struct h2_session *s); /* GOAWAY: no new requests, please; those on their way are served */
void h2_ping(struct h2_session *s);   /* `ponged` tells when the client has seen what was sent before */
void h2_goaway(struct h2_session *s,
               enum h2_code code); /* GOAWAY: what has not begun will not be served; over when the rest has ended */

#endif
