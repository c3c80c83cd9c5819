/*
 * A request in a slot: an offset table and bytes, so that a worker never parses HTTP.
 *
 * The edge writes it while the slot is FREE (its own), the worker reads it while RUNNING. Reading checks every offset against the area, on
 * a private copy of the table.
 */
#ifndef QUINTET_POOL_REQUEST_H
#define QUINTET_POOL_REQUEST_H

#include "base/str.h"
#include "pool/slot.h"

#define POOL_FIELDS_MAX 256

enum pool_var {
    POOL_METHOD,
    POOL_TARGET,      /* REQUEST_URI: as sent */
    POOL_PATH,        /* PATH_INFO: percent-decoded */
    POOL_QUERY,       /* QUERY_STRING */
    POOL_PROTOCOL,    /* "HTTP/1.1" */
    POOL_SCHEME,      /* "http" or "https" */
    POOL_REMOTE_ADDR, /* the client behind trusted proxies */
    POOL_REMOTE_PORT,
    POOL_SERVER_NAME,
    POOL_SERVER_PORT,
    POOL_REQUEST_ID,
    POOL_TLS_PROTOCOL, /* empty when not TLS */
    POOL_TLS_CIPHER,
    POOL_TLS_CLIENT_VERIFY, /* these four: empty unless clients are asked for certificates */
    POOL_TLS_CLIENT_SUBJECT,
    POOL_TLS_CLIENT_ISSUER,
    POOL_TLS_CLIENT_SERIAL,
    POOL_REMOTE_USER, /* by the edge's own check; empty: it made none */
    POOL_VAR_COUNT
};

enum pool_body { POOL_BODY_NONE, POOL_BODY_INLINE, POOL_BODY_FD };

struct pool_field {
    struct str name, value;
};

/* The same struct for writing (edge: borrowed pieces that are copied into the slot) and reading (worker: pieces inside the slot). */
struct pool_request {
    struct str vars[POOL_VAR_COUNT];
    struct pool_field fields[POOL_FIELDS_MAX];
    uint32_t n_fields;
    enum pool_body body;
    uint64_t body_size;   /* bytes, also with POOL_BODY_FD */
    struct str body_data; /* with POOL_BODY_INLINE */
    uint64_t edge_ns;     /* from the request's first byte until then: quintet.edge_time */
    uint64_t queued_ns; /* clock_mono_ns when it entered the queue: quintet.queue_time is pool_take's time less this */
    bool has_body;      /* the client sent Content-Length or Transfer-Encoding: CONTENT_LENGTH is set for the app */
    bool head_only;     /* HEAD: body bytes of the response will be dropped */
};

/* Copies `request` into the slot. 0, or -EMSGSIZE when it does not fit (the limits in pool.h make that the edge's bug or a 431). */
MUST_CHECK int pool_request_write(struct pool *pool, struct pool_ticket ticket, const struct pool_request *request);
/* 0, or -EPROTO when the area makes no sense. */
MUST_CHECK int pool_request_read(struct pool *pool, struct pool_ticket ticket, struct pool_request *out);

#endif
