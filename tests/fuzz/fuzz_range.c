/*
 * Ranges: an input is the field lines of a request. Whatever is asked for, what is answered lies inside the representation, no byte of it twice, and
 * no two parts nearer to each other than a part is worth.
 */
#include <stdint.h>

#include "base/buf.h"
#include "http/h1.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { 100, 20, 2000 };
static const struct http_validators validators = { STR_INIT("\"v2\""), 784111777, 784115377 };

static void check_apart(const struct http_range *a, const struct http_range *b)
{
    const struct http_range *low = a->first < b->first ? a : b, *high = low == a ? b : a;

    must(high->first > low->last && high->first - low->last - 1 > HTTP_RANGE_GAP);
}

static void check(const struct http_head *head, const char *text, uint64_t size)
{
    struct http_ranges r;

    if (http_range_evaluate(head, text, &validators, size, &r) != HTTP_RANGE_SOME)
        return;
    must(head->method == HTTP_GET && r.n >= 1 && r.n <= HTTP_RANGES_MAX);
    for (uint32_t i = 0; i < r.n; i++) {
        must(r.at[i].first <= r.at[i].last && r.at[i].last < size);
        for (uint32_t k = 0; k < i; k++)
            check_apart(&r.at[i], &r.at[k]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head head;
    struct h1_parser parser;
    struct buf b;

    buf_init(&b, HTTP_HEAD_MAX);
    if (buf_add_str(&b, STR("GET / HTTP/1.1\r\nHost: a\r\n")) == 0 && buf_add(&b, data, size) == 0 &&
        buf_add_str(&b, STR("\r\n\r\n")) == 0) {
        h1_head_begin(&parser, &limits, &head);
        if (h1_head_parse(&parser, b.data, b.len, &head) == H1_DONE) {
            check(&head, b.data, 0);
            check(&head, b.data, 1);
            check(&head, b.data, 1000);
            check(&head, b.data, UINT64_MAX);
        }
    }
    buf_fini(&b);
    return 0;
}
