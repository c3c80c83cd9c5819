/* Reading certificate pairs; every copy of a key is wiped when it has been handed on. */
#include "super/certs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/tls.h"
#include "super/secrets.h"
#include "wire/message.h"

static_assert(TLS_CLIENT_REQUIRED == TLS_BLOB_AUTH_MAX && (int)TLS_CLIENT_REQUIRED == (int)CONF_TLS_CLIENT_REQUIRED &&
                  (int)TLS_CLIENT_OPTIONAL == (int)CONF_TLS_CLIENT_OPTIONAL,
              "one way to say it");

static void set_free(struct tls_blob *set)
{
    for (size_t i = 0; i < set->n; i++) {
        secrets_wipe(set->pairs[i].cert_pem);
        secrets_wipe(set->pairs[i].key_pem);
    }
    secrets_wipe(set->client_ca.cert_pem);
    mem_free(set);
}

static int read_pairs(const struct conf *conf, struct tls_blob *set, struct why *error)
{
    must(conf->certfile.n <= TLS_BLOB_PAIRS_MAX && conf->certfile.n == conf->keyfile.n);
    for (size_t i = 0; i < conf->certfile.n; i++) {
        struct tls_blob_pair *pair = &set->pairs[set->n++];
        int r;

        pair->label = str_of(conf->certfile.items[i]);
        r = secrets_read(conf->certfile.items[i], &pair->cert_pem, error);
        if (r == 0)
            r = secrets_read(conf->keyfile.items[i], &pair->key_pem, error);
        if (r != 0)
            return r;
    }
    return 0;
}

static int read_client_ca(const struct conf *conf, struct tls_blob *set, struct why *error)
{
    if (conf->tls_client_ca == NULL || conf->tls_client_auth == CONF_TLS_CLIENT_NONE)
        return 0;
    set->client_auth = (uint32_t)conf->tls_client_auth;
    set->client_ca.label = str_of(conf->tls_client_ca);
    return secrets_read(conf->tls_client_ca, &set->client_ca.cert_pem, error);
}

/* A context as the edge will build it: a pair that the edge would refuse must be refused here, before a switch. */
static int try_pairs(const struct conf *conf, const struct tls_blob *set, struct tls_ctx **out, struct why *error)
{
    struct tls_pair *pairs = mem_calloc(set->n, sizeof(*pairs));
    struct tls_settings settings = { .pairs = pairs,
                                     .n = set->n,
                                     .tickets = tls_tickets_new(),
                                     .auth = (enum tls_client_auth)set->client_auth,
                                     .client_ca_pem = set->client_ca.cert_pem,
                                     .client_ca_label = set->client_ca.label };
    char why[TLS_ERROR_MAX];
    int r;

    for (size_t i = 0; i < set->n; i++)
        pairs[i] = (struct tls_pair){ .cert_pem = set->pairs[i].cert_pem,
                                      .key_pem = set->pairs[i].key_pem,
                                      .label = set->pairs[i].label,
                                      .key_label = str_of(conf->keyfile.items[i]) };
    r = tls_ctx_new(&settings, out, why);
    mem_free(pairs);
    tls_tickets_unref(settings.tickets);
    return r == 0 ? 0 : why_set(error, r, "%s", why);
}

static int load(const struct conf *conf, struct tls_blob **out, struct tls_ctx **ctx, struct why *error)
{
    struct tls_blob *set = NULL;
    int r;

    if (conf->certfile.n == 0)
        return -ENOENT;
    if (conf->certfile.n > TLS_BLOB_PAIRS_MAX)
        return why_set(error, -E2BIG, "more than %d certificates", TLS_BLOB_PAIRS_MAX);
    set = mem_zalloc(sizeof(*set));
    r = read_pairs(conf, set, error);
    if (r == 0)
        r = read_client_ca(conf, set, error);
    if (r == 0)
        r = try_pairs(conf, set, ctx, error);
    if (r != 0) {
        set_free(set);
        return r == -ENOENT ? -EACCES : r; /* -ENOENT is for "none configured" */
    }
    *out = set;
    return 0;
}

int certs_check(const struct conf *conf, struct tls_ctx **out, struct why *error)
{
    struct tls_blob *set = NULL;
    int r = load(conf, &set, out, error);

    if (r == 0) {
        must(set != NULL);
        set_free(set);
    }
    return r;
}

int certs_blob(const struct conf *conf, struct tls_ctx **ctx, struct why *error)
{
    struct tls_blob *set = NULL;
    struct buf blob;
    int r = load(conf, &set, ctx, error);

    if (r != 0)
        return r;
    must(set != NULL);
    buf_init(&blob, TLS_BLOB_MAX);
    /* Reserved whole, so that no piece of a key stays behind in memory given up by growing. */
    r = buf_reserve(&blob, TLS_BLOB_MAX);
    if (r == 0)
        r = tls_blob_write(&blob, set);
    set_free(set);
    if (r == 0)
        r = wire_blob_make("quintet-tls", buf_str(&blob));
    if (r < 0)
        r = why_set(error, r, "cannot hand the certificates on: %s", why_errno(r));
    if (blob.data != NULL)
        mem_wipe(blob.data, blob.len);
    buf_fini(&blob);
    return r;
}
