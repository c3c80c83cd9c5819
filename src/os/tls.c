/*
 * TLS contexts: see tls.h. What every connection is held to, and the ClientHello: which certificates, which protocol.
 *
 * The names of all certificates are sorted into sites: those with the same certificates (one of each kind of key) share a site, which is one SSL_CTX,
 * all with the same settings. Every SSL begins with the first site and is moved to the one its server name asks for. That happens in the ClientHello callback,
 * not in the older server name callback: only there is it early enough to bind the session to name and site, so that a ticket got for one
 * cannot be resumed on another (RFC 6066 section 3, RFC 8446 section 4.6.1).
 */
#include "os/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/tls_impl.h"

/* A ticket is good for less than its key is kept. With client certificates less: what is resumed is not asked for again. */
#define SESSION_SECONDS (12 * 3600)
#define SESSION_SECONDS_CLIENT 3600
#define TICKETS 1 /* of a TLS 1.3 handshake: as many as connections, and each resumption brings the next */
#define WARNING_DAYS 14

/* TLS 1.2: forward secrecy and AEAD only (RFC 9325 section 4.2). 1.3 has nothing else. */
static const char cipher_list[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char group_list[] = "X25519:P-256:P-384";
/* OpenSSL 3.5 and later: against those who record now and compute later (draft-ietf-tls-ecdhe-mlkem). */
static const char hybrid_group_list[] = "X25519MLKEM768:X25519:P-256:P-384";
/* SHA-1 and 224-bit digests are in no list of ours (RFC 9155). */
static const char signature_list[] =
    "ed25519:ed448:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:rsa_pss_pss_sha256:rsa_pss_rsae_sha256:"
    "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
/* In our order of preference, each behind its length (RFC 7301). */
static const unsigned char alpn_list[] = "\x02h2\x08http/1.1";

void tls_random(unsigned char *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);

        must(got > 0 || errno == EINTR);
        if (got > 0) {
            out += got;
            n -= (size_t)got;
        }
    }
}

/* ---- the ClientHello ---- */

/* RFC 9525 section 6.3: a wildcard stands for the whole first label. NULL: refused. */
static struct tls_site *find_site(const struct tls_ctx *ctx, struct str name)
{
    char wild[TLS_NAME_MAX + 1];
    ptrdiff_t dot = str_find(name, '.');
    struct tls_site *found = map_get(&ctx->names, name);
    struct str tail;

    if (found == NULL && dot >= 0) {
        tail = str_cut(name, (size_t)dot, name.n);
        wild[0] = '*';
        memcpy(wild + 1, tail.p, tail.n);
        found = map_get(&ctx->names, str_make(wild, tail.n + 1));
    }
    if (found == NULL && (name.n == 0 || !ctx->strict))
        found = ctx->fallback;
    return found;
}

/* The first host_name of the extension: list length, type 0, length, name (RFC 6066 section 3). What is malformed counts
 * as no name here; OpenSSL's own parser refuses it a moment later. */
static struct str hello_name(SSL *ssl)
{
    const unsigned char *p;
    size_t n, len;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) != 1 || n < 5 ||
        p[2] != TLSEXT_NAMETYPE_host_name)
        return str_make(NULL, 0);
    len = (size_t)p[3] << 8 | p[4];
    if (len > n - 5 || len > TLS_NAME_MAX)
        return str_make(NULL, 0);
    return str_make((const char *)p + 5, len);
}

