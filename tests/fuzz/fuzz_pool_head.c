/* A response head as a hostile worker may write it: parsed or refused, and every piece inside the input. */
#include <stdlib.h>

#include "pool/response.h"

static void inside(struct str all, struct str piece)
{
    must(piece.n == 0 || (piece.p >= all.p && piece.p + piece.n <= all.p + all.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };
    struct str all = str_make((const char *)data, size);
    size_t sum;

    if (pool_head_parse(all, &head) != 0)
        return 0;
    must(head.n_fields <= POOL_FIELDS_MAX);
    inside(all, head.reason);
    sum = head.reason.n;
    for (uint32_t i = 0; i < head.n_fields; i++) {
        inside(all, head.fields[i].name);
        inside(all, head.fields[i].value);
        sum += head.fields[i].name.n + head.fields[i].value.n;
    }
    must(sum + 8 + 4 * (size_t)head.n_fields == size);
    return 0;
}
