/*
 * Link fields, which come from applications: an input is the field's value. Each link lies in it, behind the one before, begins with its target, and a list
 * of it alone is that link again; it is early by every spelling that only differs in letters' case.
 */
#include <stdint.h>

#include "base/buf.h"
#include "http/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static void check_case(struct str link)
{
    struct buf b;

    buf_init(&b, link.n);
    for (size_t i = 0; i < link.n; i++)
        must(buf_add_char(&b, folded(link.p[i])) == 0);
    must(link_is_early(link) == link_is_early(str_make(b.data, b.len)));
    buf_fini(&b);
}

static void check_alone(struct str link)
{
    struct str list = link, again;

    must(link_next(&list, &again) && again.p == link.p && again.n == link.n);
    must(!link_next(&list, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str whole = str_make((const char *)data, size), list = whole, link;
    const char *from = whole.p;

    while (link_next(&list, &link)) {
        must(link.n > 2 && link.p[0] == '<' && link.p >= from && link.p + link.n <= whole.p + whole.n);
        from = link.p + link.n;
        check_alone(link);
        check_case(link);
    }
    must(list.p == NULL);
    return 0;
}
