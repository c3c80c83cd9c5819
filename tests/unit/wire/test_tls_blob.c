/* Certificates in a blob: there and back, and every cut of one is refused or shorter. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/tls_blob.h"

#define HEAD (4 + 12 + 6 + 2) /* who is asked, and the authority */

static struct tls_blob blob;

static void write_two(struct buf *out)
{
    static const struct tls_blob two = {
        .client_auth = 2,
        .client_ca = { STR_INIT("ca.pem"), STR_INIT("CA"), STR_INIT("") },
        .n = 2,
        .pairs = { { STR_INIT("a.pem"), STR_INIT("CERT A"), STR_INIT("KEY A") },
                   { STR_INIT("b.pem"), STR_INIT("CERT B"), STR_INIT("") } },
    };

    buf_init(out, TLS_BLOB_MAX);
    assert_int_equal(tls_blob_write(out, &two), 0);
}

static void test_there_and_back(void **state)
{
    struct buf b;

    write_two(&b);
    assert_int_equal(tls_blob_read(buf_str(&b), &blob), 0);
    assert_int_equal(blob.n, 2);
    assert_int_equal(blob.client_auth, 2);
    assert_true(str_eq(blob.client_ca.label, STR("ca.pem")));
    assert_true(str_eq(blob.client_ca.cert_pem, STR("CA")));
    assert_true(str_eq(blob.pairs[0].label, STR("a.pem")));
    assert_true(str_eq(blob.pairs[0].cert_pem, STR("CERT A")));
    assert_true(str_eq(blob.pairs[0].key_pem, STR("KEY A")));
    assert_true(str_eq(blob.pairs[1].cert_pem, STR("CERT B")));
    assert_int_equal(blob.pairs[1].key_pem.n, 0);
    buf_fini(&b);
}

static void test_cuts(void **state)
{
    size_t first_ends = HEAD + 12 + 5 + 6 + 5;
    struct buf b;

    write_two(&b);
    for (size_t cut = 0; cut < b.len; cut++) {
        int r = tls_blob_read(str_make(b.data, cut), &blob);

        if (cut == HEAD || cut == first_ends)
            assert_int_equal(r, 0);
        else
            assert_int_equal(r, -EPROTO);
    }
    buf_fini(&b);
}

static void test_lies(void **state)
{
    struct buf b;

    write_two(&b);
    memset(b.data + HEAD, 0xff, 4); /* a length */
    assert_int_equal(tls_blob_read(buf_str(&b), &blob), -EPROTO);
    buf_fini(&b);
    write_two(&b);
    b.data[3] = 3; /* no such way to ask */
    assert_int_equal(tls_blob_read(buf_str(&b), &blob), -EPROTO);
    buf_fini(&b);
    write_two(&b);
    b.data[15] = 1; /* a key of the authority's, which is nobody's to have */
    assert_int_equal(tls_blob_read(buf_str(&b), &blob), -EPROTO);
    buf_fini(&b);
}

static void test_too_many(void **state)
{
    struct buf b;

    blob = (struct tls_blob){ .n = TLS_BLOB_PAIRS_MAX + 1 };
    buf_init(&b, TLS_BLOB_MAX);
    assert_int_equal(tls_blob_write(&b, &blob), -EMSGSIZE);
    buf_clear(&b);
    blob.n = TLS_BLOB_PAIRS_MAX;
    assert_int_equal(tls_blob_write(&b, &blob), 0);
    assert_int_equal(tls_blob_read(buf_str(&b), &blob), 0);
    assert_int_equal(blob.n, TLS_BLOB_PAIRS_MAX);
    assert_int_equal(buf_add(&b, "\0\0\0\0\0\0\0\0\0\0\0\0", 12), 0); /* one empty pair more */
    assert_int_equal(tls_blob_read(buf_str(&b), &blob), -EPROTO);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
