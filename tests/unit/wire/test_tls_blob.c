/* Certificates in a blob: there and back, and every cut of one is refused or shorter. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/tls_blob.h"

static const unsigned char key[TLS_BLOB_TICKET_KEY] = "ticket";

static void write_two(struct buf *out)
{
    const struct tls_blob_pair pairs[] = {
        { STR_INIT("a.pem"), STR_INIT("CERT A"), STR_INIT("KEY A") },
        { STR_INIT("b.pem"), STR_INIT("CERT B"), STR_INIT("") },
    };

    buf_init(out, TLS_BLOB_MAX);
    assert_int_equal(tls_blob_write(out, key, pairs, 2), 0);
}

static void test_there_and_back(void **state)
{
    static struct tls_blob_pair pairs[TLS_BLOB_PAIRS_MAX];
    unsigned char k[TLS_BLOB_TICKET_KEY];
    struct buf b;
    size_t n;

    write_two(&b);
    assert_int_equal(tls_blob_read(buf_str(&b), k, pairs, &n), 0);
    assert_int_equal(n, 2);
    assert_memory_equal(k, key, sizeof(k));
    assert_true(str_eq(pairs[0].label, STR("a.pem")));
    assert_true(str_eq(pairs[0].cert_pem, STR("CERT A")));
    assert_true(str_eq(pairs[0].key_pem, STR("KEY A")));
    assert_true(str_eq(pairs[1].cert_pem, STR("CERT B")));
    assert_int_equal(pairs[1].key_pem.n, 0);
    buf_fini(&b);
}

static void test_cuts(void **state)
{
    static struct tls_blob_pair pairs[TLS_BLOB_PAIRS_MAX];
    unsigned char k[TLS_BLOB_TICKET_KEY];
    size_t first_ends = TLS_BLOB_TICKET_KEY + 12 + 5 + 6 + 5;
    struct buf b;
    size_t n;

    write_two(&b);
    for (size_t cut = 0; cut < b.len; cut++) {
        int r = tls_blob_read(str_make(b.data, cut), k, pairs, &n);

        if (cut == TLS_BLOB_TICKET_KEY || cut == first_ends)
            assert_int_equal(r, 0);
        else
            assert_int_equal(r, -EPROTO);
    }
    buf_fini(&b);
}

static void test_lying_length(void **state)
{
    static struct tls_blob_pair pairs[TLS_BLOB_PAIRS_MAX];
    unsigned char k[TLS_BLOB_TICKET_KEY];
    struct buf b;
    size_t n;

    write_two(&b);
    memset(b.data + TLS_BLOB_TICKET_KEY, 0xff, 4);
    assert_int_equal(tls_blob_read(buf_str(&b), k, pairs, &n), -EPROTO);
    buf_fini(&b);
}

static void test_too_many(void **state)
{
    static struct tls_blob_pair pairs[TLS_BLOB_PAIRS_MAX + 1];
    unsigned char k[TLS_BLOB_TICKET_KEY];
    struct buf b;
    size_t n;

    buf_init(&b, TLS_BLOB_MAX);
    assert_int_equal(tls_blob_write(&b, key, pairs, TLS_BLOB_PAIRS_MAX + 1), -EMSGSIZE);
    buf_clear(&b);
    assert_int_equal(tls_blob_write(&b, key, pairs, TLS_BLOB_PAIRS_MAX), 0);
    assert_int_equal(tls_blob_read(buf_str(&b), k, pairs, &n), 0);
    assert_int_equal(n, TLS_BLOB_PAIRS_MAX);
    assert_int_equal(buf_add(&b, "\0\0\0\0\0\0\0\0\0\0\0\0", 12), 0); /* one empty pair more */
    assert_int_equal(tls_blob_read(buf_str(&b), k, pairs, &n), -EPROTO);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_lying_length),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
