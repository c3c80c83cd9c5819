/* Blocks of response fields: the library's decoder, which a client may be, gets out what was put in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "http/hpack.h"

static struct {
    struct hpack h;
    nghttp2_hd_inflater *inflater;
} t;

static int begin(void **state)
{
    (void)state;
    hpack_init(&t.h);
    return nghttp2_hd_inflate_new(&t.inflater);
}

static int finish(void **state)
{
    (void)state;
    nghttp2_hd_inflate_del(t.inflater);
    return 0;
}

static void assert_field(const nghttp2_nv *nv, struct str name, struct str value)
{
    assert_true(str_eq_nocase(str_make((const char *)nv->name, nv->namelen), name));
    for (size_t i = 0; i < nv->namelen; i++)
        assert_false(nv->name[i] >= 'A' && nv->name[i] <= 'Z');
    assert_true(str_eq(str_make((const char *)nv->value, nv->valuelen), value));
}

/* Its length, after it was decoded and found right. */
static size_t encode(unsigned status, const struct header *fields, size_t n)
{
    char *out = mem_alloc(hpack_bound(fields, n)); /* exactly, for the sanitizer */
    size_t size = hpack_encode(&t.h, status, fields, n, out), at = 0, seen = 0;
    char digits[4] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10) };
    int flags = 0;

    assert_true(size <= hpack_bound(fields, n));
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        ssize_t used =
            nghttp2_hd_inflate_hd2(t.inflater, &nv, &flags, (const uint8_t *)out + at, size - at, at == size);

        if (at == size)
            used = nghttp2_hd_inflate_hd2(t.inflater, &nv, &flags, NULL, 0, 1);
        assert_true(used >= 0);
        at += (size_t)used;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0)
            continue;
        if (seen == 0)
            assert_field(&nv, STR(":status"), str_make(digits, 3));
        else
            assert_field(&nv, fields[seen - 1].name, fields[seen - 1].value);
        seen++;
    }
    assert_int_equal(seen, n + 1);
    assert_int_equal(at, size);
    nghttp2_hd_inflate_end_headers(t.inflater);
    mem_free(out);
    return size;
}

static void what_was_sent_is_a_byte(void **state)
{
    const struct header fields[] = { { STR("Content-Type"), STR("text/css") },
                                     { STR("X-Frame-Options"), STR("DENY") },
                                     { STR("date"), STR("Sun, 06 Nov 1994 08:49:37 GMT") },
                                     { STR("x-empty"), STR("") } };

    (void)state;
    assert_true(encode(200, fields, ARRAY_LEN(fields)) > 50);
    for (int i = 0; i < 100; i++)
        assert_int_equal(encode(200, fields, ARRAY_LEN(fields)), 1 + ARRAY_LEN(fields));
}

static void every_name_of_the_static_table(void **state)
{
    static const char *const names[] = { "accept-ranges",
                                         "access-control-allow-origin",
                                         "age",
                                         "allow",
                                         "cache-control",
                                         "content-disposition",
                                         "content-encoding",
                                         "content-language",
                                         "content-length",
                                         "content-location",
                                         "content-range",
                                         "content-type",
                                         "date",
                                         "etag",
                                         "expires",
                                         "last-modified",
                                         "link",
                                         "location",
                                         "proxy-authenticate",
                                         "refresh",
                                         "retry-after",
                                         "server",
                                         "set-cookie",
                                         "strict-transport-security",
                                         "vary",
                                         "via",
                                         "www-authenticate" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct header field = { str_of(names[i]), STR("value") };

        assert_true(encode(200, &field, 1) <= 1 + 2 + 6); /* no name in it */
    }
}

static void every_status(void **state)
{
    (void)state;
    for (unsigned status = 200; status < 600; status++)
        assert_true(encode(status, NULL, 0) <= 5);
    assert_int_equal(encode(304, NULL, 0), 1);
}

/* An id's name is indexed, and nothing of it enters the table again. */
static void unique_values_do_not_fill_the_table(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char id[33];
        struct header fields[] = { { STR("X-Request-ID"), str_of(id) }, { STR("ETag"), str_of(id) } };

        (void)snprintf(id, sizeof(id), "%032x", (unsigned)(i * 2654435761));
        assert_true(encode(200, fields, 2) <= (i == 0 ? 90 : 75));
    }
    assert_true(t.h.n < 10); /* two thousand came; hardly one was taken for another */
}

