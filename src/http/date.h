/*
 * HTTP dates (RFC 9110 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT" is written; that, RFC 850 and asctime forms are read.
 */
#ifndef QUINTET_HTTP_DATE_H
#define QUINTET_HTTP_DATE_H

#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

#define HTTP_DATE_LEN 29

void http_date_write(int64_t seconds, char out[HTTP_DATE_LEN]);  /* since 1970, 0 … year 9999; no NUL */
MUST_CHECK int http_date_parse(struct str in, int64_t *seconds); /* 0 or -EINVAL */

#endif
