/*
 * PROXY headers: the answer is bounded, and the same however many bytes follow and however the header was cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of memory that ends where the bytes end, so that a byte too far is seen. */
static enum proxy_result parse(const uint8_t *data, size_t n, struct proxy_header *out)
{
    char *exact = malloc(n == 0 ? 1 : n);
    enum proxy_result r;

    must(exact != NULL);
    memcpy(exact, data, n);
    r = proxy_parse(str_make(exact, n), out);
    free(exact);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole, part;
    enum proxy_result r = parse(data, size, &whole), cut;

    must(r != PROXY_MORE || size < PROXY_HEADER_MAX);
    if (r == PROXY_HEADER) {
        must(whole.length <= size && whole.length <= PROXY_HEADER_MAX);
        must(parse(data, whole.length, &part) == PROXY_HEADER && memcmp(&whole, &part, sizeof(whole)) == 0);
        must(parse(data, whole.length - 1, &part) == PROXY_MORE);
    }
    for (size_t n = 0; n < size && n < 64; n++) {
        cut = parse(data, n, &part);
        must(cut == PROXY_MORE || cut == r);
    }
    return 0;
}
