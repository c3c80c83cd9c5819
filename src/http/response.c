/*
 * Response heads: each writer reserves once and copies.
 */
#include "http/response.h"

#include "base/digits.h"
#include "http/chars.h"
#include "http/head.h"

static char *put(char *out, struct str s)
{
    if (s.n > 0)
        memcpy(out, s.p, s.n);
    return out + s.n;
}

int http_response_begin(struct buf *b, unsigned status, struct str reason)
{
    struct str version = STR("HTTP/1.1 ");
    char code[4];
    char *out;
    int err;

    must(status >= 100 && status <= 999);
    if (reason.n == 0)
        reason = http_reason(status);
    err = buf_reserve(b, version.n + sizeof(code) + reason.n + 2);
    if (err < 0)
        return err;
    code[0] = (char)('0' + status / 100);
    code[1] = (char)('0' + status / 10 % 10);
    code[2] = (char)('0' + status % 10);
    code[3] = ' ';
    out = put(put(put(b->data + b->len, version), str_make(code, sizeof(code))), reason);
    out = put(out, STR("\r\n"));
    buf_commit(b, (size_t)(out - (b->data + b->len)));
    return 0;
}

int http_response_field(struct buf *b, struct str name, struct str value)
{
    size_t n = name.n + 2 + value.n + 2;
    int err = n > b->cap - b->len ? buf_reserve(b, n) : 0;

    if (err < 0)
        return err;
    put(put(put(put(b->data + b->len, name), STR(": ")), value), STR("\r\n"));
    b->len += n;
    return 0;
}

int http_response_number(struct buf *b, struct str name, uint64_t value)
{
    char digits[DIGITS_U64];

    return http_response_field(b, name, str_make(digits, digits_u64(digits, value)));
}

int http_response_end(struct buf *b)
{
    return buf_add_str(b, STR("\r\n"));
}

bool http_response_field_valid(struct str name, struct str value)
{
    return http_is_token(name) && http_span(value, http_field_char) == value.n;
}

bool http_response_reason_valid(struct str reason)
{
    return http_span(reason, http_field_char) == reason.n;
}

bool http_status_has_content(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

bool http_status_may_have_length(unsigned status)
{
    return status >= 200 && status != 204;
}

size_t http_chunk_head(char out[HTTP_CHUNK_HEAD_MAX], size_t n)
{
    char digits[sizeof(n) * 2];
    size_t first = sizeof(digits);

    must(n > 0);
    for (; n > 0; n >>= 4)
        digits[--first] = "0123456789abcdef"[n & 15];
    return (size_t)(put(put(out, str_make(digits + first, sizeof(digits) - first)), STR("\r\n")) - out);
}
