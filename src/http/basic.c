/* "Basic " and base64 (RFC 4648 4). */
#include "http/basic.h"

#include <errno.h>

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding may be left out, but what is there must be right; bits behind the last byte are zero. */
static int decode(struct str in, char *out, size_t room, size_t *n)
{
    unsigned bits = 0, n_bits = 0;
    size_t len = in.n;

    *n = 0;
    while (len > 0 && in.n - len < 2 && in.p[len - 1] == '=')
        len--;
    if (len % 4 == 1 || (len < in.n && in.n % 4 != 0))
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        int value = digit(in.p[i]);

        if (value < 0)
            return -EINVAL;
        bits = (bits << 6 | (unsigned)value) & 0xffff;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        if (*n == room)
            return -EINVAL;
        out[(*n)++] = (char)(bits >> n_bits & 0xff);
    }
    return (bits & ((1u << n_bits) - 1)) == 0 ? 0 : -EINVAL;
}

int http_basic_parse(struct str value, char out[HTTP_BASIC_MAX + 1], struct str *name, struct str *password)
{
    struct str rest = value, scheme = str_split(&rest, ' ');
    size_t n;

    if (!str_eq_nocase(scheme, STR("Basic")))
        return -ENOENT;
    if (rest.p == NULL || decode(str_trim(rest), out, HTTP_BASIC_MAX, &n) != 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
            return -EINVAL;
    out[n] = '\0'; /* ends the password */
    *password = str_make(out, n);
    *name = str_split(password, ':');
    return password->p != NULL ? 0 : -EINVAL;
}
