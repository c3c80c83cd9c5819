/* Ticket keys over time, and certificates that end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "super/super.h"
#include "wire/message.h"

#define HOUR_NS (3600ull * 1000000000)

/* ---- keys ---- */

static void a_key_is_replaced_when_it_is_due(void **state)
{
    struct tickets t;
    unsigned char first[TLS_TICKET_KEY_LEN], second[TLS_TICKET_KEY_LEN];

    tickets_init(&t, HOUR_NS);
    memcpy(first, t.keys[0], sizeof(first));
    assert_int_equal(t.n, 1);
    assert_false(tickets_turn(&t, HOUR_NS));
    assert_false(tickets_turn(&t, 9 * HOUR_NS - 1));
    assert_memory_equal(t.keys[0], first, sizeof(first));
    assert_true(tickets_turn(&t, 9 * HOUR_NS + 5)); /* late: the next is due in time all the same */
    assert_int_equal(t.n, 2);
    assert_memory_not_equal(t.keys[0], first, sizeof(first));
    assert_memory_equal(t.keys[1], first, sizeof(first));
    memcpy(second, t.keys[0], sizeof(second));
    assert_false(tickets_turn(&t, 17 * HOUR_NS - 1));
    assert_true(tickets_turn(&t, 17 * HOUR_NS));
    assert_int_equal(t.n, 3);
    assert_memory_equal(t.keys[1], second, sizeof(second));
    assert_memory_equal(t.keys[2], first, sizeof(first));
    assert_true(tickets_turn(&t, 25 * HOUR_NS)); /* 24 hours after it was made, the first is gone */
    assert_int_equal(t.n, 3);
    assert_memory_equal(t.keys[2], second, sizeof(second));
    for (size_t i = 0; i < t.n; i++)
        assert_memory_not_equal(t.keys[i], first, sizeof(first));
    tickets_wipe(&t);
    assert_int_equal(t.n, 0);
    assert_int_equal(t.keys[0][0] | t.keys[1][79] | t.keys[2][40], 0);
}

static void after_a_long_sleep_no_old_key_is_left(void **state)
{
    struct tickets t;
    unsigned char first[TLS_TICKET_KEY_LEN];

    tickets_init(&t, 0);
    memcpy(first, t.keys[0], sizeof(first));
    assert_true(tickets_turn(&t, 20 * HOUR_NS)); /* two at once */
    assert_int_equal(t.n, 3);
    assert_memory_equal(t.keys[2], first, sizeof(first));
    assert_false(tickets_turn(&t, 23 * HOUR_NS));
    assert_true(tickets_turn(&t, 1000 * HOUR_NS));
    assert_int_equal(t.n, 1);
    assert_memory_not_equal(t.keys[0], first, sizeof(first));
    assert_false(tickets_turn(&t, 999 * HOUR_NS)); /* a clock that goes back turns nothing */
}

static void the_edge_gets_them_newest_first(void **state)
{
    struct tickets t;
    struct str blob;
    int fd;

    tickets_init(&t, 0);
    assert_true(tickets_turn(&t, 8 * HOUR_NS));
    fd = tickets_blob(&t);
    assert_true(fd >= 0);
    assert_int_equal(wire_blob_read(fd, (size_t)TLS_TICKET_KEYS_MAX * TLS_TICKET_KEY_LEN, &blob), 0);
    assert_int_equal(blob.n, 2 * TLS_TICKET_KEY_LEN);
    assert_memory_equal(blob.p, t.keys, blob.n);
    mem_free((char *)(uintptr_t)blob.p);
    close(fd);
}

/* ---- certificates ---- */

static char said[4096];

static void keep(void *arg, struct str line)
{
    size_t n = strlen(said);

    assert_true(n + line.n < sizeof(said));
    memcpy(said + n, line.p, line.n);
    said[n + line.n] = '\0';
}

static size_t count(const char *word)
{
    size_t n = 0;

    for (const char *p = said; (p = strstr(p, word)) != NULL; p++)
        n++;
    return n;
}

static void what_ends_soon_is_said_once_a_day(void **state)
{
    struct log log = { .level = LOG_INFO, .format = LOG_TEXT, .process = "supervisor", .sink = keep };
    struct tls_care_cert certs[] = {
        { .file = (char *)"good.pem", .name = (char *)"good.test", .expires = 1000000000, .warn_from = 990000000 },
        { .file = (char *)"soon.pem", .name = (char *)"soon.test", .expires = 10 * 86400, .warn_from = 1000 },
    };
    struct tls_care care = { .certs = certs, .n_certs = 2 };

    said[0] = '\0';
    tls_care_warn(&care, &log, 999);
    assert_string_equal(said, "");
    tls_care_warn(&care, &log, 86400); /* within a day of that look */
    assert_string_equal(said, "");
    tls_care_warn(&care, &log, 2 * 86400);
    assert_int_equal(count("a certificate expires soon"), 1);
    assert_non_null(strstr(said, "soon.pem"));
    assert_non_null(strstr(said, "days=8"));
    tls_care_warn(&care, &log, 3 * 86400 - 1);
    assert_int_equal(count("\n"), 1);
    tls_care_warn(&care, &log, 3 * 86400);
    assert_int_equal(count("\n"), 2);
    tls_care_warn(&care, &log, 11 * 86400);
    assert_int_equal(count("a certificate has expired"), 1);
    assert_null(strstr(said, "good"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_replaced_when_it_is_due),
        cmocka_unit_test(after_a_long_sleep_no_old_key_is_left),
        cmocka_unit_test(the_edge_gets_them_newest_first),
        cmocka_unit_test(what_ends_soon_is_said_once_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
