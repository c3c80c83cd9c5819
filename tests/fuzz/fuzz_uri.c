/*
 * Targets and hosts: whatever comes in, no path leaves its root, and decoding in place is decoding.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *exact(size_t n)
{
    char *p = malloc(n);

    must(p || n == 0);
    return p;
}

static void check_decode(struct str in)
{
    char *out = exact(in.n), *same = exact(in.n);
    size_t n = uri_decode(in, out);

    if (in.n > 0)
        memcpy(same, in.p, in.n);
    must(n <= in.n);
    must(str_eq(str_make(same, uri_decode(str_make(same, in.n), same)), str_make(out, n)));
    free(out);
    free(same);
}

/* Of a path that was let through: no control, no backslash, no empty segment within, none that begins with a dot. */
static void check_file_path(struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        bool starts = i == 0 || path.p[i - 1] == '/';

        must(c >= ' ' && c != 0x7f && c != '\\');
        must(c != '/' || i == 0 || path.p[i - 1] != '/');
        must(c != '.' || !starts || (i <= 1 && str_starts(str_cut(path, i, path.n), STR(".well-known"))));
    }
}

static void check_authority(struct str in)
{
    struct uri_authority a;

    if (uri_authority_parse(in, &a) < 0)
        return;
    must(a.host.p == in.p && a.host.n > 0 && a.host.n <= in.n && a.port <= UINT16_MAX);
    must(a.host.p[0] == '[' || str_find(a.host, ':') < 0);
    must(uri_host_matches(in, STR("*")));
    if (a.host.p[a.host.n - 1] != '.') /* a pattern has no trailing dot */
        must(uri_host_matches(in, a.host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make((const char *)data, size);
    char *out = exact(size);
    size_t n;

    check_decode(in);
    if (uri_file_path(in, out, &n) == 0) {
        must(n <= size);
        check_file_path(str_make(out, n));
    }
    check_authority(in);
    free(out);
    return 0;
}
