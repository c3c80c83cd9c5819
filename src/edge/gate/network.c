/* Who may come in at all, by address: `deny` is asked first, and where there is an `allow`, all others are kept out. */
#include "edge/bounds.h"
#include "edge/edge_process.h"
#include "edge/gate.h"
#include "edge/gate/gates.h"

/* A client without an address (a unix socket without a proxy's word) is in no network. */
static bool may_enter(const struct exchange *ex, const struct route_bounds *bounds)
{
    uint8_t address[ADDRESS_LEN];

    if (!address_of_text(ex->remote_addr, address))
        return !bounds->allow_only;
    if (networks_have(&bounds->deny, address))
        return false;
    return !bounds->allow_only || networks_have(&bounds->allow, address);
}

const struct handler *gate_network(struct exchange *ex)
{
    const struct route_bounds *bounds = bounds_of(ex);

    if ((bounds->deny.n == 0 && !bounds->allow_only) || may_enter(ex, bounds))
        return NULL;
    stats_add(&ex->lane->stats.outside, 1);
    return gate_refuse(ex, 403, STR("this address may not come here"));
}
