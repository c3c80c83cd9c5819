/* Taking the PROXY protocol's header off a connection. */
#include "edge/proxy_head.h"

#include <errno.h>
#include <string.h>

#include "edge/edge_process.h"
#include "edge/listen.h"
#include "http/proxy_protocol.h"

#define HEAD_NS (60 * NS_PER_SEC)
#define DRAIN_NS NS_PER_SEC

_Static_assert(LANE_SCRATCH >= PROXY_HEADER_MAX, "a header is looked at in the scratch buffer");

bool proxy_head_may_come(const struct conn *c)
{
    return !c->watch && snapshot_trusts(c->lane->snapshot, &c->peer);
}

static void set_peer(struct conn *c, const struct proxy_header *h)
{
    memset(&c->peer, 0, sizeof(c->peer));
    if (h->family == PROXY_V4) {
        c->peer.in.sin_family = AF_INET;
        c->peer.in.sin_port = htons(h->source_port);
        memcpy(&c->peer.in.sin_addr, h->source, sizeof(c->peer.in.sin_addr));
        return;
    }
    c->peer.in6.sin6_family = AF_INET6;
    c->peer.in6.sin6_port = htons(h->source_port);
    memcpy(&c->peer.in6.sin6_addr, h->source, sizeof(c->peer.in6.sin6_addr));
}

/* The client's address has its own limit of connections. The proxy's had none: nothing has been counted by address yet. */
static void take_peer(struct conn *c, const struct proxy_header *h)
{
    if (h->family == PROXY_OWN)
        return;
    set_peer(c, h);
    c->proxied_tls = h->tls;
    c->by_address = !snapshot_trusts(c->lane->snapshot, &c->peer);
    if (admit_address(&c->lane->edge->admit, &c->peer, &c->by_address))
        return;
    listen_say_crowded(c->lane, &c->peer);
    conn_close(c);
}

static void refuse(struct conn *c)
{
    uint64_t times = log_seldom(&c->lane->proxy_said, loop_now(c->lane->loop));
    char text[SOCK_TEXT_MAX];

    if (times > 0)
        log_event(&c->lane->edge->log, LOG_WARNING, "malformed PROXY protocol from a trusted proxy",
                  LOG_S("proxy", str_make(text, sock_host_text(&c->peer, text))), LOG_N("times", times));
    conn_close(c);
}

static bool wait_for_more(struct conn *c)
{
    c->readable = false;
    if (c->peer_gone)
        conn_close(c);
    return false;
}

static bool proxy_head_step(struct conn *c)
{
    struct proxy_header header;
    ssize_t n;

    if (!c->readable)
        return false;
    n = sock_peek(c->stream.fd, c->lane->scratch, PROXY_HEADER_MAX);
    if (n == -EAGAIN)
        return wait_for_more(c);
    if (n <= 0) {
        conn_close(c);
        return false;
    }
    switch (proxy_parse(str_make(c->lane->scratch, (size_t)n), &header)) {
    case PROXY_MORE:
        return wait_for_more(c);
    case PROXY_BAD:
        refuse(c);
        return false;
    case PROXY_HEADER:
        if (sock_skip(c->stream.fd, c->lane->scratch, header.length) == (ssize_t)header.length)
            take_peer(c, &header);
        else
            conn_close(c); /* reset since we looked */
        break;
    case PROXY_ABSENT:
        break;
    }
    conn_begin(c);
    return !c->closed;
}

static uint64_t proxy_head_timeout(const struct conn *c)
{
    return c->lane->draining ? DRAIN_NS : HEAD_NS;
}

const struct conn_state proxy_head = { .name = "proxy head",
                                       .step = proxy_head_step,
                                       .timed_out = conn_close,
                                       .timeout = proxy_head_timeout,
                                       .rank = EVICT_BEGINNING };
