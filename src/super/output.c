/* A pipe of printed lines on its way to the log. */
#include "super/output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

#define MARK_BEGIN '\x1e'
#define MARK_END '\x1f'

/* Takes the record mark off the front of a line's first piece and remembers the request. */
static struct str take_mark(struct output *output, struct str line)
{
    ptrdiff_t end;

    output->request[0] = '\0';
    if (line.n == 0 || line.p[0] != MARK_BEGIN)
        return line;
    end = str_find(line, MARK_END);
    if (end < 1 || end - 1 > OUTPUT_REQUEST_MAX)
        return line;
    memcpy(output->request, line.p + 1, (size_t)end - 1);
    output->request[end - 1] = '\0';
    return str_cut(line, (size_t)end + 1, line.n);
}

static void emit(struct output *output)
{
    struct str line = str_make(output->line, output->len);
    struct log log = *output->log;

    output->len = 0;
    if (!output->continued)
        line = take_mark(output, line);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return;
    log.process = output->title;
    log.level = LOG_INFO; /* what the application prints is shown, however few of our own lines are wanted */
    if (output->request[0] != '\0')
        log_emit(&log, LOG_INFO, line, (const struct log_field[]){ LOG_Z("request_id", output->request), LOG_END });
    else
        log_emit(&log, LOG_INFO, line, NULL);
}

void output_feed(struct output *output, struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] == '\n') {
            emit(output);
            output->continued = false;
            continue;
        }
        if (output->len == OUTPUT_LINE_MAX) {
            emit(output);
            output->continued = true;
        }
        output->line[output->len++] = bytes.p[i];
    }
}

/* False: there is no more to come. */
static bool read_some(struct output *output, size_t most)
{
    char bytes[8192];

    for (size_t got = 0; got < most;) {
        ssize_t n = read(output->fd, bytes, sizeof(bytes));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        got += (size_t)n;
        output_feed(output, str_make(bytes, (size_t)n));
    }
    return true;
}

/* The process may close its output and live on: the descriptor stays ours until output_fini. */
static void on_io(struct loop_io *io, uint32_t events)
{
    struct output *output = CONTAINER_OF(io, struct output, io);

    if (!read_some(output, OUTPUT_TURN))
        loop_io_remove(output->loop, io);
}

int output_init(struct output *output, struct loop *loop, int fd, struct log *log, const char *title)
{
    int flags = fcntl(fd, F_GETFL);
    int error;

    *output = (struct output){ .loop = loop, .log = log, .title = title, .fd = fd, .io = { .fd = -1, .fn = on_io } };
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        error = -errno;
    else
        error = loop_io_add(loop, &output->io, fd, EPOLLIN);
    if (error != 0) {
        close(fd);
        output->fd = -1;
        return error;
    }
    output->line = mem_alloc(OUTPUT_LINE_MAX);
    return 0;
}

/* A pipe holds 64 KiB unless somebody enlarged it; a grandchild that prints on must not hold us here. */
void output_drain(struct output *output)
{
    if (output->fd < 0)
        return;
    (void)read_some(output, 1u << 20);
    if (output->len > 0)
        emit(output);
}

void output_fini(struct output *output)
{
    if (output->fd < 0)
        return;
    if (output->io.fd >= 0)
        loop_io_remove(output->loop, &output->io);
    close(output->fd);
    mem_free(output->line);
    output->fd = -1;
    output->line = NULL;
    output->len = 0;
}
