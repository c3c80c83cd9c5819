/*
 * The content of an HTTP/1 request: a known length, or chunks (RFC 9112 7.1).
 *
 * chunked-body = *chunk last-chunk trailer-section CRLF. Between pieces of data it is a machine over single bytes, a
 * function a state: so it can stop anywhere, and there is no line to collect.
 */
#include "http/h1.h"

#include "http/chars.h"

enum step {
    SIZE_FIRST, /* the first hex digit of a chunk line */
    SIZE,       /* further digits */
    EXT_BWS,    /* blanks behind the size: only an extension may follow (7.1.1) */
    EXT,        /* an extension: skipped */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* at the start of a trailer line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
    FAILED,
    STEPS
};

/* Reads one byte, sets the next step. */
typedef void step_fn(struct h1_body *body, char c);

static void refuse(struct h1_body *body, uint16_t status, const char *reason)
{
    body->status = status;
    body->reason = reason;
    body->step = FAILED;
}

static void expect(struct h1_body *body, char c, char wanted, enum step next)
{
    if (c == wanted)
        body->step = (uint8_t)next;
    else
        refuse(body, 400,
               wanted == '\r' ? "chunk data does not end in CRLF" : "line ends without CRLF in a chunked body");
}

static bool chunk_line_fits(struct h1_body *body, char c)
{
    if (c == '\r' || ++body->line_bytes <= H1_CHUNK_LINE_MAX)
        return true;
    refuse(body, 400, "chunk line too long");
    return false;
}

static void add_digit(struct h1_body *body, signed char digit)
{
    if (body->left > (uint64_t)INT64_MAX >> 4) {
        refuse(body, 400, "chunk size too large");
        return;
    }
    body->left = body->left << 4 | (unsigned char)digit;
    body->step = SIZE;
}

static void read_size_first(struct h1_body *body, char c)
{
    int8_t digit = http_hex[(unsigned char)c];

    body->left = 0;
    body->line_bytes = 1;
    if (digit < 0)
        refuse(body, 400, "malformed chunk size");
    else
        add_digit(body, digit);
}

static void read_size(struct h1_body *body, char c)
{
    int8_t digit = http_hex[(unsigned char)c];

    if (!chunk_line_fits(body, c))
        return;
    if (digit >= 0)
        add_digit(body, digit);
    else if (c == '\r')
        body->step = SIZE_LF;
    else if (c == ';')
        body->step = EXT;
    else if (c == ' ' || c == '\t')
        body->step = EXT_BWS;
    else
        refuse(body, 400, "malformed chunk size");
}

static void read_ext_bws(struct h1_body *body, char c)
{
    if (!chunk_line_fits(body, c))
        return;
    if (c == ';')
        body->step = EXT;
    else if (c != ' ' && c != '\t')
        refuse(body, 400, "blank behind a chunk size");
}

static void read_ext(struct h1_body *body, char c)
{
    if (!chunk_line_fits(body, c))
        return;
    if (c == '\r')
        body->step = SIZE_LF;
    else if (!http_field_char[(unsigned char)c])
        refuse(body, 400, "control byte in a chunk extension");
}

static void read_size_lf(struct h1_body *body, char c)
{
    expect(body, c, '\n', body->left > 0 ? DATA : TRAILER);
    body->line_bytes = 0; /* now counts the trailer section */
}

static void read_data_cr(struct h1_body *body, char c)
{
    expect(body, c, '\r', DATA_LF);
}

static void read_data_lf(struct h1_body *body, char c)
{
    expect(body, c, '\n', SIZE_FIRST);
}

static bool trailer_fits(struct h1_body *body)
{
    if (++body->line_bytes <= H1_TRAILER_MAX)
        return true;
    refuse(body, 431, "trailer section too large");
    return false;
}

static void read_trailer(struct h1_body *body, char c)
{
    if (!trailer_fits(body))
        return;
    if (c == '\r')
        body->step = END_LF;
    else if (http_tchar[(unsigned char)c])
        body->step = TRAILER_NAME;
    else
        refuse(body, 400, "malformed trailer field");
}

static void read_trailer_name(struct h1_body *body, char c)
{
    if (!trailer_fits(body))
        return;
    if (c == ':')
        body->step = TRAILER_VALUE;
    else if (!http_tchar[(unsigned char)c])
        refuse(body, 400, "malformed trailer field");
}

static void read_trailer_value(struct h1_body *body, char c)
{
    if (!trailer_fits(body))
        return;
    if (c == '\r')
        body->step = TRAILER_LF;
    else if (!http_field_char[(unsigned char)c])
        refuse(body, 400, "control byte in a trailer field");
}

static void read_trailer_lf(struct h1_body *body, char c)
{
    if (trailer_fits(body))
        expect(body, c, '\n', TRAILER);
}

static void read_end_lf(struct h1_body *body, char c)
{
    if (trailer_fits(body))
        expect(body, c, '\n', DONE);
}

static step_fn *const steps[STEPS] = {
    [SIZE_FIRST] = read_size_first,     [SIZE] = read_size,
    [EXT_BWS] = read_ext_bws,           [EXT] = read_ext,
    [SIZE_LF] = read_size_lf,           [DATA_CR] = read_data_cr,
    [DATA_LF] = read_data_lf,           [TRAILER] = read_trailer,
    [TRAILER_NAME] = read_trailer_name, [TRAILER_VALUE] = read_trailer_value,
    [TRAILER_LF] = read_trailer_lf,     [END_LF] = read_end_lf,
};

static const enum step after_data[] = {
    [HTTP_BODY_NONE] = DONE,
    [HTTP_BODY_LENGTH] = DONE,
    [HTTP_BODY_CHUNKED] = DATA_CR,
};

void h1_body_begin(struct h1_body *body, const struct http_head *head)
{
    memset(body, 0, sizeof(*body));
    body->kind = head->body;
    body->step = DONE;
    if (head->body == HTTP_BODY_CHUNKED) {
        body->step = SIZE_FIRST;
    } else if (head->body == HTTP_BODY_LENGTH && head->content_length > 0) {
        body->left = head->content_length;
        body->step = DATA;
    }
}

/* Takes what there is of the chunk or the length; returns its bytes. */
static struct str take_data(struct h1_body *body, const char *bytes, size_t n)
{
    struct str data = str_make(bytes, n < body->left ? n : (size_t)body->left);

    body->left -= data.n;
    body->total += data.n;
    if (body->left == 0)
        body->step = (uint8_t)after_data[body->kind];
    return data;
}

enum h1_result h1_body_feed(struct h1_body *body, const char *bytes, size_t n, size_t *used, struct str *data)
{
    size_t pos = 0;

    *data = str_make(bytes, 0);
    while (pos < n && body->step < DONE) {
        if (body->step != DATA) {
            steps[body->step](body, bytes[pos++]);
            continue;
        }
        if (data->n > 0) /* one piece a call */
            break;
        *data = take_data(body, bytes + pos, n - pos);
        pos += data->n;
    }
    *used = pos;
    if (body->step == FAILED)
        return H1_ERROR;
    return body->step == DONE ? H1_DONE : H1_MORE;
}
