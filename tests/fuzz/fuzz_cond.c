/*
 * Preconditions: an input is the field lines of a request. A method that does not read is never told 304.
 */
#include <stdint.h>

#include "base/buf.h"
#include "http/cond.h"
#include "http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { 100, 20, 1000 };

static void check(const struct http_head *head, const char *text, const struct http_validators *v)
{
    bool reads = head->method == HTTP_GET || head->method == HTTP_HEAD;

    must(http_cond_evaluate(head, text, v) != HTTP_COND_NOT_MODIFIED || reads);
    (void)http_if_range_holds(head, text, v);
}

static void run(struct str request_line, struct str fields)
{
    static const struct http_validators strong = { STR_INIT("\"v2\""), 784111777, 784115377 };
    static const struct http_validators weak = { STR_INIT("W/\"v2\""), 784111777, 784111777 };
    static const struct http_validators none = { STR_INIT(""), -1, 784111777 };
    static struct http_head head;
    struct h1_parser parser;
    struct buf b;

    buf_init(&b, HTTP_HEAD_MAX);
    if (buf_add_str(&b, request_line) == 0 && buf_add_str(&b, fields) == 0 && buf_add_str(&b, STR("\r\n\r\n")) == 0) {
        h1_head_begin(&parser, &limits, &head);
        if (h1_head_parse(&parser, b.data, b.len, &head) == H1_DONE) {
            check(&head, b.data, &strong);
            check(&head, b.data, &weak);
            check(&head, b.data, &none);
        }
    }
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str fields = str_make((const char *)data, size);

    run(STR("GET / HTTP/1.1\r\nHost: a\r\n"), fields);
    run(STR("PUT / HTTP/1.1\r\nHost: a\r\n"), fields);
    return 0;
}