static void what_comes_again_is_kept(void **state)
{
    struct header fields[] = { { STR("Content-Length"), STR("1024") }, { STR("ETag"), STR("\"1700000000-400\"") } };

    (void)state;
    assert_true(encode(200, fields, 2) > 20);
    assert_int_equal(t.h.n, 0);
    assert_true(encode(200, fields, 2) > 20);
    assert_int_equal(t.h.n, 2);
    assert_int_equal(encode(200, fields, 2), 3);
}

/* As many as a page of ours has, again and again: none drives another out. */
static void fields_of_every_response_stay(void **state)
{
    (void)state;
    for (unsigned site = 0; site < 300; site++) {
        struct header fields[15];
        char text[15][2][40];
        size_t n = 0;

        hpack_init(&t.h);
        nghttp2_hd_inflate_del(t.inflater);
        assert_int_equal(nghttp2_hd_inflate_new(&t.inflater), 0);
        for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
            (void)snprintf(text[i][0], sizeof(text[i][0]), "X-Field-%u", i * site);
            (void)snprintf(text[i][1], sizeof(text[i][1]), "value %u of %u", i, site);
            fields[i] = (struct header){ str_of(text[i][0]), str_of(text[i][1]) };
        }
        (void)encode(200, fields, ARRAY_LEN(fields));
        for (int i = 0; i < 3; i++)
            n = encode(200, fields, ARRAY_LEN(fields));
        assert_int_equal(n, 16);
    }
}

static void cookies_are_never_indexed(void **state)
{
    struct header field = { STR("Set-Cookie"), STR("sessionid=secret") };
    char out[100];

    (void)state;
    assert_true(hpack_encode(&t.h, 200, &field, 1, out) > 16);
    assert_int_equal(out[1] & 0xf0, 0x10); /* RFC 7541 6.2.3 */
    assert_int_equal(t.h.n, 0);
}

/* Fields of all sizes, many of them again, names that share hashes: through any number of full tables. */
static void a_full_table_is_emptied(void **state)
{
    unsigned seed = 1, emptied = 0;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct header fields[8];
        char text[8][2][3000];
        uint32_t before = t.h.n;

        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
            unsigned r = (seed = seed * 1103515245 + 12345) >> 8, size = r % 50 == 0 ? r % 2900 : r % 40;

            memset(text[i], 'x', sizeof(text[i]));
            (void)snprintf(text[i][0], sizeof(text[i][0]), r % 3 == 0 ? "X-Name-%u" : "n%u", r % 97);
            fields[i] = (struct header){ str_of(text[i][0]), str_make(text[i][1], size) };
            text[i][1][0] = (char)('a' + r % 23);
        }
        (void)encode(200 + (unsigned)round % 300, fields, ARRAY_LEN(fields));
        emptied += t.h.n < before;
        assert_true(t.h.size <= HPACK_TABLE && t.h.used <= HPACK_TABLE);
    }
    assert_true(emptied > 100);
}

static void set_limit(uint32_t size)
{
    assert_int_equal(nghttp2_hd_inflate_change_table_size(t.inflater, size), 0);
    hpack_limit(&t.h, size);
}

/* The decoder insists on hearing of a smaller table. */
static void the_clients_limit(void **state)
{
    static const uint32_t limits[] = { 65536, 0, 100, 4096, 31, 200, 0, 1u << 31 };
    struct header fields[] = { { STR("x-one"), STR("1") }, { STR("x-two"), STR("2") }, { STR("date"), STR("now") } };

    (void)state;
    (void)encode(200, fields, ARRAY_LEN(fields));
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        set_limit(limits[i]);
        (void)encode(200, fields, ARRAY_LEN(fields));
        assert_true(t.h.size <= limits[i]);
        (void)encode(200, fields, ARRAY_LEN(fields));
    }
    set_limit(0); /* and back, between two heads */
    set_limit(4096);
    (void)encode(200, fields, ARRAY_LEN(fields));
    assert_int_equal(encode(200, fields, ARRAY_LEN(fields)), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_sent_is_a_byte, begin, finish),
        cmocka_unit_test_setup_teardown(every_name_of_the_static_table, begin, finish),
        cmocka_unit_test_setup_teardown(every_status, begin, finish),
        cmocka_unit_test_setup_teardown(unique_values_do_not_fill_the_table, begin, finish),
        cmocka_unit_test_setup_teardown(what_comes_again_is_kept, begin, finish),
        cmocka_unit_test_setup_teardown(fields_of_every_response_stay, begin, finish),
        cmocka_unit_test_setup_teardown(cookies_are_never_indexed, begin, finish),
        cmocka_unit_test_setup_teardown(a_full_table_is_emptied, begin, finish),
        cmocka_unit_test_setup_teardown(the_clients_limit, begin, finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
