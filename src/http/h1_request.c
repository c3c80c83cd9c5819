/*
 * The head of an HTTP/1 request, line by line (RFC 9112 2 to 5).
 *
 * A line is taken up once its LF has arrived and then read in one pass; `scanned` remembers where the search for the LF
 * stands. Nothing is decided on an unfinished line but two things that no further byte could change: a first byte that
 * begins no request (a TLS hello on a plain port should not wait for a timeout), and a line past its limit. So the
 * answer depends on the bytes alone and not on how they were cut.
 *
 * The scans below run without bounds: the line ends in CR, which is in no character class.
 */
#include "http/h1.h"

#include "base/must.h"
#include "http/chars.h"
#include "http/h1_rules.h"

enum { STEP_START_LINE, STEP_FIELDS, STEP_DONE, STEP_FAILED };

#define EMPTY_LINES_MAX 2 /* before the request line (RFC 9112 2.2: "at least one" SHOULD be ignored) */
#define VERSION_LEN 8     /* "HTTP/1.1" */

/* The unfinished line: [start, end) without its CRLF; bytes[end] is CR. */
struct line {
    const char *bytes;
    uint32_t start, end;
};

void h1_head_begin(struct h1_parser *parser, const struct h1_limits *limits, struct http_head *head)
{
    must(limits->fields <= HTTP_FIELDS_MAX);
    memset(parser, 0, sizeof(*parser));
    parser->limits = limits;
    memset(head, 0, offsetof(struct http_head, fields)); /* the table is filled as it grows: not 5 KiB a request */
    head->major = 1;
}

enum h1_result h1_refuse(struct h1_parser *parser, uint16_t status, const char *reason)
{
    parser->status = status;
    parser->reason = reason;
    parser->step = STEP_FAILED;
    return H1_ERROR;
}

static uint32_t skip(const char *bytes, uint32_t pos, const bool class[256])
{
    while (class[(unsigned char)bytes[pos]])
        pos++;
    return pos;
}

static struct span span_between(uint32_t from, uint32_t to)
{
    return (struct span){ from, to - from };
}

/* ---- the request line: method SP request-target SP HTTP-version (RFC 9112 3) ---- */

static enum h1_result parse_version(struct h1_parser *parser, struct str v, struct http_head *head)
{
    if (v.n != VERSION_LEN || memcmp(v.p, "HTTP/", 5) != 0 || !http_is_digit(v.p[5]) || v.p[6] != '.' ||
        !http_is_digit(v.p[7]))
        return h1_refuse(parser, 400, "malformed HTTP version");
    if (v.p[5] != '1' || v.p[7] > '1')
        return h1_refuse(parser, 505, "HTTP version is neither 1.0 nor 1.1");
    head->minor = (uint8_t)(v.p[7] - '0');
    return H1_MORE;
}

static enum h1_result parse_request_line(struct h1_parser *parser, struct line line, struct http_head *head)
{
    uint32_t method_end = skip(line.bytes, line.start, http_tchar);
    uint32_t target_end;

    if (method_end == line.start || line.bytes[method_end] != ' ')
        return h1_refuse(parser, 400, "malformed method");
    target_end = skip(line.bytes, method_end + 1, http_target_char);
    if (target_end == method_end + 1 || line.bytes[target_end] != ' ')
        return h1_refuse(parser, 400, "malformed request target");
    head->method_text = span_between(line.start, method_end);
    head->method = http_method_lookup(http_str(line.bytes, head->method_text));
    head->target = span_between(method_end + 1, target_end);
    if (parse_version(parser, str_make(line.bytes + target_end + 1, line.end - target_end - 1), head) == H1_ERROR)
        return H1_ERROR;
    parser->step = STEP_FIELDS;
    return h1_check_target(parser, line.bytes, head);
}

static enum h1_result take_start_line(struct h1_parser *parser, struct line line, struct http_head *head)
{
    if (line.start < line.end)
        return parse_request_line(parser, line, head);
    if (parser->empty_lines == EMPTY_LINES_MAX)
        return h1_refuse(parser, 400, "too many empty lines before the request");
    parser->empty_lines++;
    return H1_MORE;
}

/* ---- field lines: field-name ":" OWS field-value OWS (RFC 9112 5) ---- */

static enum h1_result refuse_field_name(struct h1_parser *parser, struct line line, uint32_t pos)
{
    char c = line.bytes[pos];

