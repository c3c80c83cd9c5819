/*
 * A set of addresses: networks in CIDR form, asked by binary search.
 *
 * IPv4 addresses are kept as ::ffff:a.b.c.d, so one comparison serves both families; but an IPv6 network, even ::/0, holds no IPv4 address ("*" holds
 * all). Filled by one thread, sealed once, then constant: any thread.
 */
#ifndef QUINTET_EDGE_NETWORKS_H
#define QUINTET_EDGE_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"
#include "os/sock.h"

#define ADDRESS_LEN 16

/* Both ends are inside. */
struct network_range {
    uint8_t first[ADDRESS_LEN], last[ADDRESS_LEN];
};

struct networks {
    struct network_range *ranges; /* owned; sorted and disjoint once sealed */
    size_t n, room;
};

/* Zeroed: empty. Adds "192.0.2.0/24", "fd00::1", "*", or all of a preset (conf/presets.h). 0 or -EINVAL. */
MUST_CHECK int networks_add(struct networks *set, struct str text);
void networks_seal(struct networks *set); /* nothing is added afterwards */
/* All of these, sealed. 0 or -EINVAL. */
MUST_CHECK int networks_read(struct networks *set, char *const *texts, size_t n);
void networks_fini(struct networks *set);
bool networks_have(const struct networks *set, const uint8_t address[ADDRESS_LEN]);

/* False: no address of either family. */
bool address_of_text(struct str text, uint8_t out[ADDRESS_LEN]);
bool address_of_peer(const union sock_addr *peer, uint8_t out[ADDRESS_LEN]);
bool address_is_v4(const uint8_t address[ADDRESS_LEN]);

#endif
