/* Session tickets: who may resume where, and what happens when keys are replaced. */
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

static struct made site, wild, other, renewed, ca, person;

static int make_all(void **state)
{
    (void)state;
    kit_begin();
    kit_make(&site, (struct recipe){ .names = "DNS:example.org,DNS:www.example.org", .days = 30 });
    kit_make(&wild, (struct recipe){ .names = "DNS:*.example.org", .days = 20 });
    kit_make(&other, (struct recipe){ .names = "DNS:other.test", .days = 10 });
    kit_make(&renewed, (struct recipe){ .names = "DNS:example.org,DNS:www.example.org", .days = 90 });
    kit_make(&ca, (struct recipe){ .cn = "staff", .days = 90, .ca = true });
    kit_make(&person, (struct recipe){ .cn = "anna", .days = 90, .issuer = &ca });
    return 0;
}

/* Keys are named by a number: everywhere the same. */
static struct tls_tickets *ring(size_t n, const unsigned char *numbers)
{
    unsigned char keys[TLS_TICKET_KEYS_MAX][TLS_TICKET_KEY_LEN];
    struct tls_tickets *tickets = tls_tickets_new();

    for (size_t i = 0; i < n; i++)
        memset(keys[i], numbers[i], sizeof(keys[i]));
    tls_tickets_set(tickets, (const unsigned char(*)[TLS_TICKET_KEY_LEN])keys, n);
    return tickets;
}

static struct tls_ctx *context(struct tls_tickets *tickets, const struct made *first, struct str client_ca)
{
    struct tls_pair pairs[] = { pair_of(first), pair_of(&wild), pair_of(&other) };
    struct tls_settings settings = { .pairs = pairs,
                                     .n = 3,
                                     .tickets = tickets,
                                     .auth = client_ca.n > 0 ? TLS_CLIENT_OPTIONAL : TLS_CLIENT_NONE,
                                     .client_ca_pem = client_ca };
    char error[TLS_ERROR_MAX];
    struct tls_ctx *ctx;

    assert_int_equal(tls_ctx_new(&settings, &ctx, error), 0);
    return ctx;
}

static struct tls_ctx *with_keys(size_t n, const char *numbers)
{
    struct tls_tickets *tickets = ring(n, (const unsigned char *)numbers);
    struct tls_ctx *ctx = context(tickets, &site, STR(""));

    tls_tickets_unref(tickets);
    return ctx;
}

static struct dial by(const char *name, int version)
{
    return (struct dial){ .name = name, .version = version };
}

static void tickets_work_between_processes_and_for_one_name(void **state)
{
    struct tls_ctx *a = with_keys(1, "a"), *b = with_keys(1, "a"), *c = with_keys(1, "c");

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        assert_true(resumes(a, a, by("www.example.org", version), "www.example.org"));
        assert_true(resumes(a, b, by("www.example.org", version), "www.example.org")); /* as another process has it */
        assert_true(resumes(a, b, by("other.test", version), "OTHER.test"));
        assert_true(resumes(a, b, by(NULL, version), NULL));
        assert_false(resumes(a, c, by("www.example.org", version), "www.example.org"));
        assert_false(resumes(a, b, by("www.example.org", version), "other.test"));
        assert_false(resumes(a, b, by("www.example.org", version), "example.org")); /* the same certificate, even */
        assert_false(resumes(a, b, by("api.example.org", version), "api2.example.org"));
        assert_false(resumes(a, b, by("www.example.org", version), NULL));
    }
    tls_ctx_unref(a);
    tls_ctx_unref(b);
    tls_ctx_unref(c);
}

/* a is replaced by b, then by c; a leaves when d comes. */
static void a_key_opens_tickets_as_long_as_it_is_kept(void **state)
{
    struct tls_ctx *a = with_keys(1, "a"), *b = with_keys(2, "ba"), *c = with_keys(3, "cba"), *d = with_keys(3, "dcb");

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        assert_true(resumes(a, b, by("example.org", version), "example.org"));
        assert_true(resumes(a, c, by("example.org", version), "example.org"));
        assert_false(resumes(a, d, by("example.org", version), "example.org"));
        assert_true(resumes(b, d, by("example.org", version), "example.org"));
        assert_false(
            resumes(b, a, by("example.org", version), "example.org")); /* sealed with the newest, not with any */
    }
    tls_ctx_unref(a);
    tls_ctx_unref(b);
    tls_ctx_unref(c);
    tls_ctx_unref(d);
}

/* Who resumes with an old key is given a ticket of the new one, so that the session outlives its first key. */
static void an_old_ticket_is_exchanged(void **state)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct tls_ctx *ctxs[] = { with_keys(1, "a"), with_keys(2, "ba"), with_keys(1, "b") };
        SSL_SESSION *ticket = NULL;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(ctxs); i++) {
            struct link l;
            char none[8];

            dial(&l, ctxs[i], (struct dial){ .name = "example.org", .version = version, .resume = ticket });
            assert_int_equal(shake(&l), 0);
            client_reads(&l, none, sizeof(none));
            assert_int_equal(info_of(&l).resumed, i > 0);
            SSL_SESSION_free(ticket);
            ticket = SSL_get1_session(l.client); /* OpenSSL tells nobody of a ticket that comes with a resumption */
            hang_up(&l);
            tls_ctx_unref(ctxs[i]);
        }
        SSL_SESSION_free(ticket);
    }
}

