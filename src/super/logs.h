/*
 * Where the log lines go: the error log, written through a sink so that a slow disk never blocks the supervisor, and the access
 * log, whose descriptor is lent to the edge.
 *
 * "-" is standard error for the error log and standard output for the access log; "off" is nowhere. One thread.
 */
#ifndef QUINTET_SUPER_LOGS_H
#define QUINTET_SUPER_LOGS_H

#include "base/buf.h"
#include "base/log.h"
#include "conf/conf.h"
#include "os/sink.h"
#include "super/why.h"

struct logs {
    struct log log;    /* what everybody in the supervisor writes to */
    struct sink *sink; /* owned; NULL before logs_open: straight to standard error */
    int error_fd;      /* owned */
    int access_fd;     /* owned; -1: off */
};

void logs_init(struct logs *logs); /* usable at once, on standard error */
/* Opens what conf names, or opens it again (rotation, another name). 0, or -errno with a sentence in `error` and nothing changed. */
MUST_CHECK int logs_open(struct logs *logs, const struct conf *conf, struct why *error);
/* Text of several lines, such as a traceback: indented below the message in the text format, one field in JSON. */
void logs_block(struct logs *logs, enum log_level level, const char *message, const char *text);
/* The same with fields (ended by LOG_END, at most LOGS_FIELDS_MAX). Text up to LOG_LONG_MAX. */
#define LOGS_FIELDS_MAX 12
void logs_report(struct logs *logs, enum log_level level, const char *message, const struct log_field *fields,
                 const char *text);
void logs_fini(struct logs *logs); /* flushes */

#endif
