/*
 * A message head as offsets into the bytes it was read from: what the parsers make, what routing, handlers and the pool
 * read.
 *
 * Offsets instead of pointers, so the buffer may grow and move while a head arrives, and so that a head travels to a
 * worker as it is: bytes plus table. A span is only as good as the buffer it was made for; http_str binds it.
 */
#ifndef QUINTET_HTTP_HEAD_H
#define QUINTET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HTTP_FIELDS_MAX 256      /* hard maximum of fields in a head; --limit-request-fields is at most this */
#define HTTP_HEAD_MAX (64 << 10) /* bytes of a whole head, start line included: 431 beyond */

struct span {
    uint32_t off, len;
};

static inline struct str http_str(const char *base, struct span s)
{
    return (struct str){ base + s.off, s.len };
}

enum http_method {
    HTTP_OTHER, /* any other token; its text is in head.method_text */
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH,
};

/* Fields that Quintet itself reads or writes. One row: id, canonical name in lower case. */
#define HTTP_FIELD_LIST(X)                                                                                             \
    X(ACCEPT, "accept")                                                                                                \
    X(ACCEPT_ENCODING, "accept-encoding")                                                                              \
    X(ACCEPT_RANGES, "accept-ranges")                                                                                  \
    X(AGE, "age")                                                                                                      \
    X(ALLOW, "allow")                                                                                                  \
    X(AUTHORIZATION, "authorization")                                                                                  \
    X(CACHE_CONTROL, "cache-control")                                                                                  \
    X(CF_CONNECTING_IP, "cf-connecting-ip")                                                                            \
    X(CLOUDFRONT_FORWARDED_PROTO, "cloudfront-forwarded-proto")                                                        \
    X(CLOUDFRONT_VIEWER_ADDRESS, "cloudfront-viewer-address")                                                          \
    X(CONNECTION, "connection")                                                                                        \
    X(CONTENT_DISPOSITION, "content-disposition")                                                                      \
    X(CONTENT_ENCODING, "content-encoding")                                                                            \
    X(CONTENT_LENGTH, "content-length")                                                                                \
    X(CONTENT_RANGE, "content-range")                                                                                  \
    X(CONTENT_SECURITY_POLICY, "content-security-policy")                                                              \
    X(CONTENT_TYPE, "content-type")                                                                                    \
    X(COOKIE, "cookie")                                                                                                \
    X(DATE, "date")                                                                                                    \
    X(ETAG, "etag")                                                                                                    \
    X(EXPECT, "expect")                                                                                                \
    X(EXPIRES, "expires")                                                                                              \
    X(FORWARDED, "forwarded")                                                                                          \
    X(HOST, "host")                                                                                                    \
    X(IF_MATCH, "if-match")                                                                                            \
    X(IF_MODIFIED_SINCE, "if-modified-since")                                                                          \
    X(IF_NONE_MATCH, "if-none-match")                                                                                  \
    X(IF_RANGE, "if-range")                                                                                            \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since")                                                                      \
    X(KEEP_ALIVE, "keep-alive")                                                                                        \
    X(LAST_MODIFIED, "last-modified")                                                                                  \
    X(LOCATION, "location")                                                                                            \
    X(PROXY, "proxy")                                                                                                  \
    X(PROXY_AUTHENTICATE, "proxy-authenticate")                                                                        \
    X(PROXY_AUTHORIZATION, "proxy-authorization")                                                                      \
    X(PROXY_CONNECTION, "proxy-connection")                                                                            \
    X(RANGE, "range")                                                                                                  \
    X(REFERER, "referer")                                                                                              \
    X(REFERRER_POLICY, "referrer-policy")                                                                              \
    X(RETRY_AFTER, "retry-after")                                                                                      \
    X(SERVER, "server")                                                                                                \
    X(SET_COOKIE, "set-cookie")                                                                                        \
    X(STRICT_TRANSPORT_SECURITY, "strict-transport-security")                                                          \
    X(TE, "te")                                                                                                        \
    X(TRAILER, "trailer")                                                                                              \
    X(TRANSFER_ENCODING, "transfer-encoding")                                                                          \
    X(UPGRADE, "upgrade")                                                                                              \
    X(USER_AGENT, "user-agent")                                                                                        \
    X(VARY, "vary")                                                                                                    \
    X(X_ACCEL_BUFFERING, "x-accel-buffering")                                                                          \
    X(X_ACCEL_REDIRECT, "x-accel-redirect")                                                                            \
    X(X_CONTENT_TYPE_OPTIONS, "x-content-type-options")                                                                \
    X(X_FORWARDED_FOR, "x-forwarded-for")                                                                              \
    X(X_FORWARDED_HOST, "x-forwarded-host")                                                                            \
    X(X_FORWARDED_PORT, "x-forwarded-port")                                                                            \
    X(X_FORWARDED_PROTO, "x-forwarded-proto")                                                                          \
    X(X_FRAME_OPTIONS, "x-frame-options")                                                                              \
    X(X_REAL_IP, "x-real-ip")                                                                                          \
    X(X_REQUEST_ID, "x-request-id")                                                                                    \
    X(X_SENDFILE, "x-sendfile")

