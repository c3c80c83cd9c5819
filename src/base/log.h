/*
 * The error log: one line an event, as text or JSON, handed to a sink.
 *
 * log_emit builds the whole line in a stack buffer (LOG_LINE_MAX bytes; longer ones end in "...") and passes it to the
 * sink, which must not block (os/sink.h gives one with a writer thread). Control bytes in messages and values are escaped,
 * so that no request and no worker can forge a line. The line's shape:
 *   text: 2026-01-31T23:59:59.123Z warning edge: message key=value key="two words"
 *   json: {"time":"…","level":"warning","process":"edge","message":"…","key":"value"}
 * Levels: an `alert` says Quintet itself misbehaved: the tests fail on any that they did not expect.
 * Thread-safe as far as the sink is; level and sink are set before threads start.
 */
#ifndef QUINTET_BASE_LOG_H
#define QUINTET_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

#define LOG_LINE_MAX 8192

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_ALERT };
enum log_format { LOG_TEXT, LOG_JSON };

/* Takes one whole line, newline included; keeps nothing of it; never blocks. */
typedef void log_sink_fn(void *arg, struct str line);

struct log {
    _Atomic enum log_level level; /* lines below are dropped; may be changed while others log, as may the format */
    _Atomic enum log_format format;
    const char *process; /* "supervisor", "edge", "worker 3" … borrowed, process lifetime */
    log_sink_fn *sink;   /* NULL: stderr, blocking (before the real sink is up) */
    void *sink_arg;
};

/* A key with a text or number value behind the message. */
struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT } kind;
    struct str text;
    int64_t number;
};

#define LOG_S(k, s) ((struct log_field){ .key = (k), .kind = LOG_FIELD_STR, .text = (s) })
#define LOG_Z(k, z) ((struct log_field){ .key = (k), .kind = LOG_FIELD_STR, .text = str_of(z) })
#define LOG_N(k, i) ((struct log_field){ .key = (k), .kind = LOG_FIELD_INT, .number = (int64_t)(i) })
#define LOG_END ((struct log_field){ .key = NULL })

/* The bare form: `fields` ends with LOG_END; NULL for none. */
void log_emit(struct log *log, enum log_level level, struct str message, const struct log_field *fields);
void log_printf(struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* For an event that has a long text to show, such as a stack: the same, up to LOG_LONG_MAX bytes. */
#define LOG_LONG_MAX (48u << 10)
void log_emit_long(struct log *log, enum log_level level, struct str message, const struct log_field *fields);

/* log_event(log, LOG_INFO, "worker is ready", LOG_N("worker", 3)); */
#define log_event(log, level, message, ...)                                                                            \
    log_emit((log), (level), str_of(message), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ) LOG_END })

/* For what may happen a thousand times a second: the first is said at once, then one a minute that tells how many there were. Zeroed: ready. */
struct log_seldom {
    uint64_t quiet_ns; /* nothing is said before */
    uint64_t unsaid;
};

/* It happened again, now. 0: say nothing; else how many times since it was last said, this one included. */
uint64_t log_seldom(struct log_seldom *seldom, uint64_t now_ns);

const char *log_level_name(enum log_level level);
MUST_CHECK int log_level_parse(struct str name, enum log_level *out); /* 0 or -EINVAL */

#endif
