/*
 * Durations and sizes: what is read is written in a form that reads back as the same number, and that form is stable.
 */
#include <stdint.h>

#include "conf/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str text, int (*parse)(struct str, uint64_t *), int (*write)(struct buf *, uint64_t))
{
    uint64_t value = 0, again = 0;
    struct buf written;

    if (parse(text, &value) < 0)
        return;
    buf_init(&written, 64);
    must(write(&written, value) == 0);
    must(parse(buf_str(&written), &again) == 0 && again == value);
    buf_fini(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);

    check(text, units_duration_parse, units_duration_write);
    check(text, units_size_parse, units_size_write);
    return 0;
}
