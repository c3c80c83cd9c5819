/*
 * The small vocabulary of HTTP: field names, methods, reasons, and questions about a parsed head.
 */
#include "http/head.h"

#include "http/chars.h"

static const struct str field_names[HTTP_F_COUNT] = {
#define X(id, name) [HTTP_F_##id] = STR_INIT(name),
    HTTP_FIELD_LIST(X)
#undef X
};

#define NAME_MAX_LEN 26 /* of cloudfront-forwarded-proto */
#define SAME_LEN_MAX 6  /* a row ends with HTTP_F_OTHER (0) */

/* Known names by their length: a handful of candidates each, of which the first byte leaves one or two. */
static const unsigned char fields_by_len[NAME_MAX_LEN + 1][SAME_LEN_MAX + 1] = {
    [2] = { HTTP_F_TE },
    [3] = { HTTP_F_AGE },
    [4] = { HTTP_F_HOST, HTTP_F_DATE, HTTP_F_ETAG, HTTP_F_VARY },
    [5] = { HTTP_F_RANGE, HTTP_F_ALLOW, HTTP_F_PROXY },
    [6] = { HTTP_F_ACCEPT, HTTP_F_COOKIE, HTTP_F_EXPECT, HTTP_F_SERVER },
    [7] = { HTTP_F_REFERER, HTTP_F_UPGRADE, HTTP_F_EXPIRES, HTTP_F_TRAILER },
    [8] = { HTTP_F_IF_MATCH, HTTP_F_IF_RANGE, HTTP_F_LOCATION },
    [9] = { HTTP_F_FORWARDED, HTTP_F_X_REAL_IP },
    [10] = { HTTP_F_USER_AGENT, HTTP_F_CONNECTION, HTTP_F_KEEP_ALIVE, HTTP_F_SET_COOKIE, HTTP_F_X_SENDFILE },
    [11] = { HTTP_F_RETRY_AFTER },
    [12] = { HTTP_F_CONTENT_TYPE, HTTP_F_X_REQUEST_ID },
    [13] = { HTTP_F_CACHE_CONTROL, HTTP_F_IF_NONE_MATCH, HTTP_F_AUTHORIZATION, HTTP_F_LAST_MODIFIED,
             HTTP_F_ACCEPT_RANGES, HTTP_F_CONTENT_RANGE },
    [14] = { HTTP_F_CONTENT_LENGTH },
    [15] = { HTTP_F_ACCEPT_ENCODING, HTTP_F_X_FORWARDED_FOR, HTTP_F_REFERRER_POLICY, HTTP_F_X_FRAME_OPTIONS },
    [16] = { HTTP_F_X_FORWARDED_HOST, HTTP_F_X_FORWARDED_PORT, HTTP_F_CONTENT_ENCODING, HTTP_F_PROXY_CONNECTION,
             HTTP_F_X_ACCEL_REDIRECT, HTTP_F_CF_CONNECTING_IP },
    [17] = { HTTP_F_X_FORWARDED_PROTO, HTTP_F_IF_MODIFIED_SINCE, HTTP_F_TRANSFER_ENCODING, HTTP_F_X_ACCEL_BUFFERING },
    [18] = { HTTP_F_PROXY_AUTHENTICATE },
    [19] = { HTTP_F_CONTENT_DISPOSITION, HTTP_F_IF_UNMODIFIED_SINCE, HTTP_F_PROXY_AUTHORIZATION },
    [22] = { HTTP_F_X_CONTENT_TYPE_OPTIONS },
    [23] = { HTTP_F_CONTENT_SECURITY_POLICY },
    [25] = { HTTP_F_STRICT_TRANSPORT_SECURITY, HTTP_F_CLOUDFRONT_VIEWER_ADDRESS },
    [26] = { HTTP_F_CLOUDFRONT_FORWARDED_PROTO },
};

/* The first and the last letter tell those of a length apart. */
enum http_field_id http_field_lookup(struct str name)
{
    char first, last;

    if (name.n == 0 || name.n > NAME_MAX_LEN)
        return HTTP_F_OTHER;
    first = ascii_lower(name.p[0]);
    last = ascii_lower(name.p[name.n - 1]);
    for (const unsigned char *id = fields_by_len[name.n]; *id != HTTP_F_OTHER; id++) {
        const char *known = field_names[*id].p;

        if (known[0] == first && known[name.n - 1] == last && str_eq_nocase(field_names[*id], name))
            return (enum http_field_id) * id;
    }
    return HTTP_F_OTHER;
}

struct str http_field_name(enum http_field_id id)
{
    must((unsigned)id < HTTP_F_COUNT);
    return field_names[id];
}

const struct http_field *http_head_find(const struct http_head *head, enum http_field_id id, uint32_t from)
{
    for (uint32_t i = from; i < head->n_fields; i++)
        if (head->fields[i].id == id)
            return &head->fields[i];
    return NULL;
}

bool http_list_has(struct str list, struct str member)
{
    while (list.p)
        if (str_eq_nocase(str_trim(str_split(&list, ',')), member))
            return true;
    return false;
}

const struct http_field *http_head_single(const struct http_head *head, enum http_field_id id)
{
    const struct http_field *field = http_head_find(head, id, 0);

    if (field && http_head_find(head, id, (uint32_t)(field - head->fields) + 1))
        return NULL;
    return field;
}

bool http_head_connection_lists(const struct http_head *head, const char *base, struct str name)
{
    for (uint32_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].id == HTTP_F_CONNECTION && head->fields[i].value.len >= name.n &&
            http_list_has(http_str(base, head->fields[i].value), name))
            return true;
    return false;
}

