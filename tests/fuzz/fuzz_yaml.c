/*
 * Any bytes as quintet.yaml: accepted or refused with a message that fits, and what is accepted survives the way to the edge.
 */
#include <stdint.h>
#include <string.h>

#include "conf/yaml_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void travel(const struct conf_builder *b)
{
    struct conf_builder *arrived = NULL;
    struct buf sent, again;

    buf_init(&sent, 4u << 20);
    buf_init(&again, 4u << 20);
    if (conf_write(b, &sent) == 0) {
        must(conf_read(buf_str(&sent), &arrived) == 0);
        must(conf_write(arrived, &again) == 0);
        must(str_eq(buf_str(&sent), buf_str(&again)));
        conf_builder_free(arrived);
    }
    buf_fini(&sent);
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX] = "";

    if (yaml_reader_read(b, "quintet.yaml", str_make((const char *)data, size), error) == 0)
        travel(b);
    else
        must(strncmp(error, "quintet.yaml:", 13) == 0 && memchr(error, '\0', sizeof(error)));
    conf_builder_free(b);
    return 0;
}
