/*
 * Accept-Encoding: an input is the field's value. What is chosen is there and wanted, and nothing wanted more was passed over.
 */
#include <stdint.h>

#include "base/buf.h"
#include "http/encoding.h"
#include "http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { 100, 20, 1000 };

static void check(const struct http_encodings *encodings, unsigned have)
{
    enum coding chosen = http_encodings_choose(encodings, have);

    must(chosen == CODING_IDENTITY || (have & CODING_BIT(chosen)) != 0);
    must(chosen == CODING_IDENTITY || encodings->q[chosen] > 0);
    for (int i = 0; i < CODINGS; i++) {
        must(encodings->q[i] <= HTTP_Q_MAX);
        must(i == CODING_IDENTITY || (have & CODING_BIT(i)) == 0 || encodings->q[i] <= encodings->q[chosen]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head head;
    struct http_encodings encodings;
    struct h1_parser parser;
    struct buf b;

    buf_init(&b, HTTP_HEAD_MAX);
    if (buf_add_str(&b, STR("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ")) == 0 && buf_add(&b, data, size) == 0 &&
        buf_add_str(&b, STR("\r\n\r\n")) == 0) {
        h1_head_begin(&parser, &limits, &head);
        if (h1_head_parse(&parser, b.data, b.len, &head) == H1_DONE) {
            http_encodings_read(&head, b.data, &encodings);
            for (unsigned have = 0; have <= CODING_ALL; have += 2)
                check(&encodings, have);
        }
    }
    buf_fini(&b);
    return 0;
}
