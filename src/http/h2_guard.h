/*
 * What a client may do only so often on an HTTP/2 connection, as it costs us more than it costs the client (RFC 9113 10.5).
 *
 * Each kind of frame has a budget: a burst, and so many a second. Ordinary clients stay far below; who spends more than there is has its connection
 * ended with ENHANCE_YOUR_CALM. The row says what the budget is for. No allocation, no clock: `now` is given. One thread.
 */
#ifndef QUINTET_HTTP_H2_GUARD_H
#define QUINTET_HTTP_H2_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* id, name in the log and the metrics, burst, per second */
#define H2_GUARD_LIST(X)                                                                                               \
    X(RESET, "reset", 400, 50)        /* requests that the client cancelled: rapid reset, CVE-2023-44487 */            \
    X(ERROR, "error", 100, 10)        /* streams that we had to reset for the client's errors: CVE-2025-8671 */        \
    X(REFUSED, "refused", 400, 50)    /* streams past the limit, which a client knows */                               \
    X(PING, "ping", 200, 20)          /* each is answered */                                                           \
    X(SETTINGS, "settings", 50, 2)    /* each is answered; GOAWAY, too, is said once or twice */                       \
    X(EMPTY, "empty", 100, 10)        /* DATA without data and without an end */                                       \
    X(SMALL, "small", 500, 500)       /* DATA of a few bytes: each is dealt with on its own */                         \
    X(PRIORITY, "priority", 400, 100) /* PRIORITY and PRIORITY_UPDATE */                                               \
    X(WINDOW, "window", 2000, 200)    /* WINDOW_UPDATE; what is sent earns more */                                     \
    X(UNKNOWN, "unknown", 400, 100)   /* frames of types that we do not know */                                        \
    X(HEADERS, "headers", 20, 2) /* header blocks larger than we take; one many times that, or in too many frames */

enum h2_guard {
#define X(id, name, burst, rate) H2_GUARD_##id,
    H2_GUARD_LIST(X)
#undef X
        H2_GUARDS
};

struct h2_guards {
    uint64_t spent_until[H2_GUARDS]; /* the budget is whole again at that time */
};

/* One more. False: the budget is used up. */
bool h2_guard_spend(struct h2_guards *guards, enum h2_guard guard, uint64_t now);
void h2_guard_earn(struct h2_guards *guards, enum h2_guard guard, uint64_t n);
const char *h2_guard_name(enum h2_guard guard);

#endif
