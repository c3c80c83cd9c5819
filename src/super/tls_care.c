/* Ticket keys and certificates, looked after. */
#include "super/tls_care.h"

#include "base/clock.h"
#include "base/mem.h"
#include "super/roles.h"
#include "super/super.h"

#define LOOK_NS (600 * NS_PER_SEC)
#define DAY_S 86400

static void on_timer(struct loop_timer *timer)
{
    struct tls_care *care = CONTAINER_OF(timer, struct tls_care, timer);
    struct super *super = care->super;

    loop_timer_set(super->loop, timer, LOOK_NS);
    if (tickets_turn(&care->tickets, clock_mono_ns()))
        role_edge_tickets(super);
    tls_care_warn(care, super->log, (int64_t)(clock_wall_ns() / NS_PER_SEC));
}

void tls_care_init(struct super *super)
{
    struct tls_care *care = &super->tls;

    care->super = super;
    tickets_init(&care->tickets, clock_mono_ns());
    loop_timer_init(&care->timer, on_timer);
    loop_timer_set(super->loop, &care->timer, LOOK_NS);
}

static void forget_certs(struct tls_care *care)
{
    for (size_t i = 0; i < care->n_certs; i++) {
        mem_free(care->certs[i].file);
        mem_free(care->certs[i].name);
        mem_free(care->certs[i].key);
    }
    mem_free(care->certs);
    care->certs = NULL;
    care->n_certs = 0;
}

void tls_care_fini(struct super *super)
{
    tickets_wipe(&super->tls.tickets);
    forget_certs(&super->tls);
}

void tls_care_certs(struct tls_care *care, const struct tls_ctx *ctx)
{
    forget_certs(care);
    care->n_certs = tls_ctx_certs(ctx);
    care->certs = mem_calloc(care->n_certs, sizeof(*care->certs));
    for (size_t i = 0; i < care->n_certs; i++) {
        const struct tls_cert_info *info = tls_ctx_cert(ctx, i);

        care->certs[i] = (struct tls_care_cert){ .file = mem_strdup(info->label),
                                                 .name = mem_strdup(info->name),
                                                 .key = mem_strdup(info->key),
                                                 .expires = info->expires,
                                                 .warn_from = tls_cert_warn_from(info) };
    }
    care->said = 0;
}

static void warn(const struct tls_care_cert *cert, struct log *log, int64_t now)
{
    if (cert->expires <= now)
        log_event(log, LOG_ERROR, "a certificate has expired: clients refuse it", LOG_Z("certificate", cert->file),
                  LOG_Z("name", cert->name));
    else
        log_event(log, LOG_WARNING, "a certificate expires soon", LOG_Z("certificate", cert->file),
                  LOG_Z("name", cert->name), LOG_N("days", (cert->expires - now) / DAY_S));
}

void tls_care_warn(struct tls_care *care, struct log *log, int64_t now)
{
    if (care->said != 0 && now - care->said < DAY_S)
        return;
    care->said = now;
    for (size_t i = 0; i < care->n_certs; i++)
        if (now >= care->certs[i].warn_from)
            warn(&care->certs[i], log, now);
}