    if (c != ' ' && c != '\t')
        return h1_refuse(parser, 400, pos == line.start ? "empty field name" : "bad byte in a field name");
    if (pos == line.start)
        return h1_refuse(parser, 400, "folded field line"); /* 5.2; also whitespace behind the start line, 2.2 */
    return h1_refuse(parser, 400, "space before the colon of a field"); /* 5.1 */
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Whether eight bytes are all neither below SP nor DEL: a word at a time, as values are most of a head. A byte
 * underflows into its high bit when it is smaller than what is subtracted and had that bit clear; XOR turns DEL into
 * 0, which is below 1. */
static bool is_text8(const char *p)
{
    uint64_t word, del;

    memcpy(&word, p, sizeof(word));
    del = word ^ EACH_BYTE(0x7f);
    return ((((word - EACH_BYTE(' ')) & ~word) | ((del - EACH_BYTE(1)) & ~del)) & EACH_BYTE(0x80)) == 0;
}

/* End of the field text that begins at pos: line.end, or where a control byte is. */
static uint32_t skip_text(struct line line, uint32_t pos)
{
    while (line.end - pos >= 8 && is_text8(line.bytes + pos))
        pos += 8;
    return skip(line.bytes, pos, http_field_char); /* the tail, and HTAB, which is text, too */
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

static enum h1_result parse_field(struct h1_parser *parser, struct line line, struct http_head *head)
{
    uint32_t name_end = skip(line.bytes, line.start, http_tchar);
    uint32_t from = name_end + 1, to;
    struct http_field *field = &head->fields[head->n_fields];

    if (name_end == line.start || line.bytes[name_end] != ':')
        return refuse_field_name(parser, line, name_end);
    while (is_ows(line.bytes[from]))
        from++;
    to = skip_text(line, from);
    if (to != line.end)
        return h1_refuse(parser, 400,
                         line.bytes[to] == '\r' ? "bare CR in a field value" : "control byte in a field value");
    while (to > from && is_ows(line.bytes[to - 1]))
        to--;
    field->name = span_between(line.start, name_end);
    field->value = span_between(from, to);
    field->id = http_field_lookup(http_str(line.bytes, field->name));
    head->n_fields++;
    return H1_MORE;
}

static enum h1_result take_field_line(struct h1_parser *parser, struct line line, struct http_head *head)
{
    if (line.start == line.end) {
        head->length = line.end + 2;
        if (h1_check_fields(parser, line.bytes, head) == H1_ERROR)
            return H1_ERROR;
        parser->step = STEP_DONE;
        return H1_DONE;
    }
    if (head->n_fields == parser->limits->fields)
        return h1_refuse(parser, 431, "too many fields");
    return parse_field(parser, line, head);
}

/* ---- lines ---- */

/* Where the line with its CRLF must have ended. */
static uint32_t line_end_max(const struct h1_parser *parser)
{
    uint32_t limit = parser->step == STEP_START_LINE ? parser->limits->request_line : parser->limits->field_size;
    uint64_t end = (uint64_t)parser->line_start + limit + 2;

    return end < HTTP_HEAD_MAX ? (uint32_t)end : HTTP_HEAD_MAX;
}

static enum h1_result refuse_long_line(struct h1_parser *parser, uint32_t end_max)
{
    if (parser->step == STEP_START_LINE)
        return h1_refuse(parser, 414, "request line too long");
    return h1_refuse(parser, 431, end_max == HTTP_HEAD_MAX ? "head too large" : "field too large");
}

static enum h1_result take_line(struct h1_parser *parser, struct line line, struct http_head *head)
{
    return parser->step == STEP_START_LINE ? take_start_line(parser, line, head) : take_field_line(parser, line, head);
}

/* Looks for the next line; H1_DONE: *line is there. */
static enum h1_result next_line(struct h1_parser *parser, const char *bytes, size_t n, struct line *line)
{
    uint32_t start = parser->line_start, end_max = line_end_max(parser);
    uint32_t end = n < end_max ? (uint32_t)n : end_max;
    const char *lf;

    if (parser->step == STEP_START_LINE && n > start && !http_tchar[(unsigned char)bytes[start]] &&
        bytes[start] != '\r')
        return h1_refuse(parser, 400, "not an HTTP request");
    lf = end > parser->scanned ? memchr(bytes + parser->scanned, '\n', end - parser->scanned) : NULL;
    if (!lf) {
        parser->scanned = end;
        return end == end_max ? refuse_long_line(parser, end_max) : H1_MORE;
    }
    parser->scanned = (uint32_t)(lf - bytes) + 1;
    parser->line_start = parser->scanned;
    if (lf == bytes + start || lf[-1] != '\r')
        return h1_refuse(parser, 400, "line ends without CR");
    *line = (struct line){ bytes, start, (uint32_t)(lf - bytes) - 1 };
    return H1_DONE;
}

enum h1_result h1_head_parse(struct h1_parser *parser, const char *bytes, size_t n, struct http_head *head)
{
    enum h1_result result = H1_MORE;
    struct line line;

    must(parser->step < STEP_DONE && n >= parser->scanned);
    while (result == H1_MORE) {
        result = next_line(parser, bytes, n, &line);
        if (result != H1_DONE)
            return result;
        result = take_line(parser, line, head);
    }
    return result;
}
