/*
 * Inside of conf: how a wrong value is told to whoever wrote it. One sentence, the same shape whatever source the value came from.
 */
#ifndef QUINTET_CONF_MISTAKE_H
#define QUINTET_CONF_MISTAKE_H

#include "conf/conf.h"
#include "conf/options.h"

/* Formats into error (CONF_ERROR_MAX bytes) and returns -EINVAL. */
MUST_CHECK int mistake_say(char *error, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* -EINVAL with "LABEL: expected a number from 0 to 256, found FOUND" in error; `why` is value_parse's answer. */
MUST_CHECK int mistake_found(const struct option_row *row, struct str label, int why, const char *found, char *error);

#define MISTAKE_QUOTE_MAX 96
/* `text` in quotes, control bytes as \xNN, a long one cut; "nothing" when empty. Returns out. */
const char *mistake_quote(struct str text, char out[MISTAKE_QUOTE_MAX]);

#endif
