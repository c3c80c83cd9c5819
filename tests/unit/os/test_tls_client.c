/* Certificates of clients: who is let in, what is said of them, what a revocation list does; and why handshakes fail. */
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

static struct made site, ca, middle, stranger, anna, bert, carl, late, mallory;

static int make_all(void **state)
{
    (void)state;
    kit_begin();
    kit_make(&site, (struct recipe){ .names = "DNS:example.org", .days = 30 });
    kit_make(&ca, (struct recipe){ .cn = "staff", .days = 99, .ca = true });
    kit_make(&middle, (struct recipe){ .cn = "staff of the branch", .days = 99, .ca = true, .issuer = &ca });
    kit_make(&stranger, (struct recipe){ .cn = "strangers", .days = 99, .ca = true });
    kit_make(&anna, (struct recipe){ .cn = "Anna, \xc3\xa9=\n", .days = 9, .issuer = &ca });
    kit_make(&bert, (struct recipe){ .cn = "bert", .days = 9, .issuer = &ca });
    kit_make(&carl, (struct recipe){ .cn = "carl", .days = 9, .issuer = &middle });
    kit_make(&late, (struct recipe){ .cn = "late", .days = -9, .issuer = &ca });
    kit_make(&mallory, (struct recipe){ .cn = "anna", .days = 9, .issuer = &stranger });
    return 0;
}

static int build(enum tls_client_auth auth, const char *pem, struct tls_ctx **ctx, char *error)
{
    struct tls_pair pair = pair_of(&site);
    struct tls_settings settings = { .pairs = &pair,
                                     .n = 1,
                                     .tickets = tls_tickets_new(),
                                     .auth = auth,
                                     .client_ca_pem = str_of(pem),
                                     .client_ca_label = STR("/etc/staff.pem") };
    int r = tls_ctx_new(&settings, ctx, error);

    tls_tickets_unref(settings.tickets);
    return r;
}

static struct tls_ctx *asking(enum tls_client_auth auth, const char *pem)
{
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    assert_int_equal(build(auth, pem, &ctx, error), 0);
    return ctx;
}

static void lets_in(struct tls_ctx *ctx, const struct made *own, const char *verify)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct link l;

        dial(&l, ctx, (struct dial){ .own = own, .version = version });
        assert_int_equal(shake(&l), 0);
        assert_true(str_eq(info_of(&l).client_verify, str_of(verify)));
        hang_up(&l);
    }
}

static void keeps_out(struct tls_ctx *ctx, const struct made *own, const char *why)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct stream_tls_info info;
        struct link l;

        dial(&l, ctx, (struct dial){ .own = own, .version = version });
        assert_int_equal(shake(&l), -EPROTO);
        assert_failure(&l, TLS_CLIENT_CERT, why);
        assert_false(stream_tls_info(&l.s, &info));
        hang_up(&l);
    }
}

static void nobody_is_asked(void **state)
{
    struct tls_ctx *ctx = asking(TLS_CLIENT_NONE, "");

    (void)state;
    lets_in(ctx, NULL, "");
    lets_in(ctx, &mallory, "");
    tls_ctx_unref(ctx);
}

static void required(void **state)
{
    struct tls_ctx *ctx = asking(TLS_CLIENT_REQUIRED, ca.cert);

    (void)state;
    lets_in(ctx, &anna, "SUCCESS");
    keeps_out(ctx, NULL, "peer did not return a certificate");
    keeps_out(ctx, &mallory, "unable to get local issuer certificate");
    keeps_out(ctx, &late, "certificate has expired");
    keeps_out(ctx, &carl, "unable to get local issuer certificate");
    tls_ctx_unref(ctx);
}

/* None is fine; a bad one is not none. */
static void optional(void **state)
{
    struct tls_ctx *ctx = asking(TLS_CLIENT_OPTIONAL, ca.cert);

    (void)state;
    lets_in(ctx, &anna, "SUCCESS");
    lets_in(ctx, NULL, "NONE");
    keeps_out(ctx, &mallory, "unable to get local issuer certificate");
    tls_ctx_unref(ctx);
}

static void an_intermediate_authority_is_enough(void **state)
{
    struct tls_ctx *ctx = asking(TLS_CLIENT_REQUIRED, middle.cert);

    (void)state;
    lets_in(ctx, &carl, "SUCCESS");
    keeps_out(ctx, &bert, "unable to get local issuer certificate");
    tls_ctx_unref(ctx);
}

