/* Networks become ranges; ranges are sorted and merged, so that one search finds the only range that can hold an address. */
#include "edge/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/presets.h"

#define V4_BITS 96

static const uint8_t v4_prefix[V4_BITS / 8] = { [10] = 0xff, [11] = 0xff };

/* ---- addresses ---- */

bool address_is_v4(const uint8_t address[ADDRESS_LEN])
{
    return memcmp(address, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool address_of_text(struct str text, uint8_t out[ADDRESS_LEN])
{
    char z[INET6_ADDRSTRLEN + 1];

    if (text.n == 0 || text.n >= sizeof(z))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    if (inet_pton(AF_INET6, z, out) == 1)
        return true;
    memcpy(out, v4_prefix, sizeof(v4_prefix));
    return inet_pton(AF_INET, z, out + sizeof(v4_prefix)) == 1;
}

bool address_of_peer(const union sock_addr *peer, uint8_t out[ADDRESS_LEN])
{
    if (peer->sa.sa_family == AF_INET6) {
        memcpy(out, &peer->in6.sin6_addr, ADDRESS_LEN);
        return true;
    }
    memcpy(out, v4_prefix, sizeof(v4_prefix));
    if (peer->sa.sa_family == AF_INET)
        memcpy(out + sizeof(v4_prefix), &peer->in.sin_addr, 4);
    return peer->sa.sa_family == AF_INET;
}

/* ---- ranges ---- */

static void add_range(struct networks *set, const struct network_range *range)
{
    if (set->n == set->room) {
        set->room = set->room == 0 ? 8 : 2 * set->room;
        set->ranges = mem_realloc(set->ranges, set->room * sizeof(*set->ranges));
    }
    set->ranges[set->n++] = *range;
}

/* The range that shares its first `bits` with the address. */
static struct network_range range_of(const uint8_t address[ADDRESS_LEN], unsigned bits)
{
    struct network_range range;

    for (unsigned i = 0; i < ADDRESS_LEN; i++) {
        unsigned fixed = bits <= 8 * i ? 0 : bits - 8 * i > 8 ? 8 : bits - 8 * i;
        uint8_t mask = (uint8_t)(0xff00u >> fixed);

        range.first[i] = address[i] & mask;
        range.last[i] = (uint8_t)(address[i] | (uint8_t)~mask);
    }
    return range;
}

static bool range_has(const struct network_range *range, const uint8_t address[ADDRESS_LEN])
{
    return memcmp(address, range->first, ADDRESS_LEN) >= 0 && memcmp(address, range->last, ADDRESS_LEN) <= 0;
}

/* The address behind; false: there is none. */
static bool next(uint8_t address[ADDRESS_LEN])
{
    for (unsigned i = ADDRESS_LEN; i-- > 0;) {
        if (++address[i] != 0)
            return true;
    }
    return false;
}

/* An IPv6 network around ::ffff:0:0/96 was not meant to hold all of IPv4: what lies before and behind it. */
static void add_around_v4(struct networks *set, const struct network_range *range)
{
    uint8_t zeros[ADDRESS_LEN] = { 0 };
    struct network_range v4, before = *range, behind = *range;

    memcpy(zeros, v4_prefix, sizeof(v4_prefix));
    v4 = range_of(zeros, V4_BITS);
    memset(before.last, 0, ADDRESS_LEN);
    memset(before.last + 10, 0xff, ADDRESS_LEN - 10);
    before.last[11] = 0xfe;
    memcpy(behind.first, v4.last, ADDRESS_LEN);
    add_range(set, &before);
    if (next(behind.first) && memcmp(behind.first, behind.last, ADDRESS_LEN) <= 0)
        add_range(set, &behind);
}

static int add_preset(struct networks *set, enum conf_preset preset)
{
    int error = 0;

    for (const char *const *text = conf_preset_networks(preset); *text != NULL && error == 0; text++)
        error = networks_add(set, str_of(*text));
    return error;
}

int networks_add(struct networks *set, struct str text)
{
    enum conf_preset preset = conf_preset_find(text);
    struct str rest = text, host = str_trim(str_split(&rest, '/'));
    uint8_t address[ADDRESS_LEN] = { 0 };
    struct network_range range;
    uint64_t bits;
    bool v4;

    if (str_eq(text, STR("*"))) {
        range = range_of(address, 0);
        add_range(set, &range);
        return 0;
    }
    if (preset != CONF_PRESET_NONE)
        return add_preset(set, preset);
    if (!address_of_text(host, address))
        return -EINVAL;
    v4 = str_find(host, ':') < 0;
    bits = v4 ? 32 : 128;
    if (rest.p != NULL && str_to_u64(rest, bits, &bits) != 0)
        return -EINVAL;
    range = range_of(address, (unsigned)(v4 ? bits + V4_BITS : bits));
    memset(address, 0, sizeof(address));
    memcpy(address, v4_prefix, sizeof(v4_prefix));
    if (!v4 && bits < V4_BITS && range_has(&range, address))
        add_around_v4(set, &range);
    else
        add_range(set, &range);
    return 0;
}

static int by_first(const void *a, const void *b)
{
    return memcmp(a, b, ADDRESS_LEN);
}

static bool touches(const struct network_range *before, const struct network_range *range)
{
    uint8_t behind[ADDRESS_LEN];

    memcpy(behind, before->last, ADDRESS_LEN);
    return !next(behind) || memcmp(range->first, behind, ADDRESS_LEN) <= 0;
}

void networks_seal(struct networks *set)
{
    size_t n = 0;

    if (set->n > 1)
        qsort(set->ranges, set->n, sizeof(*set->ranges), by_first);
    for (size_t i = 0; i < set->n; i++) {
        struct network_range *last = &set->ranges[n > 0 ? n - 1 : 0], *range = &set->ranges[i];

        if (n == 0 || !touches(last, range))
            set->ranges[n++] = *range;
        else if (memcmp(range->last, last->last, ADDRESS_LEN) > 0)
            memcpy(last->last, range->last, ADDRESS_LEN);
    }
    set->n = n;
}

int networks_read(struct networks *set, char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (networks_add(set, str_of(texts[i])) != 0)
            return -EINVAL;
    }
    networks_seal(set);
    return 0;
}

void networks_fini(struct networks *set)
{
    mem_free(set->ranges);
    *set = (struct networks){ 0 };
}

bool networks_have(const struct networks *set, const uint8_t address[ADDRESS_LEN])
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct network_range *range = &set->ranges[middle];

        if (memcmp(address, range->first, ADDRESS_LEN) < 0)
            high = middle;
        else if (memcmp(address, range->last, ADDRESS_LEN) > 0)
            low = middle + 1;
        else
            return true;
    }
    return false;
}
