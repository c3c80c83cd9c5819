/*
 * HTTP/1 messages, sans-I/O: bytes in, results out; no descriptor, no loop, no allocation (RFC 9112).
 *
 * Strict: whatever two parties could read two ways is refused with a status, and the connection must then close:
 *   - lines end in CRLF; a bare CR or a lone LF is 400; empty lines before the request line (at most 2) are skipped
 *   - exactly one SP between method, target and version; no SP before the colon, no obs-fold, no empty name
 *   - field values: VCHAR, obs-text, SP, HTAB; NUL and other controls are 400
 *   - Host: exactly one on HTTP/1.1, at most one on 1.0, valid uri-host[:port]; with the absolute form it must agree
 *   - Content-Length: digits only, one value (a list or repetition is 400 even when equal); with Transfer-Encoding: 400
 *   - Transfer-Encoding: exactly "chunked" once on 1.1 (400 otherwise; 501 for another coding before it); on 1.0: 400
 *   - Content-Type, Authorization: at most once (RFC 9110 5.3)
 *   - request target: starts with '/', or http(s)://host, or "*" with OPTIONS; no '#', no userinfo
 *   - CONNECT 501 (we are no proxy); TRACE 405; version other than HTTP/1.0 or 1.1: 505; "PRI * HTTP/2.0": 505
 *   - Expect other than 100-continue: 417
 * docs/internals/http1.md has each rule with its section.
 * Limits have their own status: start line 414, fields (number, one field's size, whole head) 431.
 */
#ifndef QUINTET_HTTP_H1_H
#define QUINTET_HTTP_H1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "http/head.h"

struct h1_limits {
    uint32_t request_line; /* bytes without CRLF: 414 beyond */
    uint32_t fields;       /* number, at most HTTP_FIELDS_MAX: 431 */
    uint32_t field_size;   /* bytes of a field line without CRLF: 431 */
};

enum h1_result {
    H1_MORE,  /* all given bytes were looked at; call again with more behind them */
    H1_DONE,  /* head complete: head.length bytes belong to it */
    H1_ERROR, /* answer `status`, then close */
};

/* State between calls; zeroed by h1_head_begin. Positions are relative to the start of the message. */
struct h1_parser {
    const struct h1_limits *limits; /* borrowed */
    uint32_t line_start;            /* where the unfinished line begins */
    uint32_t scanned;               /* bytes looked at: never looked at again (no quadratic re-scan) */
    uint8_t step;                   /* private to h1_request.c */
    uint8_t empty_lines;            /* before the request line */
    uint16_t status;                /* with H1_ERROR: 400, 405, 414, 417, 431, 501, 505 */
    const char *reason;             /* with H1_ERROR: for the log, static text such as "bare CR in a field value" */
};

void h1_head_begin(struct h1_parser *parser, const struct h1_limits *limits, struct http_head *head);
/* `bytes` is the message from its first byte, `n` all that has arrived (n grows from call to call; what lies behind
 * the head is not looked at). Fills `head`; it is whole only with H1_DONE. The same answer however the bytes were
 * cut. Not to be called again after H1_DONE or H1_ERROR; positions in `head` count from `bytes`. */
MUST_CHECK enum h1_result h1_head_parse(struct h1_parser *parser, const char *bytes, size_t n, struct http_head *head);

/* ---- body ---- */

/* Takes a body apart (RFC 9112 6 and 7). Chunk extensions are skipped (at most H1_CHUNK_LINE_MAX bytes a chunk line:
 * 400), trailer fields are checked for form and dropped (at most H1_TRAILER_MAX bytes in all: 431). */
#define H1_CHUNK_LINE_MAX 256    /* without CRLF */
#define H1_TRAILER_MAX (8 << 10) /* with CRLFs, the final empty line included */

struct h1_body {
    enum http_body kind;
    uint8_t step;        /* private to h1_body.c */
    uint16_t status;     /* with H1_ERROR: 400 or 431 */
    uint32_t line_bytes; /* of the chunk line or trailer section so far */
    uint64_t left;       /* of the chunk, or of the length */
    uint64_t total;      /* body bytes delivered so far */
    const char *reason;  /* with H1_ERROR */
};

void h1_body_begin(struct h1_body *body, const struct http_head *head);
/* Looks at bytes[0..n). *used: how many were consumed; *data: body bytes among them, a contiguous piece of `bytes`
 * (may be empty). Call again while *used < n and the result is H1_MORE. H1_DONE: the body ended after *used bytes
 * (at once, with n = 0, when there is none). With H1_ERROR *data may still hold bytes that came before the error. */
MUST_CHECK
enum h1_result h1_body_feed(struct h1_body *body, const char *bytes, size_t n, size_t *used, struct str *data);

#endif
