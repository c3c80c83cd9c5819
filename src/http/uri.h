/*
 * Request targets and hosts (RFC 3986, RFC 9110 4.2).
 */
#ifndef QUINTET_HTTP_URI_H
#define QUINTET_HTTP_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

/* Does s.p[i] begin an escape, a '%' and two hex digits? */
bool uri_is_escape(struct str s, size_t i);
/* Percent-decodes into out (room for in.n bytes; in and out may be the same memory) and returns the length. A '%'
 * not followed by two hex digits stays as it is, as Gunicorn does for PATH_INFO. */
size_t uri_decode(struct str in, char *out);
/* Resolves "//", "/./" and "/../" of a decoded path in place (".." at the top is dropped) and returns the length; what begins with '/' still does. */
size_t uri_normalise(char *path, size_t n);
/* For files: percent-decodes a path, then refuses what must not reach a file system: malformed escapes, NUL and
 * other controls, backslash, an encoded '/', "." and ".." segments before or after decoding, a segment that begins
 * with a dot (dot files; ".well-known" as the first segment is allowed). Repeated slashes become one. Writes at most
 * in.n bytes. 0 with *n, or -EINVAL. */
MUST_CHECK int uri_file_path(struct str in, char *out, size_t *n);

struct uri_authority {
    struct str host; /* "example.com", "[::1]" with brackets, as sent */
    uint32_t port;   /* 0 when absent */
};

/* uri-host [":" port]. Reg-names are letters, digits, '-', '.', '_' and percent-free; IPv6 in brackets. 0 or
 * -EINVAL. */
MUST_CHECK int uri_authority_parse(struct str in, struct uri_authority *out);
/* Django's ALLOWED_HOSTS rule: "*", "example.com", ".example.com" (the name and any below it); port ignored, case
 * folded, one trailing dot ignored. */
bool uri_host_matches(struct str host, struct str pattern);

#endif
