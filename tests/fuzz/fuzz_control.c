/* Any bytes as a request on the control socket. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "super/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct why why;
    struct control_request request = { .command = CONTROL_STATUS };
    int r;

    if (size > CONTROL_LINE_MAX)
        return 0;
    why.text[0] = '\0';
    r = control_parse(str_make((const char *)data, size), &request, &why);
    if (r != 0 && (r != -EINVAL || why.text[0] == '\0'))
        abort();
    if (r == 0 && request.command > CONTROL_RESUME)
        abort();
    return 0;
}
