/*
 * Preconditions. A field that is malformed where the RFC lets us choose is read so that the client gets a
 * whole, current answer, never a wrong part or a stale "not modified"; a malformed If-Match fails, since what it guards
 * is a change.
 */
#include "http/cond.h"

#include <errno.h>

#include "http/chars.h"
#include "http/date.h"

#define DATE_IS_STRONG_AFTER 1 /* second: a file may change twice within the second of its date (RFC 9110 8.8.2.2) */

/* ---- entity tags: [ "W/" ] DQUOTE *etagc DQUOTE ---- */

static struct str without_weakness(struct str tag)
{
    return str_starts(tag, STR("W/")) ? str_cut(tag, 2, tag.n) : tag;
}

bool http_etag_matches(struct str a, struct str b, bool weak)
{
    struct str opaque_a = without_weakness(a), opaque_b = without_weakness(b);

    if (!weak && (opaque_a.n != a.n || opaque_b.n != b.n))
        return false;
    return opaque_a.n >= 2 && str_eq(opaque_a, opaque_b);
}

static bool is_etag_char(char c)
{
    return c == '!' || (c >= '#' && c <= '~') || (unsigned char)c >= 0x80;
}

/* Length of the entity tag that s begins with; 0: none. */
static size_t etag_len(struct str s)
{
    size_t i = str_starts(s, STR("W/")) ? 2 : 0;

    if (i >= s.n || s.p[i] != '"')
        return 0;
    for (i++; i < s.n && is_etag_char(s.p[i]); i++)
        ;
    return i < s.n && s.p[i] == '"' ? i + 1 : 0;
}

/* Takes the next tag off a list (commas stand inside tags, too); empty when there is none, or none well-formed. */
static struct str next_etag(struct str *list)
{
    struct str tag;
    size_t n = 0;

    while (n < list->n && (list->p[n] == ',' || list->p[n] == ' ' || list->p[n] == '\t'))
        n++;
    *list = str_cut(*list, n, list->n);
    n = etag_len(*list);
    tag = str_cut(*list, 0, n);
    *list = str_trim(str_cut(*list, n, list->n));
    if (list->n > 0 && list->p[0] != ',') { /* something glued to it: the rest is not a list */
        *list = STR("");
        return STR("");
    }
    return tag;
}

static bool list_matches(struct str list, struct str etag, bool weak)
{
    if (str_eq(list, STR("*")))
        return true;
    while (list.n > 0) {
        struct str tag = next_etag(&list);

        if (tag.n == 0)
            return false;
        if (http_etag_matches(tag, etag, weak))
            return true;
    }
    return false;
}

/* Whether any field with that id (they form one list) names the tag. */
static bool fields_match(const struct http_head *head, const char *base, enum http_field_id id, struct str etag,
                         bool weak)
{
    for (uint32_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].id == id && list_matches(http_str(base, head->fields[i].value), etag, weak))
            return true;
    return false;
}

/* ---- preconditions ---- */

enum date_cond { DATE_IGNORED, DATE_NOT_AFTER, DATE_AFTER };

/* Was it last modified after the field's date? Ignored when either is unknown or malformed. */
static enum date_cond modified_since(const struct http_head *head, const char *base, enum http_field_id id,
                                     const struct http_validators *v)
{
    const struct http_field *field = http_head_single(head, id);
    int64_t date;

    if (!field || v->last_modified < 0 || http_date_parse(http_str(base, field->value), &date) < 0)
        return DATE_IGNORED;
    return v->last_modified > date ? DATE_AFTER : DATE_NOT_AFTER;
}

/* Steps 1 and 2 of RFC 9110 13.2.2. */
static bool fails(const struct http_head *head, const char *base, const struct http_validators *v)
{
    if (http_head_find(head, HTTP_F_IF_MATCH, 0))
        return !fields_match(head, base, HTTP_F_IF_MATCH, v->etag, false);
    return modified_since(head, base, HTTP_F_IF_UNMODIFIED_SINCE, v) == DATE_AFTER;
}

/* Steps 3 and 4. */
static bool is_known_to_client(const struct http_head *head, const char *base, const struct http_validators *v,
                               bool reads)
{
    if (http_head_find(head, HTTP_F_IF_NONE_MATCH, 0))
        return fields_match(head, base, HTTP_F_IF_NONE_MATCH, v->etag, true);
    return reads && modified_since(head, base, HTTP_F_IF_MODIFIED_SINCE, v) == DATE_NOT_AFTER;
}

enum http_cond http_cond_evaluate(const struct http_head *head, const char *base, const struct http_validators *v)
{
    bool reads = head->method == HTTP_GET || head->method == HTTP_HEAD;

    if (fails(head, base, v))
        return HTTP_COND_FAILED;
    if (is_known_to_client(head, base, v, reads))
        return reads ? HTTP_COND_NOT_MODIFIED : HTTP_COND_FAILED;
    return HTTP_COND_SEND;
}

/* 13.1.5: compared strongly. */
bool http_if_range_holds(const struct http_head *head, const char *base, const struct http_validators *v)
{
    const struct http_field *field = http_head_single(head, HTTP_F_IF_RANGE);
    struct str value;
    int64_t date;

    if (!field)
        return !http_head_find(head, HTTP_F_IF_RANGE, 0);
    value = http_str(base, field->value);
    if (etag_len(value) == value.n)
        return http_etag_matches(value, v->etag, false);
    return http_date_parse(value, &date) == 0 && v->last_modified >= 0 && date == v->last_modified &&
           v->now - date >= DATE_IS_STRONG_AFTER;
}
