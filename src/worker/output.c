/*
 * Line collection per thread, one write per line.
 *
 * Lines up to PIPE_BUF are atomic by themselves; the lock makes longer ones whole among the threads of this process. The lock is not held while a fork
 * happens: the child gets a fresh one.
 */
#include "worker/output.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/mem.h"
#include "worker/exchange.h"

#define MARK_MAX 256 /* RS, the id, US */

struct line {
    int fd;
    size_t n; /* bytes of text */
    char bytes[MARK_MAX + OUTPUT_LINE_MAX];
};

static pthread_key_t line_key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        bytes = str_cut(bytes, (size_t)n, bytes.n);
    }
}

/* Writes the mark in front of the text; returns where it begins. */
static size_t put_mark(struct line *line)
{
    const struct exchange *x = exchange_current();
    struct str id = x == NULL ? STR("") : str_cut(x->request.vars[POOL_REQUEST_ID], 0, MARK_MAX - 2);
    size_t at = MARK_MAX - id.n - 2;

    line->bytes[at] = '\x1e';
    if (id.n > 0)
        memcpy(line->bytes + at + 1, id.p, id.n);
    line->bytes[MARK_MAX - 1] = '\x1f';
    for (size_t i = at + 1; i < MARK_MAX - 1; i++)
        if ((unsigned char)line->bytes[i] < 0x20)
            line->bytes[i] = '?';
    return at;
}

static void emit(struct line *line)
{
    size_t at = put_mark(line);

    line->bytes[MARK_MAX + line->n] = '\n';
    pthread_mutex_lock(&lock);
    write_all(line->fd, str_make(line->bytes + at, MARK_MAX - at + line->n + 1));
    pthread_mutex_unlock(&lock);
    line->n = 0;
}

static void end_line(void *arg)
{
    struct line *line = arg;

    if (line->n > 0)
        emit(line);
    mem_free(line);
}

static struct line *line_of_thread(int fd)
{
    struct line *line = pthread_getspecific(line_key);

    if (line == NULL) {
        line = mem_alloc(sizeof(*line));
        line->fd = fd;
        line->n = 0;
        must(pthread_setspecific(line_key, line) == 0);
    }
    if (line->fd != fd && line->n > 0)
        emit(line); /* the beginning of a line went to the other stream */
    line->fd = fd;
    return line;
}

void output_write(int fd, struct str bytes)
{
    const size_t room = OUTPUT_LINE_MAX - MARK_MAX - 1;
    struct line *line = line_of_thread(fd);

    while (bytes.n > 0) {
        const char *lf = memchr(bytes.p, '\n', bytes.n);
        size_t n = lf == NULL ? bytes.n : (size_t)(lf - bytes.p);
        size_t take = n < room - line->n ? n : room - line->n;

        memcpy(line->bytes + MARK_MAX + line->n, bytes.p, take);
        line->n += take;
        if (take < n || lf != NULL)
            emit(line);
        bytes = str_cut(bytes, take < n || lf == NULL ? take : take + 1, bytes.n);
    }
}

void output_flush(void)
{
    struct line *line = pthread_getspecific(line_key);

    if (line != NULL && line->n > 0)
        emit(line);
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

void output_init(void)
{
    must(pthread_key_create(&line_key, end_line) == 0);
    must(pthread_atfork(before_fork, after_fork, after_fork) == 0);
}
