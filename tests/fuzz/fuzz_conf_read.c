/*
 * The configuration as the edge receives it: any bytes are refused or read, and what is read is written back the same for ever.
 */
#include <stdint.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct conf_builder *b)
{
    struct buf out;

    buf_init(&out, 4u << 20);
    (void)!conf_show_table(b, &out);
    buf_clear(&out);
    (void)!conf_show_json(b, &out);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_builder *first = NULL, *second = NULL;
    char error[CONF_ERROR_MAX];
    struct buf one, two;

    if (conf_read(str_make((const char *)data, size), &first) < 0)
        return 0;
    buf_init(&one, 4u << 20);
    buf_init(&two, 4u << 20);
    must(conf_write(first, &one) == 0);
    must(conf_read(buf_str(&one), &second) == 0);
    must(conf_write(second, &two) == 0);
    must(str_eq(buf_str(&one), buf_str(&two)));
    (void)!conf_finish(first, error);
    show(first);
    (void)!conf_resolve(first); /* as the edge does */
    conf_builder_free(first);
    conf_builder_free(second);
    buf_fini(&one);
    buf_fini(&two);
    return 0;
}
