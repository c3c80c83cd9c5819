/*
 * The error log: see log.h.
 *
 * A line is built in one stack buffer and cut between two characters when it gets too long: LINE_TAIL bytes are kept free
 * so that "...", the closing quote and brace and the newline always fit, and a cut JSON line is still JSON.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#define LINE_TAIL 8

struct line {
    char *text;  /* borrowed */
    size_t size; /* of text */
    size_t n;
    bool cut; /* something did not fit: nothing more is added */
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error", [LOG_ALERT] = "alert",
};

const char *log_level_name(enum log_level level)
{
    must((size_t)level < ARRAY_LEN(level_names));
    return level_names[level];
}

int log_level_parse(struct str name, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_eq(name, str_of(level_names[i]))) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* All of s or nothing. */
static void line_add(struct line *l, struct str s)
{
    if (l->cut || l->n + s.n > l->size - LINE_TAIL) { /* a closing quote may be in the tail already */
        l->cut = true;
        return;
    }
    if (s.n > 0)
        memcpy(l->text + l->n, s.p, s.n);
    l->n += s.n;
}

/* Into the bytes kept free: what closes a line that may have been cut. */
static void line_close(struct line *l, struct str s)
{
    must(s.n <= l->size - l->n);
    memcpy(l->text + l->n, s.p, s.n);
    l->n += s.n;
}

/* As between the quotes of JSON; as much as fits. */
static void line_add_escaped(struct line *l, struct str s)
{
    char out[JSON_CHAR_MAX];

    while (s.n > 0 && !l->cut) {
        size_t n = json_escape(&s, out);

        line_add(l, str_make(out, n));
    }
}

/* A message in text form stands without quotes, so a quote or backslash in it may stay as it is. */
static void line_add_message(struct line *l, struct str s)
{
    char out[JSON_CHAR_MAX];

    while (s.n > 0 && !l->cut) {
        bool plain = s.p[0] == '"' || s.p[0] == '\\';
        struct str one = str_make(s.p, 1);
        size_t n = json_escape(&s, out);

        line_add(l, plain ? one : str_make(out, n));
    }
}

static void line_add_number(struct line *l, int64_t number)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRId64, number);

    line_add(l, str_make(digits, (size_t)n));
}

/* Whether a text value can do without quotes: a word that cannot be taken for anything else. */
static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=' || s.p[i] >= 0x7f)
            return false; /* char is signed or not: bytes from 0x80 on fail one of the two bounds */
    return s.n > 0;
}

static void line_add_quoted(struct line *l, struct str s)
{
    line_add(l, STR("\""));
    if (l->cut)
        return;
    line_add_escaped(l, s);
    if (l->cut)
        line_close(l, STR("..."));
    line_close(l, STR("\""));
}

static void field_text(struct line *l, const struct log_field *f)
{
    line_add(l, STR(" "));
    line_add(l, str_of(f->key));
    line_add(l, STR("="));
    if (f->kind == LOG_FIELD_INT)
        line_add_number(l, f->number);
    else if (is_word(f->text))
        line_add(l, f->text);
    else
        line_add_quoted(l, f->text);
}

static void build_text(struct line *l, const struct log *log, enum log_level level, struct str message,
                       const struct log_field *fields)
{
    char time[CLOCK_ISO_LEN + 1];

    clock_iso(clock_wall_ns(), time);
    line_add(l, str_make(time, CLOCK_ISO_LEN));
    line_add(l, STR(" "));
    line_add(l, str_of(log_level_name(level)));
    line_add(l, STR(" "));
    line_add_message(l, str_of(log->process));
    line_add(l, STR(": "));
    line_add_message(l, message);
    for (; fields != NULL && fields->key != NULL && !l->cut; fields++)
        field_text(l, fields);
    if (l->cut && !str_ends(str_make(l->text, l->n), STR("...\"")))
        line_close(l, STR("..."));
    line_close(l, STR("\n"));
}

/* `,"key":value`; a field of which not even the beginning fits is left out whole. */
static void field_json(struct line *l, const struct log_field *f)
{
    size_t start = l->n;
    size_t value;

    line_add(l, STR(",\""));
    line_add_escaped(l, str_of(f->key));
    line_add(l, STR("\":"));
    value = l->n;
    if (f->kind == LOG_FIELD_INT)
        line_add_number(l, f->number);
    else
        line_add_quoted(l, f->text);
    if (l->cut && l->n == value)
        l->n = start;
}

static void build_json(struct line *l, const struct log *log, enum log_level level, struct str message,
                       const struct log_field *fields)
{
    char time[CLOCK_ISO_LEN + 1];

    clock_iso(clock_wall_ns(), time);
    line_add(l, STR("{\"time\":\""));
    line_add(l, str_make(time, CLOCK_ISO_LEN));
    line_add(l, STR("\",\"level\":\""));
    line_add(l, str_of(log_level_name(level)));
    line_add(l, STR("\",\"process\":"));
    line_add_quoted(l, str_of(log->process));
    line_add(l, STR(",\"message\":"));
    line_add_quoted(l, message);
    for (; fields != NULL && fields->key != NULL && !l->cut; fields++)
        field_json(l, fields);
    line_close(l, STR("}\n"));
}

static void write_stderr(struct str line)
{
    while (line.n > 0) {
        ssize_t n = write(2, line.p, line.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody left to tell */
        line = str_cut(line, (size_t)n, line.n);
    }
}

static void emit(struct log *log, enum log_level level, struct str message, const struct log_field *fields,
                 struct line *l)
{
    int saved_errno = errno; /* a caller may still want to look at it */

    if (log->format == LOG_JSON)
        build_json(l, log, level, message, fields);
    else
        build_text(l, log, level, message, fields);
    if (log->sink != NULL)
        log->sink(log->sink_arg, str_make(l->text, l->n));
    else
        write_stderr(str_make(l->text, l->n));
    errno = saved_errno;
}

void log_emit(struct log *log, enum log_level level, struct str message, const struct log_field *fields)
{
    char text[LOG_LINE_MAX];
    struct line l = { .text = text, .size = sizeof(text) };

    if (level >= log->level)
        emit(log, level, message, fields, &l);
}

void log_emit_long(struct log *log, enum log_level level, struct str message, const struct log_field *fields)
{
    struct line l = { .size = LOG_LONG_MAX };

    if (level < log->level)
        return;
    l.text = mem_alloc(l.size);
    emit(log, level, message, fields, &l);
    mem_free(l.text);
}

void log_printf(struct log *log, enum log_level level, const char *fmt, ...)
{
    char message[LOG_LINE_MAX];
    va_list ap;
    int n;

    if (level < log->level)
        return;
    va_start(ap, fmt);
    n = vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    must(n >= 0);
    if ((size_t)n >= sizeof(message))
        n = (int)sizeof(message) - 1; /* longer than any line: log_emit cuts it once more, with the dots */
    log_emit(log, level, str_make(message, (size_t)n), NULL);
}

uint64_t log_seldom(struct log_seldom *seldom, uint64_t now_ns)
{
    uint64_t times = ++seldom->unsaid;

    if (now_ns < seldom->quiet_ns)
        return 0;
    *seldom = (struct log_seldom){ .quiet_ns = now_ns + 60 * NS_PER_SEC };
    return times;
}
