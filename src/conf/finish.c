/*
 * The rules between options. A rule of one option alone is its type and range in the table.
 */
#include <string.h>

#include "conf/builder.h"
#include "conf/conf.h"
#include "conf/mistake.h"

#define WORKER_MEMORY_MIN (4u << 20) /* no interpreter is smaller; "500" was meant to be 500m */
#define SEATS_MAX 1024               /* workers × threads: pool.h's POOL_SEATS_MAX, which lies above this layer */

static int check_certificates(const struct conf *c, char *error)
{
    if (c->certfile.n != c->keyfile.n)
        return mistake_say(error, "certfile and keyfile: expected pairs, found %zu certfile and %zu keyfile",
                           c->certfile.n, c->keyfile.n);
    if (c->tls_bind.n && !c->certfile.n)
        return mistake_say(error, "tls-bind: expected a certificate too; give --certfile and --keyfile");
    if (c->tls_client_ca != NULL && !c->tls_bind.n)
        return mistake_say(
            error, "tls-client-ca: clients have certificates with TLS only; listen for HTTPS with --tls-bind ADDR");
    if (c->certfile.n && !c->tls_bind.n)
        return mistake_say(
            error, "certfile: nothing would use it, --bind is plain HTTP; listen for HTTPS with --tls-bind ADDR");
    return 0;
}

static int check_listeners(const struct conf *c, char *error)
{
    const struct conf_list *lists[] = { &c->bind, &c->tls_bind };
    const char *all[2 * 64 + 1];
    size_t n = 0;

    if (c->bind.n + c->tls_bind.n == 0)
        return mistake_say(error, "bind: nothing to listen on; give --bind or --tls-bind");
    if (c->bind.n + c->tls_bind.n > ARRAY_LEN(all) - 1)
        return mistake_say(error, "bind: at most %zu addresses", ARRAY_LEN(all) - 1);
    for (size_t l = 0; l < ARRAY_LEN(lists); l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            all[n++] = lists[l]->items[i];
    if (c->metrics_bind)
        all[n++] = c->metrics_bind;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(all[i], all[k]) == 0 && !str_ends(str_of(all[i]), STR(":0")))
                return mistake_say(error, "bind: %s is given twice", all[i]);
    return 0;
}

static int check_workers(const struct conf *c, char *error)
{
    if (c->workers * c->threads > SEATS_MAX)
        return mistake_say(error, "workers and threads: expected at most %d threads in all, found %llu × %llu",
                           SEATS_MAX, (unsigned long long)c->workers, (unsigned long long)c->threads);
    if (c->max_worker_memory != 0 && c->max_worker_memory < WORKER_MEMORY_MIN)
        return mistake_say(error,
                           "max-worker-memory: expected a size from 4m on, such as 500m, found %llu bytes: no worker "
                           "is that small",
                           (unsigned long long)c->max_worker_memory);
    return 0;
}

int conf_finish(struct conf_builder *b, char error[CONF_ERROR_MAX])
{
    int rc;

    if ((rc = check_listeners(&b->conf, error)) < 0 || (rc = check_certificates(&b->conf, error)) < 0)
        return rc;
    rc = check_workers(&b->conf, error);
    return rc < 0 ? rc : conf_sites_check(&b->conf.sites, error);
}

int conf_resolve(struct conf_builder *b)
{
    char error[CONF_ERROR_MAX];
    int rc = conf_sites_check(&b->conf.sites, error);

    if (rc == 0)
        conf_sites_resolve(&b->conf);
    return rc;
}