bool http_field_is_hop_by_hop(enum http_field_id id)
{
    switch (id) {
    case HTTP_F_CONNECTION:
    case HTTP_F_KEEP_ALIVE:
    case HTTP_F_PROXY_AUTHENTICATE:
    case HTTP_F_PROXY_AUTHORIZATION:
    case HTTP_F_PROXY_CONNECTION:
    case HTTP_F_TE:
    case HTTP_F_TRAILER:
    case HTTP_F_TRANSFER_ENCODING:
    case HTTP_F_UPGRADE:
        return true;
    default:
        return false;
    }
}

static const struct str method_names[] = {
    [HTTP_OTHER] = STR_INIT(""),          [HTTP_GET] = STR_INIT("GET"),         [HTTP_HEAD] = STR_INIT("HEAD"),
    [HTTP_POST] = STR_INIT("POST"),       [HTTP_PUT] = STR_INIT("PUT"),         [HTTP_DELETE] = STR_INIT("DELETE"),
    [HTTP_CONNECT] = STR_INIT("CONNECT"), [HTTP_OPTIONS] = STR_INIT("OPTIONS"), [HTTP_TRACE] = STR_INIT("TRACE"),
    [HTTP_PATCH] = STR_INIT("PATCH"),
};

enum http_method http_method_lookup(struct str token)
{
    for (size_t i = HTTP_GET; i < ARRAY_LEN(method_names); i++)
        if (token.n == method_names[i].n && memcmp(token.p, method_names[i].p, token.n) == 0)
            return (enum http_method)i;
    return HTTP_OTHER;
}

struct str http_method_name(enum http_method method)
{
    must((unsigned)method < ARRAY_LEN(method_names));
    return method_names[method];
}

bool http_method_is_safe(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS || method == HTTP_TRACE;
}

/* RFC 9110 15, and 428, 429, 431, 511 of RFC 6585, 425 of RFC 8470, 451 of RFC 7725, 507 and 508 of WebDAV. */
static const struct str reasons[] = {
    [100] = STR_INIT("Continue"),
    [101] = STR_INIT("Switching Protocols"),
    [102] = STR_INIT("Processing"),
    [103] = STR_INIT("Early Hints"),
    [200] = STR_INIT("OK"),
    [201] = STR_INIT("Created"),
    [202] = STR_INIT("Accepted"),
    [203] = STR_INIT("Non-Authoritative Information"),
    [204] = STR_INIT("No Content"),
    [205] = STR_INIT("Reset Content"),
    [206] = STR_INIT("Partial Content"),
    [207] = STR_INIT("Multi-Status"),
    [208] = STR_INIT("Already Reported"),
    [226] = STR_INIT("IM Used"),
    [300] = STR_INIT("Multiple Choices"),
    [301] = STR_INIT("Moved Permanently"),
    [302] = STR_INIT("Found"),
    [303] = STR_INIT("See Other"),
    [304] = STR_INIT("Not Modified"),
    [305] = STR_INIT("Use Proxy"),
    [307] = STR_INIT("Temporary Redirect"),
    [308] = STR_INIT("Permanent Redirect"),
    [400] = STR_INIT("Bad Request"),
    [401] = STR_INIT("Unauthorized"),
    [402] = STR_INIT("Payment Required"),
    [403] = STR_INIT("Forbidden"),
    [404] = STR_INIT("Not Found"),
    [405] = STR_INIT("Method Not Allowed"),
    [406] = STR_INIT("Not Acceptable"),
    [407] = STR_INIT("Proxy Authentication Required"),
    [408] = STR_INIT("Request Timeout"),
    [409] = STR_INIT("Conflict"),
    [410] = STR_INIT("Gone"),
    [411] = STR_INIT("Length Required"),
    [412] = STR_INIT("Precondition Failed"),
    [413] = STR_INIT("Content Too Large"),
    [414] = STR_INIT("URI Too Long"),
    [415] = STR_INIT("Unsupported Media Type"),
    [416] = STR_INIT("Range Not Satisfiable"),
    [417] = STR_INIT("Expectation Failed"),
    [421] = STR_INIT("Misdirected Request"),
    [422] = STR_INIT("Unprocessable Content"),
    [423] = STR_INIT("Locked"),
    [424] = STR_INIT("Failed Dependency"),
    [425] = STR_INIT("Too Early"),
    [426] = STR_INIT("Upgrade Required"),
    [428] = STR_INIT("Precondition Required"),
    [429] = STR_INIT("Too Many Requests"),
    [431] = STR_INIT("Request Header Fields Too Large"),
    [451] = STR_INIT("Unavailable For Legal Reasons"),
    [500] = STR_INIT("Internal Server Error"),
    [501] = STR_INIT("Not Implemented"),
    [502] = STR_INIT("Bad Gateway"),
    [503] = STR_INIT("Service Unavailable"),
    [504] = STR_INIT("Gateway Timeout"),
    [505] = STR_INIT("HTTP Version Not Supported"),
    [506] = STR_INIT("Variant Also Negotiates"),
    [507] = STR_INIT("Insufficient Storage"),
    [508] = STR_INIT("Loop Detected"),
    [511] = STR_INIT("Network Authentication Required"),
};

struct str http_reason(unsigned status)
{
    if (status < ARRAY_LEN(reasons) && reasons[status].n > 0)
        return reasons[status];
    return STR("Unknown");
}

struct str http_version_text(const struct http_head *head)
{
    if (head->major == 2)
        return STR("HTTP/2.0");
    return head->minor == 0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
}

bool http_is_token(struct str s)
{
    return s.n > 0 && http_span(s, http_tchar) == s.n;
}

bool http_is_field_value(struct str s)
{
    return http_span(s, http_field_char) == s.n && str_trim(s).n == s.n;
}
