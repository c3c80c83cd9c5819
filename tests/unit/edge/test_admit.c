/* Counting connections: in all, by address, by network. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/admit.h"
#include "edge/pace.h"

static union sock_addr address(const char *text)
{
    union sock_addr a;

    memset(&a, 0, sizeof(a));
    a.sa.sa_family = strchr(text, ':') != NULL ? AF_INET6 : strchr(text, '.') != NULL ? AF_INET : AF_UNIX;
    if (a.sa.sa_family == AF_INET)
        assert_int_equal(inet_pton(AF_INET, text, &a.in.sin_addr), 1);
    if (a.sa.sa_family == AF_INET6)
        assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
    return a;
}

static bool enter(struct admit *a, const char *text)
{
    union sock_addr peer = address(text);
    bool by_address = true;

    return admit_enter(a, &peer, &by_address);
}

static void leave(struct admit *a, const char *text, bool by_address)
{
    union sock_addr peer = address(text);

    admit_leave(a, &peer, by_address);
}

static void in_all(void **state)
{
    struct admit a;

    (void)state;
    admit_init(&a);
    assert_false(admit_full(&a));
    admit_limit(&a, 2, 0);
    assert_true(enter(&a, "192.0.2.1") && enter(&a, "192.0.2.1"));
    assert_true(admit_full(&a));
    leave(&a, "192.0.2.1", false);
    assert_false(admit_full(&a));
    admit_fini(&a);
}

static void by_address(void **state)
{
    struct admit a;

    (void)state;
    admit_init(&a);
    admit_limit(&a, 100, 2);
    assert_true(enter(&a, "192.0.2.1") && enter(&a, "192.0.2.1"));
    assert_false(enter(&a, "192.0.2.1"));
    assert_int_equal(atomic_load(&a.open), 2); /* the refused one is not counted */
    assert_true(enter(&a, "192.0.2.2"));
    assert_false(enter(&a, "::ffff:192.0.2.1"));
    leave(&a, "192.0.2.1", true);
    assert_true(enter(&a, "::ffff:192.0.2.1"));
    admit_fini(&a);
}

static void ipv6_by_its_network(void **state)
{
    struct admit a;

    (void)state;
    admit_init(&a);
    admit_limit(&a, 100, 2);
    assert_true(enter(&a, "2001:db8:1:2::1") && enter(&a, "2001:db8:1:2:ffff::9"));
    assert_false(enter(&a, "2001:db8:1:2:1234::"));
    assert_true(enter(&a, "2001:db8:1:3::1"));
    admit_fini(&a);
}

static void who_leaves_is_forgotten(void **state)
{
    struct admit a;

    (void)state;
    admit_init(&a);
    admit_limit(&a, 100, 1);
    for (int i = 0; i < 1000; i++) {
        char text[32];

        snprintf(text, sizeof(text), "198.51.%d.%d", i / 250, i % 250);
        assert_true(enter(&a, text));
        leave(&a, text, true);
    }
    assert_int_equal(a.addresses.n, 0);
    admit_fini(&a);
}

/* Those who came before the limit was set were not counted, and leave without being counted off. */
static void a_limit_set_later(void **state)
{
    struct admit a;
    union sock_addr peer = address("192.0.2.1"), local = address("socket");
    bool counted = true;

    (void)state;
    admit_init(&a);
    assert_true(admit_enter(&a, &peer, &counted));
    assert_false(counted);
    admit_limit(&a, 100, 1);
    admit_leave(&a, &peer, counted);
    assert_true(enter(&a, "192.0.2.1"));
    counted = true;
    assert_true(admit_enter(&a, &local, &counted)); /* a unix socket: any number */
    assert_false(counted);
    counted = false;
    assert_true(admit_enter(&a, &peer, &counted)); /* a trusted proxy: as the caller says */
    admit_fini(&a);
}

static void the_rule(void **state)
{
    (void)state;
    assert_int_equal(admit_rule(150, UINT64_C(8) << 30), 150);
    assert_int_equal(admit_rule(500000, UINT64_C(512) << 20), 8192);
    assert_int_equal(admit_rule(500000, UINT64_MAX), 500000);
    assert_int_equal(admit_rule(1, 1), 16);
}

static void tight_for_a_second(void **state)
{
    struct admit a;

    (void)state;
    admit_init(&a);
    assert_false(admit_is_tight(&a, 5));
    admit_set_tight(&a, 5);
    assert_true(admit_is_tight(&a, 5 + NS_PER_SEC - 1));
    assert_false(admit_is_tight(&a, 5 + NS_PER_SEC));
    admit_fini(&a);
}

static void time_is_earned_by_bytes(void **state)
{
    const uint64_t now = 1000 * NS_PER_SEC, full = now + PACE_GRACE_NS;
    uint64_t deadline = full;

    (void)state;
    assert_int_equal(pace_earn(0, now, 0), full);
    assert_int_equal(pace_earn(full, now, 1 << 20), full); /* never more than the grace */
    assert_int_equal(pace_earn(now + NS_PER_SEC, now, 2 * PACE_RATE), now + 3 * NS_PER_SEC);
    assert_int_equal(pace_earn(now + NS_PER_SEC, now, UINT64_MAX), full);
    /* a byte a second is out of time soon after the grace … */
    for (uint64_t at = now; at < now + 61 * NS_PER_SEC; at += NS_PER_SEC)
        deadline = deadline > at ? pace_earn(deadline, at, 1) : deadline;
    assert_in_range(deadline, full, full + NS_PER_SEC);
    /* … and whoever keeps the rate may take all day */
    deadline = full;
    for (uint64_t at = now; at < now + 86400 * NS_PER_SEC; at += 10 * NS_PER_SEC) {
        assert_true(deadline > at);
        deadline = pace_earn(deadline, at, 10 * PACE_RATE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_all),
        cmocka_unit_test(by_address),
        cmocka_unit_test(ipv6_by_its_network),
        cmocka_unit_test(who_leaves_is_forgotten),
        cmocka_unit_test(a_limit_set_later),
        cmocka_unit_test(the_rule),
        cmocka_unit_test(tight_for_a_second),
        cmocka_unit_test(time_is_earned_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
