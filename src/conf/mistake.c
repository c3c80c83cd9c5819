/* What is said of a wrong value. */
#include "conf/mistake.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "conf/value.h"

int mistake_say(char *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(error, CONF_ERROR_MAX, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

const char *mistake_quote(struct str text, char out[MISTAKE_QUOTE_MAX])
{
    size_t n = 0, i;

    if (text.n == 0)
        return "nothing";
    out[n++] = '"';
    for (i = 0; i < text.n && n < MISTAKE_QUOTE_MAX - 12; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c < ' ' || c == 0x7f)
            n += (size_t)snprintf(out + n, MISTAKE_QUOTE_MAX - n, "\\x%02x", c);
        else
            out[n++] = (char)c;
    }
    (void)snprintf(out + n, MISTAKE_QUOTE_MAX - n, "%s\"", i < text.n ? "..." : "");
    return out;
}

int mistake_found(const struct option_row *row, struct str label, int why, const char *found, char *error)
{
    struct buf expected;
    int rc;

    buf_init(&expected, CONF_ERROR_MAX);
    must(value_expected(row, why, &expected) == 0);
    rc = mistake_say(error, STR_FMT ": expected " STR_FMT ", found %s", STR_ARG(label), STR_ARG(buf_str(&expected)),
                     found);
    buf_fini(&expected);
    return rc;
}
