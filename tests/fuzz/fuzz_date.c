/*
 * Dates: what is read and can be written reads back as the same second.
 */
#include <stdint.h>

#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[HTTP_DATE_LEN];
    int64_t seconds, again;

    if (http_date_parse(str_make((const char *)data, size), &seconds) < 0)
        return 0;
    must(seconds >= -62167219200 && seconds <= 253402300800); /* years 0 to 9999, and one leap second */
    if (seconds < 0 || seconds == 253402300800)
        return 0;
    http_date_write(seconds, text);
    must(http_date_parse(str_make(text, sizeof(text)), &again) == 0 && again == seconds);
    return 0;
}
