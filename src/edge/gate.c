/* The gates, in order. */
#include "edge/gate.h"

#include "edge/gate/gates.h"
#include "edge/handler/handlers.h"

static const struct gate gates[] = {
    { "proxies", gate_proxies },
    { "host", gate_host },
    { "https", gate_https },
    { "network", gate_network },
    { "rate", gate_rate },
    { "credentials", gate_credentials },
    { .name = NULL }, /* the end */
};

const struct handler *gates_ask(struct exchange *ex)
{
    for (const struct gate *gate = gates; gate->name != NULL; gate++) {
        const struct handler *other = gate->ask(ex);

        if (other != NULL)
            return other;
    }
    return NULL;
}

const struct handler *gate_refuse(struct exchange *ex, unsigned status, struct str detail)
{
    ex->refusal.status = (uint16_t)status;
    ex->refusal.detail = detail;
    return &refusal_handler;
}

void gate_field(struct exchange *ex, struct str name, struct str value)
{
    must(ex->refusal.n_fields < REFUSAL_FIELDS_MAX);
    ex->refusal.fields[ex->refusal.n_fields++] = (struct header){ name, value };
}