/* The session's context id is site and name: OpenSSL resumes only where it is the same. */
static bool bind_session(SSL *ssl, const struct tls_site *site, struct str name)
{
    unsigned char bytes[sizeof(site->id) + TLS_NAME_MAX], id[SHA256_DIGEST_LENGTH];

    memcpy(bytes, site->id, sizeof(site->id));
    if (name.n > 0)
        memcpy(bytes + sizeof(site->id), name.p, name.n);
    if (SHA256(bytes, sizeof(site->id) + name.n, id) == NULL)
        return false;
    return SSL_set_session_id_context(ssl, id, sizeof(id)) == 1;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls_session *session = SSL_get_app_data(ssl);
    const struct tls_ctx *ctx = arg;
    struct str name = hello_name(ssl);
    const struct tls_site *site;

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--; /* "example.org." is the same host */
    for (size_t i = 0; i < name.n; i++)
        session->name[i] = ascii_lower(name.p[i]);
    session->name_len = name.n;
    name = str_make(session->name, name.n);
    site = find_site(ctx, name);
    if (site == NULL) {
        session->failure = TLS_NAME;
        session->why = "no certificate for the name asked for";
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if ((site->ssl != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, site->ssl) == NULL) ||
        !bind_session(ssl, site, name)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned in_len, void *arg)
{
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, alpn_list, sizeof(alpn_list) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 section 3.2: no_application_protocol */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- settings ---- */

/* Asked of the kernel once: where it has no TLS, OpenSSL would try in vain on every connection. */
static bool kernel_has_tls(void)
{
    static _Atomic int known; /* 0: not asked yet, 1: no, 2: yes */
    int fd;

    if (known == 0) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        /* ENOTCONN: it would, on a connection; ENOENT: it knows no "tls" */
        known = fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3) < 0 && errno == ENOTCONN ? 2 : 1;
        if (fd >= 0)
            close(fd);
    }
    return known == 2;
}

static bool set_groups(SSL_CTX *ssl)
{
    bool ok = SSL_CTX_set1_groups_list(ssl, hybrid_group_list) == 1 || SSL_CTX_set1_groups_list(ssl, group_list) == 1;

    if (ok)
        ERR_clear_error();
    return ok;
}

static bool configure(SSL_CTX *ssl, struct tls_ctx *ctx)
{
    SSL_CTX_set_security_level(ssl, 2);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
#ifdef SSL_OP_ENABLE_KTLS
    if (ctx->direct)
        SSL_CTX_set_options(ssl, SSL_OP_ENABLE_KTLS);
#endif
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets need none */
    SSL_CTX_set_num_tickets(ssl, TICKETS);
    SSL_CTX_set_timeout(ssl, ctx->trust != NULL ? SESSION_SECONDS_CLIENT : SESSION_SECONDS);
    SSL_CTX_set_max_early_data(ssl, 0); /* 0-RTT can be replayed (RFC 8446 section 8) */
    SSL_CTX_set_read_ahead(ssl, 1);     /* a record's header and body in one read(2) */
    SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
    SSL_CTX_set_client_hello_cb(ssl, on_client_hello, ctx);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ssl, cipher_list) == 1 &&
           SSL_CTX_set1_sigalgs_list(ssl, signature_list) == 1 && set_groups(ssl) &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, tls_tickets_callback) == 1 &&
           (ctx->trust == NULL || tls_client_ask(ssl, ctx->trust, ctx->auth));
}

/* ---- sites ---- */

static bool hash_site(const struct tls_ctx *ctx, struct tls_site *site)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; i < TLS_KEY_KINDS && ok; i++) {
        unsigned char print[SHA256_DIGEST_LENGTH] = { 0 };

        if (site->certs[i] != NULL)
            ok = X509_digest(site->certs[i]->leaf, EVP_sha256(), print, NULL) == 1;
        ok = ok && EVP_DigestUpdate(md, print, sizeof(print)) == 1;
    }
    if (ok && ctx->trust != NULL)
        ok = EVP_DigestUpdate(md, &ctx->auth, sizeof(ctx->auth)) == 1 &&
             EVP_DigestUpdate(md, tls_client_trust_id(ctx->trust), SHA256_DIGEST_LENGTH) == 1;
    ok = ok && EVP_DigestFinal_ex(md, site->id, NULL) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

