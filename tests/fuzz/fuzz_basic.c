/*
 * Basic credentials: an input is the value of an Authorization field. What is found lies in the caller's bytes, is whole by a second reading of them, and
 * is what the value says: written again and read again it is the same.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "http/basic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648 4, three bytes at a time. */
static void add_base64(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i += 3) {
        size_t n = text.n - i < 3 ? text.n - i : 3;
        uint32_t word = 0;

        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < n ? (unsigned char)text.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            must(buf_add_char(b, k <= n ? digits[word >> (18 - 6 * k) & 63] : '=') == 0);
    }
}

static void check_again(const char *bytes, struct str name, struct str password)
{
    struct str text = str_make(bytes, name.n + 1 + password.n), name2, password2;
    char again[HTTP_BASIC_MAX + 1];
    struct buf b;

    buf_init(&b, 2 * HTTP_BASIC_MAX);
    must(buf_add_str(&b, STR("bAsIc ")) == 0);
    add_base64(&b, text);
    must(http_basic_parse(str_make(b.data, b.len), again, &name2, &password2) == 0);
    must(str_eq(name, name2) && str_eq(password, password2));
    buf_fini(&b);
}

static void check(const char *bytes, struct str name, struct str password)
{
    must(name.p == bytes && password.p == bytes + name.n + 1 && bytes[name.n] == ':');
    must(name.n + 1 + password.n <= HTTP_BASIC_MAX && password.p[password.n] == '\0');
    must(name.n == 0 || memchr(name.p, ':', name.n) == NULL);
    for (size_t i = 0; i < name.n + 1 + password.n; i++)
        must((unsigned char)bytes[i] >= ' ' && bytes[i] != 0x7f);
    check_again(bytes, name, password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_make((const char *)data, size), name, password;
    char bytes[HTTP_BASIC_MAX + 1];
    int r = http_basic_parse(value, bytes, &name, &password);

    must(r == 0 || r == -EINVAL || r == -ENOENT);
    must((r == -ENOENT) ==
         (size < 5 || !str_eq_nocase(str_cut(value, 0, 5), STR("Basic")) || (size > 5 && data[5] != ' ')));
    if (r == 0)
        check(bytes, name, password);
    return 0;
}
