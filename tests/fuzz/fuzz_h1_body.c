/*
 * Bodies, differentially: in one piece and in pieces, the same bytes must be delivered, the same end or error found.
 * The first CUTS bytes of an input are the lengths of the pieces; the next is a Content-Length, or 255 for chunked.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/h1.h"

#define CUTS 4
#define CHUNKED 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct answer {
    enum h1_result result;
    struct h1_body body;
    size_t used;
    size_t n;
    char data[4096];
};

/* Feeds the n bytes that have arrived, from where it stands. */
static void feed(struct answer *a, const char *arrived, size_t n)
{
    while (a->result == H1_MORE && a->used < n) {
        size_t used;
        struct str data;

        a->result = h1_body_feed(&a->body, arrived + a->used, n - a->used, &used, &data);
        must(used <= n - a->used && data.n <= used);
        must(data.p >= arrived + a->used && data.p + data.n <= arrived + a->used + used);
        must(used > 0 || a->result != H1_MORE);
        memcpy(a->data + a->n, data.p, data.n);
        a->n += data.n;
        a->used += used;
    }
    must(a->n == a->body.total);
}

static void run(struct answer *a, const struct http_head *head, struct str message, const uint8_t *cuts)
{
    size_t n = 0;

    memset(a, 0, sizeof(*a));
    h1_body_begin(&a->body, head);
    for (size_t i = 0; a->result == H1_MORE && n < message.n; i++) {
        size_t step = cuts ? (size_t)cuts[i % CUTS] + 1 : message.n;
        char *arrived;

        n = step < message.n - n ? n + step : message.n;
        arrived = malloc(n);
        must(arrived);
        memcpy(arrived, message.p, n);
        feed(a, arrived, n);
        free(arrived);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer whole, cut;
    static struct http_head head;
    struct str message;

    if (size < CUTS + 1 || size > sizeof(whole.data))
        return 0;
    message = str_make((const char *)data + CUTS + 1, size - CUTS - 1);
    head.body = data[CUTS] == CHUNKED ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH;
    head.content_length = data[CUTS];
    run(&whole, &head, message, NULL);
    run(&cut, &head, message, data);
    must(whole.result == cut.result && whole.used == cut.used && whole.n == cut.n);
    must(whole.body.status == cut.body.status && whole.body.reason == cut.body.reason);
    must(memcmp(whole.data, cut.data, whole.n) == 0);
    if (head.body == HTTP_BODY_LENGTH && message.n > 0)
        must(whole.n == (message.n < head.content_length ? message.n : head.content_length));
    return 0;
}