static int load_certs(SSL_CTX *ssl, const struct tls_site *site, char error[TLS_ERROR_MAX])
{
    for (size_t i = 0; i < TLS_KEY_KINDS; i++) {
        const struct tls_cert *cert = site->certs[i];

        if (cert != NULL && SSL_CTX_use_cert_and_key(ssl, cert->leaf, cert->key, cert->chain, 0) != 1)
            return tls_cert_explain(str_of(cert->info.label), "OpenSSL refuses the certificate", error);
    }
    return 0;
}

static int add_site(struct tls_ctx *ctx, const struct tls_cert *const *certs, char error[TLS_ERROR_MAX])
{
    struct tls_site *site = mem_zalloc(sizeof(*site));

    ctx->sites = mem_realloc(ctx->sites, (ctx->n_sites + 1) * sizeof(struct tls_site *));
    ctx->sites[ctx->n_sites++] = site;
    memcpy(site->certs, certs, sizeof(site->certs));
    site->ssl = SSL_CTX_new(TLS_server_method());
    must(site->ssl != NULL);
    if (!configure(site->ssl, ctx) || !hash_site(ctx, site))
        return tls_cert_explain(str_of(ctx->certs[0].info.label), "OpenSSL refuses our settings", error);
    return load_certs(site->ssl, site, error);
}

/* One name's certificates, while the sites are being made. */
struct choice {
    const struct tls_cert *certs[TLS_KEY_KINDS];
};

struct sorting {
    struct tls_ctx *ctx;
    struct map choices;          /* name → struct choice, owned */
    const struct tls_cert *cert; /* whose names are being sorted in */
    struct choice *first;        /* borrowed: of the first name of all */
    char *error;
    int result;
};

/* The first certificate of its kind that has a name keeps it. */
static void sort_name(void *arg, struct str name)
{
    struct sorting *sorting = arg;
    struct choice *choice = map_get(&sorting->choices, name);

    if (choice == NULL) {
        choice = mem_zalloc(sizeof(*choice));
        map_put(&sorting->choices, name, choice);
    }
    if (choice->certs[sorting->cert->kind] == NULL)
        choice->certs[sorting->cert->kind] = sorting->cert;
    if (sorting->first == NULL)
        sorting->first = choice;
}

static struct tls_site *find_same(const struct tls_ctx *ctx, const struct choice *choice)
{
    for (size_t i = 0; i < ctx->n_sites; i++)
        if (memcmp(ctx->sites[i]->certs, choice->certs, sizeof(choice->certs)) == 0)
            return ctx->sites[i];
    return NULL;
}

/* A site for these certificates, made if there is none yet; NULL after an error. */
static struct tls_site *site_for(struct sorting *sorting, const struct choice *choice)
{
    struct tls_site *site = find_same(sorting->ctx, choice);

    if (site != NULL || sorting->result != 0)
        return site;
    sorting->result = add_site(sorting->ctx, choice->certs, sorting->error);
    return sorting->result == 0 ? sorting->ctx->sites[sorting->ctx->n_sites - 1] : NULL;
}

static void name_site(void *arg, struct str name, void *choice)
{
    struct sorting *sorting = arg;
    struct tls_site *site = site_for(sorting, choice);

    if (site != NULL)
        map_put(&sorting->ctx->names, name, site);
}

static void free_choice(void *arg, struct str name, void *choice)
{
    (void)arg;
    (void)name;
    mem_free(choice);
}

/* Two certificates with the same kind of key can only be for different sites. */
static bool has_several_sites(const struct tls_ctx *ctx)
{
    size_t n[TLS_KEY_KINDS] = { 0 };

    for (size_t i = 0; i < ctx->n_certs; i++)
        if (++n[ctx->certs[i].kind] > 1)
            return true;
    return false;
}

