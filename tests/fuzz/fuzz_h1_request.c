/*
 * Request heads, differentially: the message in one piece and the message in pieces must give the same answer and the
 * same head. The first CUTS bytes of an input are the lengths of the pieces, used in turn; the message follows.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/h1.h"
#include "http/uri.h"

#define CUTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { 200, 12, 100 }; /* small, so that they are met */

struct answer {
    enum h1_result result;
    struct h1_parser parser;
    struct http_head head;
};

/* Each arrival in memory of exact size, so that a look past its end is seen. */
static void parse(struct answer *a, struct str message, const uint8_t *cuts)
{
    size_t n = 0;

    memset(a, 0, sizeof(*a));
    h1_head_begin(&a->parser, &limits, &a->head);
    for (size_t i = 0; a->result == H1_MORE && n < message.n; i++) {
        size_t step = cuts ? (size_t)cuts[i % CUTS] + 1 : message.n;
        char *arrived;

        n = step < message.n - n ? n + step : message.n;
        arrived = malloc(n);
        must(arrived);
        memcpy(arrived, message.p, n);
        a->result = h1_head_parse(&a->parser, arrived, n, &a->head);
        free(arrived);
    }
}

static void check_span(struct span s, const struct http_head *head)
{
    must(s.off <= head->length && s.len <= head->length - s.off);
}

/* What every reader of a head relies on. */
static void check_head(const struct http_head *head, struct str message)
{
    struct uri_authority authority;

    must(head->length <= message.n && head->length <= HTTP_HEAD_MAX && head->n_fields <= limits.fields);
    must(str_ends(str_cut(message, 0, head->length), STR("\r\n\r\n")));
    check_span(head->method_text, head);
    check_span(head->target, head);
    check_span(head->path, head);
    check_span(head->query, head);
    check_span(head->authority, head);
    must(http_is_token(http_str(message.p, head->method_text)));
    must(head->path.len > 0 && (message.p[head->path.off] == '/' || head->target_form == HTTP_TARGET_ASTERISK));
    must(head->authority.len == 0 || uri_authority_parse(http_str(message.p, head->authority), &authority) == 0);
    must(head->authority.len > 0 || head->minor == 0);
    for (uint32_t i = 0; i < head->n_fields; i++) {
        check_span(head->fields[i].name, head);
        check_span(head->fields[i].value, head);
        must(http_is_token(http_str(message.p, head->fields[i].name)));
        must(http_is_field_value(http_str(message.p, head->fields[i].value)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer whole, cut;
    struct str message;

    if (size < CUTS)
        return 0;
    message = str_make((const char *)data + CUTS, size - CUTS);
    parse(&whole, message, NULL);
    parse(&cut, message, data);
    must(whole.result == cut.result && whole.parser.status == cut.parser.status);
    must(whole.parser.reason == cut.parser.reason && whole.parser.line_start == cut.parser.line_start);
    must(memcmp(&whole.head, &cut.head, sizeof(whole.head)) == 0);
    must((whole.result == H1_ERROR) == (whole.parser.status != 0));
    if (whole.result == H1_DONE)
        check_head(&whole.head, message);
    return 0;
}
