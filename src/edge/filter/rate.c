/* Which limits there are, and how far this client is from them. */
#include "edge/filter/rate.h"

#include "edge/bounds.h"
#include "edge/exchange.h"

void rate_filter(struct exchange *ex)
{
    if (ex->rate_state.p == NULL || exchange_has(ex, STR("RateLimit")) || exchange_has(ex, STR("RateLimit-Policy")))
        return;
    exchange_add(ex, STR("RateLimit-Policy"), bounds_of(ex)->policy);
    exchange_add(ex, STR("RateLimit"), ex->rate_state);
}
