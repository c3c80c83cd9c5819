/* Pairs of certificate and key: what is refused, what is warned about, which one a client gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "base/mem.h"
#include "tls_kit.h"

static struct made site, again, wild, other, expired, rsa, nameless, ca, middle, leaf;

static int make_all(void **state)
{
    (void)state;
    kit_begin();
    kit_make(&site, (struct recipe){ .names = "DNS:example.org,DNS:WWW.example.org", .days = 30 });
    kit_make(&again, (struct recipe){ .names = "DNS:example.org", .days = 30 });
    kit_make(&wild, (struct recipe){ .names = "DNS:*.example.org", .days = 20 });
    kit_make(&other, (struct recipe){ .names = "DNS:other.test", .days = 10 });
    kit_make(&expired, (struct recipe){ .names = "DNS:expired.test", .days = -1 });
    kit_make(&rsa, (struct recipe){ .names = "DNS:example.org", .days = 30, .rsa = 2048 });
    kit_make(&nameless, (struct recipe){ .cn = "no name\"\n", .days = 30 });
    kit_make(&ca, (struct recipe){ .cn = "root", .days = 99, .ca = true });
    kit_make(&middle, (struct recipe){ .cn = "middle", .days = 99, .ca = true, .issuer = &ca });
    kit_make(&leaf, (struct recipe){ .names = "DNS:leaf.test", .days = 50, .issuer = &middle, .aia = true });
    return 0;
}

static int build(const struct tls_pair *pairs, size_t n, struct tls_ctx **ctx, char *error)
{
    struct tls_settings settings = { .pairs = pairs, .n = n, .tickets = tls_tickets_new() };
    int r = tls_ctx_new(&settings, ctx, error);

    tls_tickets_unref(settings.tickets);
    return r;
}

static struct tls_ctx *good(const struct tls_pair *pairs, size_t n)
{
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    assert_int_equal(build(pairs, n, &ctx, error), 0);
    return ctx;
}

static void broken_pairs_are_named(void **state)
{
    struct made broken = site;
    struct tls_pair pairs[2] = { pair_of(&site), pair_of(&wild) };
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx = NULL;

    (void)state;
    pairs[1].label = STR("/etc/tls/second.pem");
    pairs[1].key_pem = str_of(site.key);
    assert_int_equal(build(pairs, 2, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "/etc/tls/second.pem: the private key does not belong to the certificate"));
    pairs[1].key_pem = STR("nonsense");
    assert_int_equal(build(pairs, 2, &ctx, error), -EINVAL);
    assert_string_equal(error, "/etc/tls/second.pem: its keyfile holds no private key");
    pairs[1].key_pem = STR("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    assert_int_equal(build(pairs, 2, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "/etc/tls/second.pem: cannot read its private key"));
    pairs[1].cert_pem = STR("");
    assert_int_equal(build(pairs, 2, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "/etc/tls/second.pem: cannot read the certificate"));
    kit_append(&broken, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"); /* in the chain */
    pairs[1] = pair_of(&broken);
    assert_int_equal(build(pairs, 2, &ctx, error), -EINVAL);
    assert_non_null(strstr(error, "cannot read the certificate"));
    assert_null(ctx);
    assert_int_equal(ERR_peek_error(), 0);
}