enum http_field_id {
    HTTP_F_OTHER,
#define X(id, name) HTTP_F_##id,
    HTTP_FIELD_LIST(X)
#undef X
        HTTP_F_COUNT
};

struct http_field {
    struct span name;  /* as sent; a token (RFC 9110 5.1) */
    struct span value; /* without surrounding OWS; VCHAR, SP, HTAB, obs-text only */
    enum http_field_id id;
};

/* A field to be sent. */
struct header {
    struct str name, value;
};

/* How the body is delimited (RFC 9112 6). */
enum http_body { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

/* Where the target's form came from (RFC 9112 3.2). */
enum http_target { HTTP_TARGET_ORIGIN, HTTP_TARGET_ABSOLUTE, HTTP_TARGET_ASTERISK };

struct http_head {
    enum http_method method;
    enum http_target target_form;
    enum http_body body;
    uint8_t major;           /* 1 or 2 */
    uint8_t minor;           /* of HTTP/1: 0 or 1 */
    bool keep_alive;         /* the client would keep the connection (RFC 9112 9.3) */
    bool expect_continue;    /* Expect: 100-continue on HTTP/1.1, with content to come */
    uint64_t content_length; /* with HTTP_BODY_LENGTH */
    struct span method_text;
    struct span target; /* as sent */
    struct span path;   /* raw, percent-encoded, starts with '/' ("*" for the asterisk form); "/" for "http://host" */
    struct span query;  /* without '?' */
    struct span authority; /* of the absolute form or else of Host: "host[:port]"; empty when HTTP/1.0 sent none */
    uint32_t length;       /* bytes of the head, final empty line included */
    uint32_t n_fields;
    struct http_field fields[HTTP_FIELDS_MAX];
};

enum http_field_id http_field_lookup(struct str name); /* any case; HTTP_F_OTHER when not listed */
struct str http_field_name(enum http_field_id id);     /* lower case */
/* First field with that id at or behind index `from`; NULL when none. */
const struct http_field *http_head_find(const struct http_head *head, enum http_field_id id, uint32_t from);
/* The only field with that id; NULL when absent or repeated. */
const struct http_field *http_head_single(const struct http_head *head, enum http_field_id id);
/* Whether `name` is listed in any Connection field of the head: such fields are hop-by-hop (RFC 9110 7.6.1). */
bool http_head_connection_lists(const struct http_head *head, const char *base, struct str name);
/* Whether a comma-separated list holds the member, in any case; for lists of tokens (RFC 9110 5.6.1). */
bool http_list_has(struct str list, struct str member);
/* Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, Upgrade, Proxy-*. */
bool http_field_is_hop_by_hop(enum http_field_id id);
enum http_method http_method_lookup(struct str token); /* case-sensitive (RFC 9110 9.1) */
struct str http_method_name(enum http_method method);  /* "" for HTTP_OTHER */
bool http_method_is_safe(enum http_method method);     /* GET, HEAD, OPTIONS, TRACE (RFC 9110 9.2.1) */
/* As nginx and CGI have it: "HTTP/1.0", "HTTP/1.1", "HTTP/2.0". */
struct str http_version_text(const struct http_head *head);
struct str http_reason(unsigned status); /* "Not Found"; "Unknown" for what has none */
bool http_is_token(struct str s);        /* RFC 9110 5.6.2 */
bool http_is_field_value(struct str s);  /* no CTL but HTAB, no leading or trailing OWS (RFC 9110 5.5) */

#endif