static void a_revocation_list_counts(void **state)
{
    struct made with = ca;
    struct tls_ctx *ctx;

    (void)state;
    kit_append(&with, middle.cert); /* an authority without a list */
    kit_crl(&ca, &bert, 10, with.cert + strlen(with.cert), sizeof(with.cert) - strlen(with.cert));
    ctx = asking(TLS_CLIENT_REQUIRED, with.cert);
    lets_in(ctx, &anna, "SUCCESS");
    keeps_out(ctx, &bert, "certificate revoked");
    lets_in(ctx, &carl, "SUCCESS");
    tls_ctx_unref(ctx);
    /* past its date: nobody knows any more who is revoked */
    with = ca;
    kit_crl(&ca, &bert, -1, with.cert + strlen(with.cert), sizeof(with.cert) - strlen(with.cert));
    ctx = asking(TLS_CLIENT_REQUIRED, with.cert);
    keeps_out(ctx, &anna, "CRL has expired");
    tls_ctx_unref(ctx);
}

/* What an authority has revoked may be another authority, and then its clients are nobody. */
static void an_intermediate_authority_is_revoked(void **state)
{
    struct made with = ca, carls = carl;
    struct tls_ctx *ctx = asking(TLS_CLIENT_REQUIRED, ca.cert);

    (void)state;
    kit_append(&carls, middle.cert);
    lets_in(ctx, &carls, "SUCCESS");
    tls_ctx_unref(ctx);
    kit_crl(&ca, &middle, 10, with.cert + strlen(with.cert), sizeof(with.cert) - strlen(with.cert));
    ctx = asking(TLS_CLIENT_REQUIRED, with.cert);
    keeps_out(ctx, &carls, "certificate revoked");
    lets_in(ctx, &anna, "SUCCESS");
    tls_ctx_unref(ctx);
    kit_append(&with, middle.cert); /* still in the file, and no longer to be believed */
    ctx = asking(TLS_CLIENT_REQUIRED, with.cert);
    keeps_out(ctx, &carl, "certificate revoked");
    lets_in(ctx, &anna, "SUCCESS");
    tls_ctx_unref(ctx);
}

static void what_is_said_of_a_client(void **state)
{
    struct tls_ctx *ctx = asking(TLS_CLIENT_OPTIONAL, ca.cert);
    struct stream_tls_info info;
    struct link l;

    (void)state;
    dial(&l, ctx, (struct dial){ .own = &anna });
    assert_int_equal(shake(&l), 0);
    info = info_of(&l);
    assert_true(str_eq(info.client_subject, STR("CN=Anna\\, \\C3\\A9=\\0A"))); /* ASCII, whatever it holds */
    assert_true(str_eq(info.client_issuer, STR("CN=staff")));
    assert_true(str_eq(info.client_serial, STR("05")));
    assert_ptr_equal(info_of(&l).client_subject.p, info.client_subject.p); /* said once */
    hang_up(&l);
    /* a resumed session still knows who it is */
    {
        struct dial d = { .name = "example.org", .own = &anna };

        assert_true(resumes(ctx, ctx, d, "example.org"));
    }
    dial(&l, ctx, (struct dial){ 0 });
    assert_int_equal(shake(&l), 0);
    assert_int_equal(info_of(&l).client_subject.n, 0);
    hang_up(&l);
    tls_ctx_unref(ctx);
}

static void files_that_say_nothing(void **state)
{
    static const char *const texts[] = { "", "nonsense",
                                         "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" };
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(build(TLS_CLIENT_REQUIRED, texts[i], &ctx, error), -EINVAL);
        assert_non_null(
            strstr(error, "/etc/staff.pem: no certificates of authorities for clients can be read from it as PEM"));
    }
    assert_int_equal(build(TLS_CLIENT_REQUIRED, site.key, &ctx, error), -EINVAL); /* a key alone */
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_asked),
        cmocka_unit_test(required),
        cmocka_unit_test(optional),
        cmocka_unit_test(an_intermediate_authority_is_enough),
        cmocka_unit_test(a_revocation_list_counts),
        cmocka_unit_test(an_intermediate_authority_is_revoked),
        cmocka_unit_test(what_is_said_of_a_client),
        cmocka_unit_test(files_that_say_nothing),
    };

    return cmocka_run_group_tests(tests, make_all, NULL);
}
