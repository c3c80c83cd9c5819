/*
 * Writing HTTP/1 responses: head, chunk framing, and the check of what an application wants in a head.
 *
 * The writers append to a bounded buffer and fail with -EMSGSIZE past its maximum (the buffer then ends in the middle
 * of the head: drop it). They write what they are given: fields from an application or an upstream pass
 * http_response_field_valid first, so that nobody can end a line early (response splitting, RFC 9112 11.1). Which
 * fields go in (Date, Connection, framing) is the caller's decision; http_status_has_content says what framing may
 * follow.
 */
#ifndef QUINTET_HTTP_RESPONSE_H
#define QUINTET_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"

/* "HTTP/1.1 200 OK"; status 100 to 999; an empty reason is replaced by http_reason's. */
MUST_CHECK int http_response_begin(struct buf *b, unsigned status, struct str reason);
MUST_CHECK int http_response_field(struct buf *b, struct str name, struct str value);
/* "Name: 123": Content-Length, Age, Retry-After. */
MUST_CHECK int http_response_number(struct buf *b, struct str name, uint64_t value);
MUST_CHECK int http_response_end(struct buf *b);

/* The name is a token; the value has no control but HTAB (blanks around it are allowed). */
bool http_response_field_valid(struct str name, struct str value);
/* What may stand as a reason phrase: field text, or nothing (RFC 9112 4). */
bool http_response_reason_valid(struct str reason);
/* Whether a response of that status has content; 1xx, 204 and 304 have none, whatever their fields say (RFC 9110
 * 6.4.1). */
bool http_status_has_content(unsigned status);
/* Whether it may carry Content-Length: not on 1xx and 204 (RFC 9110 8.6). */
bool http_status_may_have_length(unsigned status);

/* ---- chunks: head, n bytes, HTTP_CHUNK_TAIL; at the end HTTP_CHUNK_LAST (RFC 9112 7.1) ---- */

#define HTTP_CHUNK_HEAD_MAX 20
#define HTTP_CHUNK_TAIL "\r\n"
#define HTTP_CHUNK_LAST "0\r\n\r\n"

/* "1f\r\n" for n > 0 bytes; returns its length; no NUL. n = 0 would end the body: a bug of the caller (must). */
size_t http_chunk_head(char out[HTTP_CHUNK_HEAD_MAX], size_t n);

#endif
