/* Security headers for files and own pages. */
#include "edge/filter/security.h"

#include "edge/exchange.h"
#include "edge/handler/handlers.h"

void security_filter(struct exchange *ex)
{
    const struct snapshot *s = ex->snapshot;

    if (ex->handler == &app_handler)
        return;
    for (uint32_t i = 0; i < s->n_headers; i++) {
        if (!exchange_has(ex, s->headers[i].name))
            exchange_add(ex, s->headers[i].name, s->headers[i].value);
    }
    if (ex->secure && s->conf->hsts != NULL)
        exchange_add(ex, STR("Strict-Transport-Security"), str_of(s->conf->hsts));
}
