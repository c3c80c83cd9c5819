/*
 * What a lane counts. Each counter is written by its own lane alone, so that counting is a plain addition; whoever reads (status, /metrics) adds the
 * lanes up and may be a moment late. Nothing survives the edge process.
 */
#ifndef QUINTET_EDGE_STATS_H
#define QUINTET_EDGE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/coding.h"
#include "http/h2_guard.h"
#include "os/tls.h"

/* Upper bounds in ns, each next to its text; the last bucket has none. */
#define STATS_BOUNDS(X)                                                                                                \
    X(1000000, "0.001")                                                                                                \
    X(2500000, "0.0025")                                                                                               \
    X(5000000, "0.005")                                                                                                \
    X(10000000, "0.01")                                                                                                \
    X(25000000, "0.025")                                                                                               \
    X(50000000, "0.05")                                                                                                \
    X(100000000, "0.1")                                                                                                \
    X(250000000, "0.25")                                                                                               \
    X(500000000, "0.5")                                                                                                \
    X(1000000000, "1")                                                                                                 \
    X(2500000000, "2.5")                                                                                               \
    X(5000000000, "5")                                                                                                 \
    X(10000000000, "10")                                                                                               \
    X(30000000000, "30")
#define X(ns, text) +1
enum { STATS_BUCKETS = 1 STATS_BOUNDS(X) };
#undef X

struct stats_histogram {
    atomic_ullong buckets[STATS_BUCKETS], sum_ns;
};

/* Who answered, as routed: a 502 for a worker's death is the application's. STATS_EDGE: refused before there was a route. */
enum stats_handler { STATS_EDGE, STATS_APP, STATS_FILE, STATS_HEALTH, STATS_OPTIONS, STATS_ROUTE, STATS_HANDLERS };
/* STATS_NONE: ended without an answer: the client left first, or the connection broke. */
enum stats_status { STATS_NONE, STATS_2XX, STATS_3XX, STATS_4XX, STATS_5XX, STATS_STATUSES };
enum stats_listener { STATS_HTTP, STATS_HTTPS, STATS_METRICS, STATS_LISTENERS };

enum stats_tls_version { STATS_TLS_1_2, STATS_TLS_1_3, STATS_TLS_VERSIONS };

struct lane_stats {
    atomic_ullong connections, requests;
    atomic_ullong handshakes[STATS_TLS_VERSIONS][2]; /* done: a full one, resumed */
    atomic_ullong handshake_failures[TLS_FAILURES];
    atomic_ullong evicted;  /* connections that made room for others */
    atomic_ullong crowded;  /* closed at accept: their address had as many as it may have */
    atomic_ullong shed;     /* requests and connections given up for lack of memory */
    atomic_ullong too_slow; /* out of time: head, body, or an answer that was not taken */
    atomic_ullong answers[STATS_HANDLERS][STATS_STATUSES];
    struct stats_histogram took[STATS_HANDLERS];           /* first byte of the request to last of the answer */
    struct stats_histogram queued;                         /* wait for a worker, of requests that got one */
    atomic_ullong body_in, body_out;                       /* bytes of bodies, without framing */
    atomic_ullong packed_in[CODINGS], packed_out[CODINGS]; /* bytes compressed on the fly, and what became of them */
    atomic_ullong accepted[STATS_LISTENERS];
    atomic_ullong ended[STATS_LISTENERS];                    /* of those accepted */
    atomic_ullong queue_full, queue_hopeless, queue_timeout; /* 503 */
    atomic_ullong outside, too_often, crowded_out;           /* 403, 429, 503: limits of a route */
    atomic_ullong unknown_host, contradicted;                /* 400, 421 */
    atomic_ullong forgotten;                                 /* clients whose rate was forgotten to make room */
    atomic_ullong timeouts;                                  /* 504 */
    atomic_ullong lost;                                      /* 502: their worker died */
    atomic_ullong unfit;                                     /* 502: what the worker said was no answer */
    atomic_ullong h2_connections;                            /* that speak HTTP/2 */
    atomic_ullong h2_abuse[H2_GUARDS];                       /* that were ended for what their clients did too often */
    atomic_ullong worker_ends;                               /* lane 0's: processes that the supervisor has reaped */
};

struct exchange;

static inline void stats_add(atomic_ullong *counter, unsigned long long n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline unsigned long long stats_get(const atomic_ullong *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void stats_time(struct stats_histogram *h, uint64_t ns);
void stats_exchange(const struct exchange *ex); /* an exchange has ended; its times are known */

#endif
