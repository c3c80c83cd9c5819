/* Ticket keys and certificates, looked after. */
#include "super/tls_care.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
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
    care->kept.fd = -1;
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

static void forget_kept(struct tls_care *care)
{
    if (care->kept.fd >= 0)
        close(care->kept.fd);
    care->kept.fd = -1;
}

void tls_care_fini(struct super *super)
{
    tickets_wipe(&super->tls.tickets);
    forget_certs(&super->tls);
    forget_kept(&super->tls);
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

static uint64_t hash_list(uint64_t so_far, const struct conf_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        so_far = hash_str(&(struct hash_seed){ so_far, i }, str_of(list->items[i]));
    return so_far;
}

/* Other files, or other demands on clients, are not what was kept. */
static uint64_t what_of(const struct conf *conf)
{
    uint64_t what = hash_list(hash_list(1, &conf->certfile), &conf->keyfile);

    if (conf->tls_client_ca != NULL)
        what = hash_str(&(struct hash_seed){ what, (uint64_t)conf->tls_client_auth }, str_of(conf->tls_client_ca));
    return what;
}

void tls_care_keep(struct tls_care *care, const struct conf *conf, int fd)
{
    forget_kept(care);
    if (fd < 0)
        return;
    care->kept = (struct tls_care_kept){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3), .what = what_of(conf) };
}

int tls_care_kept(const struct tls_care *care, const struct conf *conf)
{
    int fd;

    if (care->kept.fd < 0 || care->kept.what != what_of(conf))
        return -ENOENT;
    fd = fcntl(care->kept.fd, F_DUPFD_CLOEXEC, 3);
    return fd >= 0 ? fd : -errno;
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
