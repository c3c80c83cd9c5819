/*
 * Basic credentials (RFC 7617): the value of an Authorization field. Bytes in, two names out.
 */
#ifndef QUINTET_HTTP_BASIC_H
#define QUINTET_HTTP_BASIC_H

#include "base/must.h"
#include "base/str.h"

#define HTTP_BASIC_MAX 700 /* bytes of name, colon and password */

/* `out` holds the bytes that name and password point into; wipe it. 0; -ENOENT: another scheme; -EINVAL: malformed, too long, or with a control byte in it
 * (RFC 7617 2). */
MUST_CHECK int http_basic_parse(struct str value, char out[HTTP_BASIC_MAX + 1], struct str *name, struct str *password);

#endif
