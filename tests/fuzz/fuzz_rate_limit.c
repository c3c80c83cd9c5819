/*
 * Rate limits as text: what is understood is written in a form that means the same, and its figures keep what the table of rates asks of them.
 */
#include <stdint.h>
#include <string.h>

#include "conf/rate_limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rate_limit limit, again;
    char normal[RATE_LIMIT_TEXT_MAX], twice[RATE_LIMIT_TEXT_MAX];

    if (rate_limit_parse(str_make((const char *)data, size), &limit) != 0)
        return 0;
    must(limit.count > 0 && limit.burst > 0 && limit.period_ns / limit.count > 0);
    must(limit.burst <= (UINT64_C(1) << 62) / (limit.period_ns / limit.count));
    rate_limit_write(&limit, normal);
    must(rate_limit_parse(str_of(normal), &again) == 0);
    rate_limit_write(&again, twice);
    must(strcmp(normal, twice) == 0);
    must(limit.count == again.count && limit.burst == again.burst && limit.period_ns == again.period_ns &&
         limit.key == again.key && str_eq(limit.name, again.name));
    rate_limit_name(&limit, twice);
    return 0;
}
