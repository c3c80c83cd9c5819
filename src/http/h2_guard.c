/* Budgets of an HTTP/2 connection: a generic cell rate algorithm each, so that a budget is one number. */
#include "http/h2_guard.h"

#include "base/clock.h"
#include "base/must.h"

static const struct {
    const char *name;
    uint64_t cost_ns, burst_ns;
} table[H2_GUARDS] = {
#define X(id, name, burst, rate) [H2_GUARD_##id] = { name, NS_PER_SEC / (rate), (burst) * (NS_PER_SEC / (rate)) },
    H2_GUARD_LIST(X)
#undef X
};

bool h2_guard_spend(struct h2_guards *guards, enum h2_guard guard, uint64_t now)
{
    uint64_t *until = &guards->spent_until[guard];

    if (*until < now)
        *until = now;
    *until += table[guard].cost_ns;
    return *until - now <= table[guard].burst_ns;
}

void h2_guard_earn(struct h2_guards *guards, enum h2_guard guard, uint64_t n)
{
    uint64_t *until = &guards->spent_until[guard], ns = n * table[guard].cost_ns;

    *until -= ns < *until ? ns : *until;
}

const char *h2_guard_name(enum h2_guard guard)
{
    must((unsigned)guard < H2_GUARDS);
    return table[guard].name;
}
