/* Pairs between semicolons. Lenient, as browsers and servers are: what has no name is passed over. */
#include "http/cookie.h"

struct search {
    struct str name, value; /* of the cookie; .p == NULL: not found yet */
    bool unclear;
};

/* Python takes the blanks beyond ASCII off as well, and what is within quotes can be written in many ways. */
static bool is_plain(struct str value)
{
    return memchr(value.p, '"', value.n) == NULL;
}

static bool is_ascii(struct str cookies)
{
    for (size_t i = 0; cookies.p != NULL && i < cookies.n; i++)
        if ((unsigned char)cookies.p[i] >= 0x80)
            return false;
    return true;
}

static void look_into(struct search *s, struct str cookies)
{
    s->unclear |= !is_ascii(cookies);
    while (cookies.p != NULL) {
        struct str value = str_trim(str_split(&cookies, ';'));

        if (!str_eq(str_trim(str_split(&value, '=')), s->name) || value.p == NULL)
            continue;
        value = str_trim(value);
        s->unclear |= !is_plain(value) || (s->value.p != NULL && !str_eq(value, s->value));
        s->value = value;
    }
}

struct str http_cookie(const struct http_head *head, const char *base, struct str name)
{
    struct search s = { .name = name };
    const struct http_field *f;

    for (uint32_t from = 0; (f = http_head_find(head, HTTP_F_COOKIE, from)) != NULL;
         from = (uint32_t)(f - head->fields) + 1)
        look_into(&s, http_str(base, f->value));
    return s.unclear ? str_make(NULL, 0) : s.value;
}
