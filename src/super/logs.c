/* Opening, reopening and writing the logs. */
#include "super/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BLOCK_LINES_MAX 2000

void logs_init(struct logs *logs)
{
    *logs = (struct logs){ .error_fd = -1, .access_fd = -1 };
    logs->log.level = LOG_INFO;
    logs->log.process = "supervisor";
    logs->log.format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON;
}

/* `standard`: what "-" means. */
static int open_one(const char *name, int standard)
{
    int fd;

    if (name == NULL || strcmp(name, "-") == 0)
        fd = fcntl(standard, F_DUPFD_CLOEXEC, 3);
    else if (strcmp(name, "off") == 0)
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    else
        fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    return fd >= 0 ? fd : -errno;
}

static int cannot(struct why *error, const char *what, const char *name, int why)
{
    return why_set(error, why, "cannot open the %s %s: %s", what, name != NULL ? name : "-", why_errno(why));
}

static enum log_format format_for(const struct conf *conf, int fd)
{
    if (conf->log_format == CONF_LOG_AUTO)
        return isatty(fd) ? LOG_TEXT : LOG_JSON;
    return conf->log_format == CONF_LOG_TEXT ? LOG_TEXT : LOG_JSON;
}

static int set_sink(struct logs *logs, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy < 0)
        return -errno;
    if (logs->sink == NULL)
        return sink_new(copy, &logs->sink);
    sink_reopen(logs->sink, copy);
    return 0;
}

static void adopt(struct logs *logs, const struct conf *conf, int error_fd, int access_fd)
{
    enum log_level level = LOG_INFO;

    if (logs->error_fd >= 0)
        close(logs->error_fd);
    if (logs->access_fd >= 0)
        close(logs->access_fd);
    logs->error_fd = error_fd;
    logs->access_fd = access_fd;
    logs->log.format = format_for(conf, error_fd);
    if (conf->log_level != NULL && log_level_parse(str_of(conf->log_level), &level) != 0)
        level = LOG_INFO;
    logs->log.level = level;
    logs->log.sink = sink_log;
    logs->log.sink_arg = logs->sink;
}

int logs_open(struct logs *logs, const struct conf *conf, struct why *error)
{
    bool off = conf->access_log != NULL && strcmp(conf->access_log, "off") == 0;
    int error_fd = open_one(conf->log, STDERR_FILENO);
    int access_fd, r;

    if (error_fd < 0)
        return cannot(error, "log", conf->log, error_fd);
    access_fd = off ? -1 : open_one(conf->access_log, STDOUT_FILENO);
    if (access_fd < 0 && !off) {
        close(error_fd);
        return cannot(error, "access log", conf->access_log, access_fd);
    }
    r = set_sink(logs, error_fd);
    if (r != 0) {
        close(error_fd);
        if (access_fd >= 0)
            close(access_fd);
        return cannot(error, "log", conf->log, r);
    }
    adopt(logs, conf, error_fd, access_fd);
    return 0;
}

/* One raw line below the message: what could pass for a line of ours, or move a terminal's cursor, is replaced. */
static void put_indented(struct logs *logs, struct str line)
{
    char out[1024];
    size_t n = 4;

    memset(out, ' ', 4);
    for (size_t i = 0; i < line.n && n < sizeof(out) - 1; i++)
        out[n++] = (unsigned char)line.p[i] < ' ' && line.p[i] != '\t' ? '?' : line.p[i];
    out[n++] = '\n';
    if (logs->log.sink != NULL)
        logs->log.sink(logs->log.sink_arg, str_make(out, n));
    else
        (void)!write(STDERR_FILENO, out, n);
}

static void report_json(struct logs *logs, enum log_level level, const char *message, const struct log_field *fields,
                        const char *text)
{
    struct log_field all[LOGS_FIELDS_MAX + 2];
    size_t n = 0;

    for (; fields[n].key != NULL; n++) {
        must(n < LOGS_FIELDS_MAX);
        all[n] = fields[n];
    }
    all[n++] = LOG_Z("text", text);
    all[n] = LOG_END;
    log_emit_long(&logs->log, level, str_of(message), all);
}

void logs_report(struct logs *logs, enum log_level level, const char *message, const struct log_field *fields,
                 const char *text)
{
    struct str rest = str_of(text);

    if (logs->log.format == LOG_JSON) {
        report_json(logs, level, message, fields, text);
        return;
    }
    log_emit(&logs->log, level, str_of(message), fields);
    if (level < logs->log.level)
        return;
    for (int i = 0; rest.n > 0 && i < BLOCK_LINES_MAX; i++)
        put_indented(logs, str_split(&rest, '\n'));
}

void logs_block(struct logs *logs, enum log_level level, const char *message, const char *text)
{
    logs_report(logs, level, message, (const struct log_field[]){ LOG_END }, text);
}

void logs_fini(struct logs *logs)
{
    sink_free(logs->sink);
    if (logs->error_fd >= 0)
        close(logs->error_fd);
    if (logs->access_fd >= 0)
        close(logs->access_fd);
    logs_init(logs);
}
