/*
 * Header fields: an input is the field lines of a request. What the readers of fields find lies in the field it comes from and is what it was
 * asked for, and what is called a token or a value is one by a second reading.
 */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "http/cookie.h"
#include "http/h1.h"
#include "http/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { 100, 50, 4000 };
static const char separators[] = "()<>@,;:\\\"/[]?={} \t";

static bool inside(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* RFC 9110 5.6.2, written the other way round. */
static void check_name(struct str name, enum http_field_id id)
{
    must(http_is_token(name) && id == http_field_lookup(name));
    for (size_t i = 0; i < name.n; i++)
        must(name.p[i] > ' ' && name.p[i] < 0x7f && memchr(separators, name.p[i], sizeof(separators) - 1) == NULL);
    if (id != HTTP_F_OTHER)
        must(str_eq_nocase(name, http_field_name(id)));
}

/* RFC 9110 5.5: and it may go into a response as it is. */
static void check_value(struct str name, struct str value)
{
    must(http_is_field_value(value) && http_response_field_valid(name, value));
    for (size_t i = 0; i < value.n; i++)
        must(value.p[i] == '\t' || ((unsigned char)value.p[i] >= ' ' && value.p[i] != 0x7f));
    must(str_eq(value, str_trim(value)));
}

/* What is found by a name is all that the client says under it. */
static void check_cookies(const struct http_head *head, const char *bytes, struct str cookies)
{
    while (cookies.p != NULL) {
        struct str value = str_split(&cookies, ';');
        struct str name = str_trim(str_split(&value, '=')), found = http_cookie(head, bytes, name);

        if (value.p == NULL || found.p == NULL)
            continue;
        must(inside(found, str_make(bytes, head->length)));
        must(str_find(found, ';') < 0 && str_eq(found, str_trim(value)));
    }
}

static void check_list(struct str list)
{
    struct str rest = list;

    while (rest.p != NULL) {
        struct str member = str_trim(str_split(&rest, ','));

        if (http_is_token(member))
            must(http_list_has(list, member));
    }
    must(!http_list_has(list, STR("never-in-a-list-of-the-corpus!")) || list.n > 29);
}

static void check(const struct http_head *head, const char *bytes)
{
    for (uint32_t i = 0; i < head->n_fields; i++) {
        const struct http_field *f = &head->fields[i];
        struct str name = http_str(bytes, f->name), value = http_str(bytes, f->value);

        must(name.p != NULL && value.p != NULL);
        check_name(name, f->id);
        check_value(name, value);
        check_list(value);
        if (f->id == HTTP_F_COOKIE)
            check_cookies(head, bytes, value);
        if (f->id == HTTP_F_CONNECTION && http_is_token(value))
            must(http_head_connection_lists(head, bytes, value));
        if (f->id != HTTP_F_OTHER)
            must(http_head_find(head, f->id, i) == f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head head;
    struct h1_parser parser;
    struct buf b;

    buf_init(&b, HTTP_HEAD_MAX);
    if (buf_add_str(&b, STR("GET / HTTP/1.1\r\nHost: a\r\n")) == 0 && buf_add(&b, data, size) == 0 &&
        buf_add_str(&b, STR("\r\n\r\n")) == 0) {
        h1_head_begin(&parser, &limits, &head);
        if (h1_head_parse(&parser, b.data, b.len, &head) == H1_DONE)
            check(&head, b.data);
    }
    buf_fini(&b);
    return 0;
}
