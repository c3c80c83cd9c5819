/*
 * The rules over a whole request head: target forms and Host (RFC 9112 3.2), body framing (6), persistence (9.3),
 * expectations (RFC 9110 10.1.1). This is where request smuggling is refused: every rule has a row in
 * docs/internals/http1.md.
 */
#include "http/h1_rules.h"

#include "http/chars.h"
#include "http/uri.h"

/* ---- the target ---- */

/* Splits [from, end) at the first '?' into path and query. */
static void set_path(struct http_head *head, const char *bytes, uint32_t from, uint32_t end)
{
    const char *mark = memchr(bytes + from, '?', end - from);
    uint32_t path_end = mark ? (uint32_t)(mark - bytes) : end;

    head->path = (struct span){ from, path_end - from };
    if (mark)
        head->query = (struct span){ path_end + 1, end - path_end - 1 };
}

/* Length of "http://" or "https://", 0 for anything else. */
static uint32_t scheme_len(struct str target)
{
    if (target.n >= 7 && str_eq_nocase(str_make(target.p, 7), STR("http://")))
        return 7;
    if (target.n >= 8 && str_eq_nocase(str_make(target.p, 8), STR("https://")))
        return 8;
    return 0;
}

static enum h1_result check_absolute(struct h1_parser *parser, const char *bytes, struct http_head *head)
{
    struct str target = http_str(bytes, head->target);
    uint32_t scheme = scheme_len(target);
    uint32_t from = head->target.off + scheme, end = head->target.off + head->target.len;
    uint32_t pos = from;
    struct uri_authority authority;

    if (scheme == 0)
        return h1_refuse(parser, 400, "request target of no known form");
    while (pos < end && bytes[pos] != '/' && bytes[pos] != '?')
        pos++;
    head->target_form = HTTP_TARGET_ABSOLUTE;
    head->authority = (struct span){ from, pos - from };
    if (uri_authority_parse(http_str(bytes, head->authority), &authority) < 0)
        return h1_refuse(parser, 400, "bad authority in the request target");
    set_path(head, bytes, pos, end);
    if (head->path.len == 0)
        head->path = (struct span){ from - 1, 1 }; /* "http://host" means "/": one of the scheme's slashes serves */
    return H1_MORE;
}

/* A path with an encoded NUL names nothing: C strings, file systems and PostgreSQL each read it another way. */
static bool has_nul(struct str path)
{
    for (ptrdiff_t at; (at = str_find(path, '%')) >= 0; path = str_cut(path, (size_t)at + 1, path.n)) {
        if (path.n >= (size_t)at + 3 && path.p[at + 1] == '0' && path.p[at + 2] == '0')
            return true;
    }
    return false;
}

static enum h1_result check_form(struct h1_parser *parser, const char *bytes, struct http_head *head)
{
    struct str target = http_str(bytes, head->target);

    if (head->method == HTTP_CONNECT)
        return h1_refuse(parser, 501, "CONNECT is for proxies");
    if (head->method == HTTP_TRACE)
        return h1_refuse(parser, 405, "TRACE is not served");
    if (target.p[0] == '/') {
        head->target_form = HTTP_TARGET_ORIGIN;
        set_path(head, bytes, head->target.off, head->target.off + head->target.len);
        return H1_MORE;
    }
    if (head->method == HTTP_OPTIONS && str_eq(target, STR("*"))) { /* 3.2.4 */
        head->target_form = HTTP_TARGET_ASTERISK;
        head->path = head->target;
        return H1_MORE;
    }
    return check_absolute(parser, bytes, head);
}

enum h1_result h1_check_target(struct h1_parser *parser, const char *bytes, struct http_head *head)
{
    enum h1_result r = check_form(parser, bytes, head);

    if (r == H1_MORE && has_nul(http_str(bytes, head->path)))
        return h1_refuse(parser, 400, "NUL in the request target");
    return r;
}

/* ---- the fields ---- */

/* What one walk over the fields finds. */
struct facts {
    const struct http_field *host, *length;
    uint32_t hosts, lengths, content_types, authorizations;
    uint32_t codings;     /* Transfer-Encoding fields */
    bool chunked;         /* the last of them is "chunked" and nothing else */
    bool other_coding;    /* a coding other than chunked before the last member, and the last member is "chunked" */
    bool bad_coding;      /* "chunked" not last or repeated, an empty member, no token */
    bool bad_expectation; /* a member other than 100-continue */
    bool expectation;
    bool close, keep_alive;
};

/* One Transfer-Encoding field: members of all such fields form one list (RFC 9112 6.1). */
static void note_coding(struct facts *f, struct str list)
{
    f->codings++;
    while (list.p) {
        struct str coding = str_trim(str_split(&list, ','));

        if (f->chunked || !http_is_token(coding))
            f->bad_coding = true;
        if (str_eq_nocase(coding, STR("chunked")))
            f->chunked = true;
        else
            f->other_coding = true;
    }
}

/* One member, as nearly always, is no list to be split. */
static void note_connection(struct facts *f, struct str list)
{
    if (str_eq_nocase(list, STR("keep-alive"))) {
        f->keep_alive = true;
        return;
    }
    f->close |= http_list_has(list, STR("close"));
    f->keep_alive |= http_list_has(list, STR("keep-alive"));
}