/* A key with a password must fail, not ask on the terminal. */
static void encrypted_keys_are_refused(void **state)
{
    BIO *in = BIO_new_mem_buf(site.key, -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    struct made locked = site;
    struct tls_pair pair = pair_of(&locked);
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    (void)state;
    assert_true(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
    locked.key[BIO_read(out, locked.key, sizeof(locked.key) - 1)] = '\0';
    BIO_free(out);
    pair.key_pem = str_of(locked.key);
    assert_int_equal(build(&pair, 1, &ctx, error), -EINVAL);
    assert_string_equal(
        error, "/etc/tls/site.pem: its private key has a password; store it without one, readable by root alone "
               "(openssl pkey -in KEY -out NEW)");
    EVP_PKEY_free(key);
    BIO_free(in);
}

static void the_chain_is_sent(void **state)
{
    struct made chained = site;
    struct tls_pair pair = pair_of(&chained);
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;
    struct link l;

    (void)state;
    kit_append(&chained, other.cert);
    pair.cert_pem = str_of(chained.cert);
    assert_int_equal(build(&pair, 1, &ctx, error), 0);
    dial(&l, ctx, (struct dial){ 0 });
    assert_int_equal(shake(&l), 0);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(l.client)), 2);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

/* ---- which one is sent ---- */

/* The certificate that a client with these abilities gets; NULL: refused. */
static void shows(struct tls_ctx *ctx, struct dial d, const struct made *want)
{
    struct link l;

    dial(&l, ctx, d);
    assert_int_equal(shake(&l), want != NULL ? 0 : -EPROTO);
    if (want != NULL)
        assert_cert(&l, want);
    hang_up(&l);
}

#define RSA_ONLY "rsa_pss_rsae_sha256:RSA+SHA256"
#define ECDSA_ONLY "ECDSA+SHA256"

static void the_client_chooses_the_kind_of_key(void **state)
{
    struct tls_pair pairs[] = { pair_of(&rsa), pair_of(&site) };

    (void)state;
    for (int turned = 0; turned < 2; turned++) {
        struct tls_ctx *ctx = good(pairs, 2);
        struct tls_pair first = pairs[0];

        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            shows(ctx, (struct dial){ .name = "example.org", .version = version },
                  &site); /* it can both: the cheaper one */
            shows(ctx, (struct dial){ .name = "example.org", .version = version, .signatures = RSA_ONLY }, &rsa);
            shows(ctx, (struct dial){ .name = "example.org", .version = version, .signatures = ECDSA_ONLY }, &site);
        }
        shows(
            ctx,
            (struct dial){ .name = "example.org", .version = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256" },
            &rsa);
        shows(ctx, (struct dial){ .name = "www.example.org", .signatures = RSA_ONLY },
              NULL);                                               /* only one certificate has it */
        shows(ctx, (struct dial){ .name = "nobody.test" }, &site); /* one site: it is for everybody */
        tls_ctx_unref(ctx);
        pairs[0] = pairs[1];
        pairs[1] = first;
    }
}

static void an_exact_name_wins_whatever_the_kind_of_key(void **state)
{
    struct tls_pair pairs[] = { pair_of(&wild), pair_of(&rsa) };
    struct tls_ctx *ctx = good(pairs, 2);

    (void)state;
    shows(ctx, (struct dial){ .name = "any.example.org" }, &wild);
    shows(ctx, (struct dial){ .name = "example.org", .signatures = ECDSA_ONLY }, NULL);
    shows(ctx, (struct dial){ .name = "example.org" }, &rsa);
    tls_ctx_unref(ctx);
}

/* Of two for a name with the same kind of key, the first. */
static void the_first_of_its_kind_keeps_the_name(void **state)
{
    struct tls_pair pairs[] = { pair_of(&other), pair_of(&site), pair_of(&again), pair_of(&nameless) };
    struct tls_ctx *ctx = good(pairs, 4);

    (void)state;
    shows(ctx, (struct dial){ .name = "example.org" }, &site);
    shows(ctx, (struct dial){ .name = NULL }, &other);
    shows(ctx, (struct dial){ .name = "unknown.test" }, NULL);
    tls_ctx_unref(ctx);
    ctx = good(&pairs[3], 1);
    shows(ctx, (struct dial){ .name = "unknown.test" }, &nameless);
    tls_ctx_unref(ctx);
}

/* ---- judged ---- */

static void what_clients_would_refuse_is_refused(void **state)
{
    struct made weak, sha1, turned = leaf;
    const struct {
        struct made *made;
        const char *says;
    } cases[] = {
        { &weak, "/etc/tls/site.pem: its RSA key has fewer than 2048 bits, which clients refuse" },
        { &sha1, "/etc/tls/site.pem: it is signed with SHA-1 or MD5, which clients refuse" },
        { &turned, "/etc/tls/site.pem: the private key belongs to another certificate of the file: the site's own must "
                   "be the first" },
    };

    (void)state;
    kit_make(&weak, (struct recipe){ .names = "DNS:weak.test", .days = 9, .rsa = 1024 });
    kit_make(&sha1, (struct recipe){ .names = "DNS:sha1.test", .days = 9, .issuer = &ca, .digest = EVP_sha1() });
    memcpy(turned.cert, ca.cert, sizeof(turned.cert));
    kit_append(&turned, leaf.cert);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_pair pair = pair_of(cases[i].made);
        char error[TLS_ERROR_MAX];
        struct tls_ctx *ctx = NULL;

        assert_int_equal(build(&pair, 1, &ctx, error), -EINVAL);
        assert_string_equal(error, cases[i].says);
        assert_null(ctx);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void what_some_clients_get_over_is_warned_about(void **state)
{
    struct made whole = leaf, jumbled = leaf;
    const struct {
        const struct made *made;
        const char *says;
    } cases[] = {
        { &whole, NULL },
        { &site, NULL },
        { &leaf, "its intermediate certificate is missing, and some clients will not trust it: use the full chain" },
        { &jumbled, "its chain is out of order: each certificate must be followed by the one that signed it" },
        { &nameless, "it has no subjectAltName, and clients of today look at no other name" },
    };

    (void)state;
    kit_append(&whole, middle.cert);
    kit_append(&whole, ca.cert);
    kit_append(&jumbled, ca.cert);
    kit_append(&jumbled, middle.cert);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_pair pair = pair_of(cases[i].made);
        struct tls_ctx *ctx = good(&pair, 1);
        const char *warning = tls_ctx_cert(ctx, 0)->warning;

        if (cases[i].says == NULL)
            assert_null(warning);
        else
            assert_string_equal(warning, cases[i].says);
        tls_ctx_unref(ctx);
    }
}

static void what_is_said_of_them(void **state)
{
    struct tls_pair pairs[] = { pair_of(&site), pair_of(&rsa), pair_of(&nameless) };
    struct tls_cert_info days = { .begins = 0, .expires = 90 * 86400 }, hours = { .begins = 0, .expires = 6 * 86400 };
    struct tls_ctx *ctx = good(pairs, 3);
    const struct tls_cert_info *info = tls_ctx_cert(ctx, 0);

    (void)state;
    assert_int_equal(tls_ctx_certs(ctx), 3);
    assert_string_equal(info->label, "/etc/tls/site.pem");
    assert_string_equal(info->name, "example.org");
    assert_string_equal(info->key, "ECDSA 256");
    assert_true(info->begins < time(NULL) - 99 * 86400 && info->expires > time(NULL) + 29 * 86400);
    assert_string_equal(tls_ctx_cert(ctx, 1)->key, "RSA 2048");
    assert_string_equal(tls_ctx_cert(ctx, 2)->name, "no?name??"); /* fit for a label of a metric */
    tls_ctx_unref(ctx);
    assert_int_equal(tls_cert_warn_from(&days), 76 * 86400);
    assert_int_equal(tls_cert_warn_from(&hours),
                     6 * 86400 - 6 * 86400 / 5); /* those that live for days are renewed late */
}

static void the_first_expiry_counts_and_expired_is_no_error(void **state)
{
    struct tls_pair pairs[] = { pair_of(&site), pair_of(&wild), pair_of(&other) };
    struct tls_ctx *ctx = good(pairs, 3);
    struct tls_pair pair = pair_of(&expired);
    char error[TLS_ERROR_MAX];
    int64_t left = tls_ctx_expires(ctx) - time(NULL);

    (void)state;
    assert_true(left > 9 * 86400 && left <= 10 * 86400);
    tls_ctx_unref(ctx);
    assert_int_equal(build(&pair, 1, &ctx, error), 0);
    assert_true(tls_ctx_expires(ctx) < time(NULL));
    assert_ptr_equal(tls_ctx_ref(ctx), ctx);
    tls_ctx_unref(ctx);
    tls_ctx_unref(ctx);
    tls_ctx_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_pairs_are_named),
        cmocka_unit_test(encrypted_keys_are_refused),
        cmocka_unit_test(the_chain_is_sent),
        cmocka_unit_test(the_client_chooses_the_kind_of_key),
        cmocka_unit_test(an_exact_name_wins_whatever_the_kind_of_key),
        cmocka_unit_test(the_first_of_its_kind_keeps_the_name),
        cmocka_unit_test(what_clients_would_refuse_is_refused),
        cmocka_unit_test(what_some_clients_get_over_is_warned_about),
        cmocka_unit_test(what_is_said_of_them),
        cmocka_unit_test(the_first_expiry_counts_and_expired_is_no_error),
    };

    return cmocka_run_group_tests(tests, make_all, NULL);
}
