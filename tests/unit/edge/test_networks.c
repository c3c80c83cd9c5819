/* Sets of addresses: the edges of networks, the two families, overlaps, and thousands of them against a plain loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/networks.h"

static struct networks set_of(const char *texts)
{
    struct networks set = { 0 };
    struct str rest = str_of(texts);

    while (rest.p != NULL) {
        struct str text = str_split(&rest, ' ');

        if (text.n > 0)
            assert_int_equal(networks_add(&set, text), 0);
    }
    networks_seal(&set);
    return set;
}

static bool has(const char *texts, const char *address)
{
    struct networks set = set_of(texts);
    uint8_t bytes[ADDRESS_LEN];
    bool found;

    assert_true(address_of_text(str_of(address), bytes));
    found = networks_have(&set, bytes);
    networks_fini(&set);
    return found;
}

static void edges(void **state)
{
    assert_true(has("10.0.0.0/8", "10.0.0.0"));
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "9.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("192.0.2.7", "192.0.2.7"));
    assert_false(has("192.0.2.7", "192.0.2.8"));
    assert_true(has("192.0.2.77/26", "192.0.2.64"));
    assert_true(has("2001:db8:1::/47", "2001:db8::1"));
    assert_true(has("2001:db8:1::/47", "2001:db8:1:ffff::"));
    assert_false(has("2001:db8:1::/47", "2001:db8:2::"));
    assert_true(has("::1", "::1"));
    assert_false(has("", "::1"));
    assert_true(has("ffff::/16", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

/* An IPv4 client has one address, however it is written; an IPv6 network has none of them. */
static void families(void **state)
{
    assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
    assert_true(has("0.0.0.0/0", "255.255.255.255"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_false(has("::/0", "10.1.2.3"));
    assert_true(has("::/0", "2001:db8::1"));
    assert_true(has("::/0", "::1"));
    assert_true(has("::/0", "::fffe:ffff:ffff"));
    assert_true(has("::/0", "::1:0:0:0"));
    assert_false(has("::/80", "10.1.2.3"));
    assert_true(has("::/80", "::1"));
    assert_true(has("*", "10.1.2.3"));
    assert_true(has("*", "2001:db8::1"));
    assert_true(has("0.0.0.0/0 ::/0", "10.1.2.3"));
}

static void overlaps(void **state)
{
    struct networks set = set_of("10.0.0.0/8 10.1.0.0/16 10.0.0.0/8 10.200.0.0/16 11.0.0.0/8 12.0.0.0/8 14.0.0.0/8");

    assert_int_equal(set.n, 2); /* neighbours are one */
    networks_fini(&set);
    assert_true(has("10.1.0.0/16 10.0.0.0/8", "10.255.0.1"));
    assert_false(has("10.0.0.0/9 10.192.0.0/10", "10.128.0.1"));
}

static void refused(void **state)
{
    static const char *const texts[] = { "",          "x",           "10.0.0.0/33", "10.0.0/8",  "::/129",    "/8",
                                         "10.0.0.0/", "10.0.0.0/-1", "1.2.3.4.5",   "host.name", "fe80::1%lo" };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct networks set = { 0 };

        assert_int_not_equal(networks_add(&set, str_of(texts[i])), 0);
        networks_fini(&set);
    }
}

static void thousands(void **state)
{
    enum { N = 3000, ASKED = 20000 };
    static uint32_t first[N], mask[N];
    struct networks set = { 0 };
    unsigned found = 0, seed = 1;

    for (unsigned i = 0; i < N; i++) {
        unsigned bits = 12 + (unsigned)rand_r(&seed) % 21;
        uint32_t address = (uint32_t)rand_r(&seed) << 1;
        char text[64];

        mask[i] = UINT32_MAX << (32 - bits);
        first[i] = address & mask[i];
        snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                 address & 255, bits);
        assert_int_equal(networks_add(&set, str_of(text)), 0);
    }
    networks_seal(&set);
    for (unsigned i = 0; i < ASKED; i++) {
        uint32_t address = (uint32_t)rand_r(&seed) << 1, wire = htonl(address);
        union sock_addr peer = { .in = { .sin_family = AF_INET, .sin_addr = { wire } } };
        uint8_t bytes[ADDRESS_LEN];
        bool expected = false;

        for (unsigned n = 0; n < N; n++)
            expected = expected || (address & mask[n]) == first[n];
        assert_true(address_of_peer(&peer, bytes));
        assert_int_equal(networks_have(&set, bytes), expected);
        found += expected;
    }
    assert_in_range(found, 100, ASKED - 100);
    networks_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),   cmocka_unit_test(families),  cmocka_unit_test(overlaps),
        cmocka_unit_test(refused), cmocka_unit_test(thousands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
