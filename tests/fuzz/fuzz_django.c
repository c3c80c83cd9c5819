/*
 * Any bytes as the answer of the settings' inspection, which runs the project's code and may say anything.
 */
#include <stdint.h>
#include <string.h>

#include "conf/django.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX] = "";
    struct django_answer answer;

    if (django_read(b, str_make((const char *)data, size), &answer, error) < 0)
        must(strncmp(error, "Django settings: ", 17) == 0 && memchr(error, '\0', sizeof(error)));
    django_answer_fini(&answer);
    conf_builder_free(b);
    return 0;
}