static int make_sites(struct tls_ctx *ctx, char error[TLS_ERROR_MAX])
{
    struct sorting sorting = { .ctx = ctx, .error = error };
    struct choice nameless = { { NULL } };

    map_init(&sorting.choices);
    for (size_t i = 0; i < ctx->n_certs; i++) {
        sorting.cert = &ctx->certs[i];
        tls_cert_each_name(sorting.cert, sort_name, &sorting);
        if (i == 0 && sorting.first == NULL) {
            nameless.certs[sorting.cert->kind] = sorting.cert;
            sorting.first = &nameless;
        }
    }
    ctx->fallback = site_for(&sorting, sorting.first);
    map_each(&sorting.choices, name_site, &sorting);
    map_each(&sorting.choices, free_choice, NULL);
    map_fini(&sorting.choices);
    ctx->strict = has_several_sites(ctx);
    return sorting.result;
}

/* ---- contexts ---- */

static int read_certs(struct tls_ctx *ctx, const struct tls_settings *settings, char error[TLS_ERROR_MAX])
{
    ctx->certs = mem_calloc(settings->n, sizeof(*ctx->certs));
    for (; ctx->n_certs < settings->n; ctx->n_certs++) {
        int r = tls_cert_read(&settings->pairs[ctx->n_certs], &ctx->certs[ctx->n_certs], error);

        if (r != 0)
            return r;
    }
    return 0;
}

static int read_trust(struct tls_ctx *ctx, const struct tls_settings *settings, char error[TLS_ERROR_MAX])
{
    if (settings->auth == TLS_CLIENT_NONE)
        return 0;
    ctx->auth = settings->auth;
    ctx->trust = tls_client_trust_new(settings->client_ca_pem, settings->client_ca_label, error);
    return ctx->trust != NULL ? 0 : -EINVAL;
}

int tls_ctx_new(const struct tls_settings *settings, struct tls_ctx **out, char error[TLS_ERROR_MAX])
{
    struct tls_ctx *ctx;
    int r;

    must(settings->n > 0);
    error[0] = '\0';
    ctx = mem_zalloc(sizeof(*ctx));
    atomic_init(&ctx->refs, 1);
    map_init(&ctx->names);
    ctx->direct = kernel_has_tls();
    ctx->tickets = tls_tickets_ref(settings->tickets);
    r = read_certs(ctx, settings, error);
    if (r == 0)
        r = read_trust(ctx, settings, error);
    if (r == 0)
        r = make_sites(ctx, error);
    if (r < 0) {
        tls_ctx_unref(ctx);
        return r;
    }
    *out = ctx;
    return 0;
}

struct tls_ctx *tls_ctx_ref(struct tls_ctx *ctx)
{
    atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void tls_ctx_unref(struct tls_ctx *ctx)
{
    if (ctx == NULL || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < ctx->n_sites; i++) {
        SSL_CTX_free(ctx->sites[i]->ssl);
        mem_free(ctx->sites[i]);
    }
    mem_free(ctx->sites);
    for (size_t i = 0; i < ctx->n_certs; i++)
        tls_cert_fini(&ctx->certs[i]);
    mem_free(ctx->certs);
    map_fini(&ctx->names);
    tls_client_trust_free(ctx->trust);
    tls_tickets_unref(ctx->tickets);
    mem_free(ctx);
}

size_t tls_ctx_certs(const struct tls_ctx *ctx)
{
    return ctx->n_certs;
}

const struct tls_cert_info *tls_ctx_cert(const struct tls_ctx *ctx, size_t i)
{
    return &ctx->certs[i].info;
}

int64_t tls_cert_warn_from(const struct tls_cert_info *info)
{
    int64_t fifth = (info->expires - info->begins) / 5, most = (int64_t)WARNING_DAYS * 86400;

    return info->expires - (fifth < most ? fifth : most);
}

int64_t tls_ctx_expires(const struct tls_ctx *ctx)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < ctx->n_certs; i++)
        if (ctx->certs[i].info.expires < first)
            first = ctx->certs[i].info.expires;
    return first;
}
