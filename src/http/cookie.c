/* Pairs between semicolons. Lenient, as browsers and servers are: what has no name is passed over. */
#include "http/cookie.h"

static struct str find(struct str cookies, struct str name)
{
    while (cookies.p != NULL) {
        struct str value = str_trim(str_split(&cookies, ';'));

        if (str_eq(str_trim(str_split(&value, '=')), name) && value.p != NULL)
            return str_trim(value);
    }
    return str_make(NULL, 0);
}

struct str http_cookie(const struct http_head *head, const char *base, struct str name)
{
    struct str value = { NULL, 0 };
    uint32_t from = 0;

    while (value.p == NULL) {
        const struct http_field *f = http_head_find(head, HTTP_F_COOKIE, from);

        if (f == NULL)
            break;
        value = find(http_str(base, f->value), name);
        from = (uint32_t)(f - head->fields) + 1;
    }
    return value;
}
