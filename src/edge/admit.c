/* Counts connections. */
#include "edge/admit.h"

#include <string.h>

#include "base/clock.h"

#define MEMORY_EACH                                                                                                    \
    (64u << 10) /* what a connection costs at its dearest while it waits: TLS, a head, the kernel's part */
#define TIGHT_NS NS_PER_SEC

void admit_init(struct admit *a)
{
    atomic_init(&a->open, 0);
    atomic_init(&a->max, UINT32_MAX);
    atomic_init(&a->per_address, 0);
    atomic_init(&a->tight_ns, 0);
    pthread_mutex_init(&a->lock, NULL);
    map_init(&a->addresses);
}

void admit_fini(struct admit *a)
{
    map_fini(&a->addresses);
    pthread_mutex_destroy(&a->lock);
}

void admit_limit(struct admit *a, uint32_t max, uint32_t per_address)
{
    atomic_store_explicit(&a->max, max, memory_order_relaxed);
    atomic_store_explicit(&a->per_address, per_address, memory_order_relaxed);
}

uint32_t admit_rule(uint64_t descriptors, uint64_t memory)
{
    uint64_t n = memory / MEMORY_EACH < descriptors ? memory / MEMORY_EACH : descriptors;

    return n < 16 ? 16 : n > 1000000 ? 1000000 : (uint32_t)n;
}

bool admit_full(const struct admit *a)
{
    return atomic_load_explicit(&a->open, memory_order_relaxed) >= atomic_load_explicit(&a->max, memory_order_relaxed);
}

/* IPv4 as ::ffff:a.b.c.d, the first half of an IPv6 address otherwise. */
static void network_of(const union sock_addr *peer, uint8_t out[16])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    memset(out, 0, 16);
    if (peer->sa.sa_family == AF_INET) {
        memcpy(out, mapped, sizeof(mapped));
        memcpy(out + 12, &peer->in.sin_addr, 4);
        return;
    }
    memcpy(out, &peer->in6.sin6_addr, memcmp(&peer->in6.sin6_addr, mapped, sizeof(mapped)) == 0 ? 16 : 8);
}

/* Adds `by` (1 or -1) to an address's count unless that passes `max`. */
static bool count(struct admit *a, const union sock_addr *peer, int by, uint32_t max)
{
    uint8_t network[16];
    struct str key = { (const char *)network, sizeof(network) };
    uintptr_t n;
    bool fits;

    network_of(peer, network);
    pthread_mutex_lock(&a->lock);
    n = (uintptr_t)map_get(&a->addresses, key) + (uintptr_t)(intptr_t)by;
    fits = n <= max;
    if (n == 0)
        (void)map_remove(&a->addresses, key);
    else if (fits)
        (void)map_put(&a->addresses, key, (void *)n); /* NOLINT(performance-no-int-to-ptr): a number, never followed */
    pthread_mutex_unlock(&a->lock);
    return fits;
}

bool admit_address(struct admit *a, const union sock_addr *peer, bool *by_address)
{
    uint32_t max = atomic_load_explicit(&a->per_address, memory_order_relaxed);

    if (max == 0 || (peer->sa.sa_family != AF_INET && peer->sa.sa_family != AF_INET6))
        *by_address = false;
    if (!*by_address || count(a, peer, 1, max))
        return true;
    *by_address = false;
    return false;
}

bool admit_enter(struct admit *a, const union sock_addr *peer, bool *by_address)
{
    if (!admit_address(a, peer, by_address))
        return false;
    atomic_fetch_add_explicit(&a->open, 1, memory_order_relaxed);
    return true;
}

void admit_leave(struct admit *a, const union sock_addr *peer, bool by_address)
{
    atomic_fetch_sub_explicit(&a->open, 1, memory_order_relaxed);
    if (by_address)
        (void)count(a, peer, -1, UINT32_MAX);
}

void admit_set_tight(struct admit *a, uint64_t now_ns)
{
    atomic_store_explicit(&a->tight_ns, now_ns + TIGHT_NS, memory_order_relaxed);
}

bool admit_is_tight(const struct admit *a, uint64_t now_ns)
{
    return now_ns < atomic_load_explicit(&a->tight_ns, memory_order_relaxed);
}
