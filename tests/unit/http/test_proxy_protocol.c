/*
 * The PROXY protocol: both versions, whole and byte by byte, and everything that is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/proxy_protocol.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

struct row {
    struct str bytes;
    enum proxy_result result;
    struct proxy_header header;
};

static const struct row rows[] = {
    /* the examples of the specification, 2.1 */
    { STR_INIT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
      PROXY_HEADER,
      { 56, PROXY_V4, { 255, 255, 255, 255 }, 65535, false } },
    { STR_INIT("PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP6 2001:db8::1 ::1 0 443\r\n"),
      PROXY_HEADER,
      { 34, PROXY_V6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, 0, false } },
    { STR_INIT("PROXY UNKNOWN\r\n"), PROXY_HEADER, { .length = 15 } },
    { STR_INIT("PROXY UNKNOWN ffff::1 whatever\r\n"), PROXY_HEADER, { .length = 32 } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n"),
      PROXY_HEADER,
      { 47, PROXY_V4, { 192, 168, 0, 1 }, 56324, false } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 1\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11  56324 443\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11 056324 443\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4 192.168.0.1 192.168.0.11 65536 443\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4 ::1 192.168.0.11 1 443\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP6 192.168.0.1 ::1 1 443\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP5 192.168.0.1 192.168.0.11 1 443\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY TCP4\r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY \r\n"), PROXY_BAD, { 0 } },
    { STR_INIT("PROXY / HTTP/1.1\r\n"), PROXY_BAD, { 0 } },
    /* 2.2 */
    { STR_INIT(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"
                         "GET"),
      PROXY_HEADER,
      { 28, PROXY_V4, { 192, 0, 2, 1 }, 0xdc04, false } },
    { STR_INIT(SIGNATURE "\x21\x21\0\x24"
                         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\x50\1\xbb"),
      PROXY_HEADER,
      { 52, PROXY_V6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, 80, false } },
    { STR_INIT(SIGNATURE "\x20\0\0\0"), PROXY_HEADER, { .length = 16 } },    /* LOCAL */
    { STR_INIT(SIGNATURE "\x20\x11\0\1x"), PROXY_HEADER, { .length = 17 } }, /* all of it is skipped */
    { STR_INIT(SIGNATURE "\x21\0\0\3abc"), PROXY_HEADER, { .length = 19 } }, /* UNSPEC */
    { STR_INIT(SIGNATURE "\x21\x10\0\0"), PROXY_HEADER, { .length = 16 } },  /* UNSPEC transport */
    { STR_INIT(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1"),
      PROXY_BAD,
      { 0 } }, /* room for less than there is */
    { STR_INIT(SIGNATURE "\x21\x41\0\0"), PROXY_BAD, { 0 } },
    { STR_INIT(SIGNATURE "\x21\x13\0\0"), PROXY_BAD, { 0 } },
    { STR_INIT(SIGNATURE "\x22\x11\0\0"), PROXY_BAD, { 0 } },
    { STR_INIT(SIGNATURE "\x11\x11\0\0"), PROXY_BAD, { 0 } },
    { STR_INIT(SIGNATURE "\x21\x11\x08\0"), PROXY_BAD, { 0 } }, /* longer than we take */
    { STR_INIT(SIGNATURE "\x21\x11\0\x1a\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"
                         "\x04\0\1n"                    /* NOOP */
                         "\x20\0\x07\1\0\0\0\0\x21\0"), /* SSL, with the beginning of something inside */
      PROXY_HEADER,
      { 42, PROXY_V4, { 192, 0, 2, 1 }, 0xdc04, true } },
    { STR_INIT(SIGNATURE "\x21\x11\0\x14\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"
                         "\x20\0\5\0\0\0\0\0"),
      PROXY_HEADER,
      { 36, PROXY_V4, { 192, 0, 2, 1 }, 0xdc04, false } },
    { STR_INIT(SIGNATURE "\x21\x11\0\x10\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"
                         "\x04\0\2n"),
      PROXY_BAD,
      { 0 } }, /* a TLV past the end */
    { STR_INIT(SIGNATURE "\x21\x11\0\x0e\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb"
                         "\x04\0"),
      PROXY_BAD,
      { 0 } },
    /* others */
    { STR_INIT("GET / HTTP/1.1\r\n"), PROXY_ABSENT, { 0 } },
    { STR_INIT("PRI * HTTP/2.0\r\n"), PROXY_ABSENT, { 0 } },
    { STR_INIT("\x16\3\1"), PROXY_ABSENT, { 0 } },
    { STR_INIT("\r\n\r\nGET"), PROXY_ABSENT, { 0 } },
    { STR_INIT("proxy tcp4"), PROXY_ABSENT, { 0 } },
    { STR_INIT(""), PROXY_MORE, { 0 } },
    { STR_INIT("PROXY"), PROXY_MORE, { 0 } },
    { STR_INIT("\r"), PROXY_MORE, { 0 } },
};

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proxy_header h;
        enum proxy_result r = proxy_parse(rows[i].bytes, &h);

        if (r != rows[i].result)
            fail_msg("row %zu: %d instead of %d", i, r, rows[i].result);
        if (r != PROXY_HEADER)
            continue;
        assert_int_equal(h.length, rows[i].header.length);
        assert_int_equal(h.family, rows[i].header.family);
        assert_memory_equal(h.source, rows[i].header.source, 16);
        assert_int_equal(h.source_port, rows[i].header.source_port);
        assert_int_equal(h.tls, rows[i].header.tls);
    }
}

/* Whatever part of a header has come, it says MORE; a header never changes its mind. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t n = 0; n < rows[i].bytes.n; n++) {
            struct proxy_header h;
            enum proxy_result r = proxy_parse(str_make(rows[i].bytes.p, n), &h);

            if (r != PROXY_MORE && r != rows[i].result)
                fail_msg("row %zu cut at %zu: %d instead of %d", i, n, r, rows[i].result);
            if (rows[i].result == PROXY_HEADER)
                assert_int_equal(r == PROXY_MORE, n < rows[i].header.length);
        }
    }
}

static void test_long_lines(void **state)
{
    char text[200];
    struct proxy_header h;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "PROXY UNKNOWN ", 14);
    assert_int_equal(proxy_parse(str_make(text, 106), &h), PROXY_MORE);
    assert_int_equal(proxy_parse(str_make(text, 107), &h), PROXY_BAD);
    text[105] = '\r';
    text[106] = '\n';
    assert_int_equal(proxy_parse(str_make(text, sizeof(text)), &h), PROXY_HEADER);
    assert_int_equal(h.length, 107);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_long_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
