/* Texts of failing steps. */
#include "super/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int why_set(struct why *why, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(why->text, sizeof(why->text), fmt, ap) < 0)
        why->text[0] = '\0';
    va_end(ap);
    return code;
}

const char *why_errno(int error)
{
    static char text[128];

    if (snprintf(text, sizeof(text), "%s", strerror(abs(error))) < 0)
        text[0] = '\0';
    text[0] = ascii_lower(text[0]);
    return text;
}
