/* Counting handshakes. Failures are counted by reason; logged are those that an operator will be asked about: certificates of clients. */
#include "edge/handshake.h"

#include "edge/conn.h"
#include "edge/edge_process.h"

void handshake_done(struct conn *c)
{
    struct stream_tls_info info;
    enum stats_tls_version version;

    if (!stream_tls_info(&c->stream, &info))
        return;
    version = str_eq(info.protocol, STR("TLSv1.3")) ? STATS_TLS_1_3 : STATS_TLS_1_2;
    stats_add(&c->lane->stats.handshakes[version][info.resumed], 1);
}

void handshake_failed(struct conn *c)
{
    const char *why;
    enum tls_failure failure = tls_stream_failure(&c->stream, &why);
    char address[SOCK_TEXT_MAX];
    uint64_t times;

    if (failure == TLS_OK)
        failure = TLS_GONE; /* it has closed in the middle, and OpenSSL waits for more */
    stats_add(&c->lane->stats.handshake_failures[failure], 1);
    if (failure != TLS_CLIENT_CERT)
        return;
    times = log_seldom(&c->lane->stranger_said, loop_now(c->lane->loop));
    if (times > 0)
        log_event(&c->lane->edge->log, LOG_INFO, "a client's certificate is missing or not accepted", LOG_Z("why", why),
                  LOG_S("client", str_make(address, sock_host_text(&c->peer, address))), LOG_N("times", times));
}