/* Whether a client that comes back with the newest key's ticket leaves with another one. */
static bool is_renewed(struct tls_ctx *ctx, struct dial d)
{
    struct link first, second;
    char none[8];
    bool another;

    dial(&first, ctx, d);
    assert_int_equal(shake(&first), 0);
    client_reads(&first, none, sizeof(none));
    d.resume = first.ticket;
    dial(&second, ctx, d);
    assert_int_equal(shake(&second), 0);
    client_reads(&second, none, sizeof(none));
    assert_true(info_of(&second).resumed);
    another = second.ticket != NULL;
    hang_up(&first);
    hang_up(&second);
    return another;
}

/* RFC 8446 C.4: a client shows a ticket once. But who has shown a certificate is to show it again in an hour. */
static void whoever_resumes_is_given_the_next_ticket(void **state)
{
    struct tls_tickets *tickets = ring(1, (const unsigned char *)"a");
    struct tls_ctx *ctx = context(tickets, &site, STR("")), *asked = context(tickets, &site, str_of(ca.cert));

    (void)state;
    assert_true(is_renewed(ctx, by("example.org", TLS1_3_VERSION)));
    assert_false(is_renewed(ctx, by("example.org", TLS1_2_VERSION)));
    assert_false(is_renewed(asked, (struct dial){ .name = "example.org", .version = TLS1_3_VERSION, .own = &person }));
    tls_ctx_unref(ctx);
    tls_ctx_unref(asked);
    tls_tickets_unref(tickets);
}

static void keys_change_under_a_context(void **state)
{
    struct tls_tickets *tickets = ring(1, (const unsigned char *)"a");
    struct tls_ctx *ctx = context(tickets, &site, STR("")), *a = with_keys(1, "a");
    unsigned char keys[1][TLS_TICKET_KEY_LEN];

    (void)state;
    assert_true(resumes(a, ctx, by("example.org", 0), "example.org"));
    memset(keys, 'z', sizeof(keys));
    tls_tickets_set(tickets, (const unsigned char(*)[TLS_TICKET_KEY_LEN])keys, 1);
    assert_false(resumes(a, ctx, by("example.org", 0), "example.org"));
    assert_true(resumes(ctx, ctx, by("example.org", 0), "example.org"));
    tls_ctx_unref(ctx);
    tls_ctx_unref(a);
    tls_tickets_unref(tickets);
    tls_tickets_unref(NULL);
}

/* Each ring that nobody has filled has a key of its own. */
static void without_keys_it_is_one_process(void **state)
{
    struct tls_tickets *one = tls_tickets_new(), *two = tls_tickets_new();
    struct tls_ctx *a = context(one, &site, STR("")), *b = context(two, &site, STR(""));

    (void)state;
    assert_true(resumes(a, a, by("example.org", 0), "example.org"));
    assert_false(resumes(a, b, by("example.org", 0), "example.org"));
    tls_ctx_unref(a);
    tls_ctx_unref(b);
    tls_tickets_unref(one);
    tls_tickets_unref(two);
}

static void not_with_another_certificate(void **state)
{
    struct tls_tickets *tickets = ring(1, (const unsigned char *)"a");
    struct tls_ctx *before = context(tickets, &site, STR("")), *after = context(tickets, &renewed, STR(""));

    (void)state;
    assert_false(resumes(before, after, by("example.org", 0), "example.org"));
    assert_true(resumes(before, after, by("other.test", 0), "other.test")); /* that one is the same */
    tls_ctx_unref(before);
    tls_ctx_unref(after);
    tls_tickets_unref(tickets);
}

/* What a client had to show then is not what it would have to show now. */
static void not_when_other_things_are_asked_of_clients(void **state)
{
    struct tls_tickets *tickets = ring(1, (const unsigned char *)"a");
    struct made both = ca;
    struct tls_ctx *before, *asked, *otherwise;
    struct dial d = { .name = "example.org", .own = &person };
    struct link l;

    (void)state;
    kit_crl(&ca, &person, 10, both.cert + strlen(both.cert), sizeof(both.cert) - strlen(both.cert));
    before = context(tickets, &site, STR(""));
    asked = context(tickets, &site, str_of(ca.cert));
    otherwise = context(tickets, &site, str_of(both.cert));
    assert_false(resumes(before, asked, by("example.org", 0), "example.org"));
    assert_true(resumes(asked, asked, d, "example.org"));
    assert_false(resumes(asked, before, by("example.org", 0), "example.org"));
    /* revoked since: the ticket does not help */
    dial(&l, asked, d);
    assert_int_equal(shake(&l), 0);
    client_reads(&l, (char[8]){ 0 }, 8);
    d.resume = l.ticket;
    {
        struct link again;

        dial(&again, otherwise, d);
        assert_int_equal(shake(&again), -EPROTO);
        assert_failure(&again, TLS_CLIENT_CERT, "revoked");
        hang_up(&again);
    }
    hang_up(&l);
    tls_ctx_unref(before);
    tls_ctx_unref(asked);
    tls_ctx_unref(otherwise);
    tls_tickets_unref(tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_work_between_processes_and_for_one_name),
        cmocka_unit_test(a_key_opens_tickets_as_long_as_it_is_kept),
        cmocka_unit_test(an_old_ticket_is_exchanged),
        cmocka_unit_test(whoever_resumes_is_given_the_next_ticket),
        cmocka_unit_test(keys_change_under_a_context),
        cmocka_unit_test(without_keys_it_is_one_process),
        cmocka_unit_test(not_with_another_certificate),
        cmocka_unit_test(not_when_other_things_are_asked_of_clients),
    };

    return cmocka_run_group_tests(tests, make_all, NULL);
}