static void note_field(struct facts *f, const struct http_field *field, const char *bytes)
{
    struct str value = http_str(bytes, field->value);

    switch (field->id) {
    case HTTP_F_HOST:
        f->host = field;
        f->hosts++;
        break;
    case HTTP_F_CONTENT_LENGTH:
        f->length = field;
        f->lengths++;
        break;
    case HTTP_F_TRANSFER_ENCODING:
        note_coding(f, value);
        break;
    case HTTP_F_CONNECTION:
        note_connection(f, value);
        break;
    case HTTP_F_EXPECT:
        f->expectation = true;
        f->bad_expectation |= !str_eq_nocase(value, STR("100-continue"));
        break;
    case HTTP_F_CONTENT_TYPE:
        f->content_types++;
        break;
    case HTTP_F_AUTHORIZATION:
        f->authorizations++;
        break;
    default:
        break;
    }
}

/* "a.example" and "a.example:80" are the same for http. */
static bool same_authority(struct uri_authority a, struct uri_authority b, uint32_t default_port)
{
    return str_eq_nocase(a.host, b.host) && (a.port ? a.port : default_port) == (b.port ? b.port : default_port);
}

/* RFC 9112 3.2: none on 1.1, more than one, or an invalid one is 400. 3.2.2 lets the absolute form win over Host; as
 * whoever stood in front of us may have routed by the other one, they must agree. */
static enum h1_result check_host(struct h1_parser *parser, const struct facts *f, const char *bytes,
                                 struct http_head *head)
{
    struct uri_authority host, target;

    if (f->hosts > 1)
        return h1_refuse(parser, 400, "repeated Host");
    if (f->hosts == 0)
        return head->minor == 0 ? H1_MORE : h1_refuse(parser, 400, "no Host");
    if (uri_authority_parse(http_str(bytes, f->host->value), &host) < 0)
        return h1_refuse(parser, 400, "bad Host");
    if (head->target_form != HTTP_TARGET_ABSOLUTE) {
        head->authority = f->host->value;
        return H1_MORE;
    }
    if (uri_authority_parse(http_str(bytes, head->authority), &target) < 0 ||
        !same_authority(host, target, scheme_len(http_str(bytes, head->target)) == 8 ? 443 : 80))
        return h1_refuse(parser, 400, "Host differs from the request target");
    return H1_MORE;
}

static enum h1_result check_codings(struct h1_parser *parser, const struct facts *f, struct http_head *head)
{
    if (f->lengths > 0)
        return h1_refuse(parser, 400, "both Content-Length and Transfer-Encoding"); /* 6.1: an attempt at smuggling */
    if (head->minor == 0)
        return h1_refuse(parser, 400, "Transfer-Encoding on HTTP/1.0"); /* 6.1 */
    if (f->bad_coding || !f->chunked)
        return h1_refuse(parser, 400, "malformed Transfer-Encoding, or chunked is not last"); /* 6.3 */
    if (f->other_coding)
        return h1_refuse(parser, 501, "unknown transfer coding"); /* 6.1 */
    head->body = HTTP_BODY_CHUNKED;
    return H1_MORE;
}

static enum h1_result check_length(struct h1_parser *parser, const struct facts *f, const char *bytes,
                                   struct http_head *head)
{
    if (f->lengths > 1)
        return h1_refuse(parser, 400, "repeated Content-Length");
    if (str_to_u64(http_str(bytes, f->length->value), INT64_MAX, &head->content_length) < 0)
        return h1_refuse(parser, 400, "malformed Content-Length");
    head->body = HTTP_BODY_LENGTH;
    return H1_MORE;
}

static enum h1_result check_framing(struct h1_parser *parser, const struct facts *f, const char *bytes,
                                    struct http_head *head)
{
    if (f->codings > 0)
        return check_codings(parser, f, head);
    if (f->lengths > 0)
        return check_length(parser, f, bytes, head);
    return H1_MORE;
}

static bool has_content(const struct http_head *head)
{
    return head->body == HTTP_BODY_CHUNKED || head->content_length > 0;
}

enum h1_result h1_check_fields(struct h1_parser *parser, const char *bytes, struct http_head *head)
{
    struct facts f = { 0 };

    for (uint32_t i = 0; i < head->n_fields; i++)
        note_field(&f, &head->fields[i], bytes);
    if (check_host(parser, &f, bytes, head) == H1_ERROR || check_framing(parser, &f, bytes, head) == H1_ERROR)
        return H1_ERROR;
    if (f.content_types > 1 || f.authorizations > 1) /* RFC 9110 5.3: such fields are sent once */
        return h1_refuse(parser, 400, "repeated Content-Type or Authorization");
    if (f.bad_expectation)
        return h1_refuse(parser, 417, "unknown expectation");
    head->expect_continue = f.expectation && head->minor == 1 && has_content(head);
    head->keep_alive = !f.close && (head->minor == 1 || f.keep_alive);
    return H1_MORE;
}
