/* The table of security headers, and the headers of routes. */
#include "edge/filter/security.h"

#include "edge/exchange.h"
#include "edge/handler/handlers.h"

static const char *nosniff(const struct conf *c)
{
    return c->nosniff ? "nosniff" : NULL;
}

static const char *referrer_policy(const struct conf *c)
{
    return c->referrer_policy != NULL ? c->referrer_policy : "same-origin";
}

static const char *frame_options(const struct conf *c)
{
    return c->x_frame_options != NULL ? c->x_frame_options : "SAMEORIGIN";
}

static const char *opener_policy(const struct conf *c)
{
    return c->cross_origin_opener_policy;
}

static const char *hsts(const struct conf *c)
{
    return c->hsts;
}

/* Without a row: Content-Security-Policy. What a page may load only its author knows; uploads have one of their own (handler/file_send.c). */
static const struct {
    struct str name;
    const char *(*value)(const struct conf *c); /* as Django's settings have it, else our own; NULL or empty: none */
    bool tls;                                   /* only to clients that came by TLS */
} table[SECURITY_HEADERS] = {
    { STR_INIT("X-Content-Type-Options"), nosniff, false },
    { STR_INIT("Referrer-Policy"), referrer_policy, false },
    { STR_INIT("X-Frame-Options"), frame_options, false },
    { STR_INIT("Cross-Origin-Opener-Policy"), opener_policy, false },
    { STR_INIT("Strict-Transport-Security"), hsts, true },
};

static void add_defaults(struct exchange *ex)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct str value = str_of(table[i].value(ex->snapshot->conf));

        if (value.n > 0 && (ex->secure || !table[i].tls) && !exchange_has(ex, table[i].name))
            exchange_add(ex, table[i].name, value);
    }
}

static void apply_route(struct exchange *ex)
{
    for (uint32_t i = 0; i < ex->route->n_headers; i++) {
        const struct header *h = &ex->route->headers[i];

        exchange_remove(ex, h->name);
        if (h->value.n > 0)
            exchange_add(ex, h->name, h->value);
    }
}

void security_filter(struct exchange *ex)
{
    if (ex->handler != &app_handler)
        add_defaults(ex);
    if (!ex->watch)
        apply_route(ex);
}
