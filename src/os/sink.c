/*
 * A log file that never blocks who writes to it: see sink.h.
 *
 * Two buffers: producers fill one under the lock, the writer thread takes it whole, leaves the empty one in its place and
 * writes without the lock. A producer thus waits for no more than another's memcpy. The descriptor may block (a pipe, a
 * terminal, a disk that hangs): only the writer thread does, and sink_free cancels it there after its second.
 */
#include "os/sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define FREE_FLUSH_NS NS_PER_SEC
#define CANCEL_WAIT_NS (NS_PER_SEC / 10) /* a write that cannot even be cancelled hangs in the kernel */

/* A buffer of whole lines. From `switch_at` on they go to `next_fd` (-1: no change of file in this buffer). */
struct half {
    char *data; /* owned, SINK_BYTES */
    size_t len;
    size_t switch_at;
    int next_fd; /* owned until the writer takes it over */
};

struct sink {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled;  /* the writer waits: something to do */
    pthread_cond_t written; /* sink_flush waits */
    struct half halves[2];
    struct half *fill;        /* under lock */
    uint64_t n_taken;         /* buffers' worth: how often the writer must still take one; under lock */
    uint64_t n_done;          /* the number of the last batch written; under lock */
    uint64_t unreported;      /* dropped lines that no line tells of yet; under lock */
    bool json;                /* the last line looked like JSON; under lock */
    bool stop;                /* under lock */
    _Atomic uint64_t dropped; /* in all */
    int fd;                   /* owned; the writer's alone */
};

/* ---- the writer ---- */

static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;

    for (const char *end = p + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

/* Somebody else may have made the descriptor non-blocking: it is shared with whoever gave it to us. */
static void await_writable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    (void)poll(&p, 1, -1);
}

/* The only place where the thread may block for long, and the only one where it may be cancelled. */
static size_t write_all(int fd, const char *p, size_t n)
{
    size_t done = 0;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    while (done < n) {
        ssize_t r = write(fd, p + done, n - done);

        if (r >= 0)
            done += (size_t)r;
        else if (errno == EAGAIN)
            await_writable(fd);
        else if (errno != EINTR)
            break; /* no space, no reader: these lines are lost, later ones may fit */
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return done;
}

/* How many lines could not be written. */
static uint64_t write_piece(struct sink *sink, const char *p, size_t n)
{
    size_t done = write_all(sink->fd, p, n);

    return count_lines(p + done, n - done);
}

static uint64_t write_half(struct sink *sink, struct half *h)
{
    size_t before = h->next_fd >= 0 ? h->switch_at : h->len;
    uint64_t lost = write_piece(sink, h->data, before);

    if (h->next_fd >= 0) {
        close(sink->fd);
        sink->fd = h->next_fd;
        h->next_fd = -1;
        lost += write_piece(sink, h->data + before, h->len - before);
    }
    h->len = 0;
    return lost;
}

/* Under lock. */
static void drop(struct sink *sink, uint64_t lines)
{
    sink->unreported += lines;
    atomic_fetch_add(&sink->dropped, lines);
}

/* Lines were dropped since the buffer before: told first in this one. */
static void report_dropped(struct sink *sink)
{
    struct half *h = sink->fill;
    char time[CLOCK_ISO_LEN + 1];
    int n;

    if (sink->unreported == 0)
        return;
    clock_iso(clock_wall_ns(), time);
    n = snprintf(h->data, SINK_BYTES,
                 sink->json ? "{\"time\":\"%s\",\"level\":\"warning\",\"message\":\"%llu lines dropped\"}\n"
                            : "%s warning: %llu lines dropped\n",
                 time, (unsigned long long)sink->unreported);
    h->len = (size_t)n;
    sink->unreported = 0;
}

static bool has_work(const struct sink *sink)
{
    return sink->fill->len > 0 || sink->fill->next_fd >= 0;
}

static void *writer(void *arg)
{
    struct sink *sink = arg;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_mutex_lock(&sink->lock);
    for (;;) {
        struct half *full = sink->fill;
        uint64_t lost;

        if (!has_work(sink)) {
            if (sink->stop)
                break;
            pthread_cond_wait(&sink->filled, &sink->lock);
            continue;
        }
        sink->fill = full == &sink->halves[0] ? &sink->halves[1] : &sink->halves[0];
        sink->n_taken++;
        report_dropped(sink);
        pthread_mutex_unlock(&sink->lock);
        lost = write_half(sink, full);
        pthread_mutex_lock(&sink->lock);
        drop(sink, lost);
        sink->n_done++;
        pthread_cond_broadcast(&sink->written);
    }
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

/* ---- everybody else ---- */

/* The thread takes no signal: they are the main thread's. (A SIGPIPE of its own stays pending and does nothing.) */
static int start_thread(struct sink *sink)
{
    sigset_t all, old;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(&sink->thread, NULL, writer, sink);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -r;
}

static void release(struct sink *sink)
{
    for (size_t i = 0; i < ARRAY_LEN(sink->halves); i++) {
        if (sink->halves[i].next_fd >= 0)
            close(sink->halves[i].next_fd);
        mem_free(sink->halves[i].data);
    }
    pthread_cond_destroy(&sink->filled);
    pthread_cond_destroy(&sink->written);
    pthread_mutex_destroy(&sink->lock);
    mem_free(sink);
}

int sink_new(int fd, struct sink **out)
{
    struct sink *sink = mem_zalloc(sizeof(*sink));
    pthread_condattr_t attr;
    int r;

    sink->fd = fd;
    for (size_t i = 0; i < ARRAY_LEN(sink->halves); i++)
        sink->halves[i] = (struct half){ .data = mem_alloc(SINK_BYTES), .next_fd = -1 };
    sink->fill = &sink->halves[0];
    pthread_mutex_init(&sink->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sink->filled, NULL);
    pthread_cond_init(&sink->written, &attr);
    pthread_condattr_destroy(&attr);
    r = start_thread(sink);
    if (r < 0) {
        release(sink);
        return r;
    }
    *out = sink;
    return 0;
}

void sink_put(struct sink *sink, struct str line)
{
    struct half *h;
    bool wake;

    must(line.n <= SINK_BYTES / 4);
    if (line.n == 0)
        return;
    pthread_mutex_lock(&sink->lock);
    h = sink->fill;
    wake = h->len == 0;
    sink->json = line.p[0] == '{';
    if (line.n > SINK_BYTES - h->len) {
        drop(sink, 1);
    } else {
        memcpy(h->data + h->len, line.p, line.n);
        h->len += line.n;
    }
    pthread_mutex_unlock(&sink->lock);
    if (wake)
        pthread_cond_signal(&sink->filled);
}

void sink_log(void *sink, struct str line)
{
    sink_put(sink, line);
}

void sink_reopen(struct sink *sink, int fd)
{
    struct half *h;

    pthread_mutex_lock(&sink->lock);
    h = sink->fill;
    if (h->next_fd >= 0)
        close(h->next_fd); /* nothing was written there yet: the lines meant for it go to the newer one */
    else
        h->switch_at = h->len;
    h->next_fd = fd;
    pthread_mutex_unlock(&sink->lock);
    pthread_cond_signal(&sink->filled);
}

static struct timespec deadline_in(uint64_t ns)
{
    uint64_t now = clock_mono_ns();
    uint64_t at = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;

    return (struct timespec){ .tv_sec = (time_t)(at / NS_PER_SEC), .tv_nsec = (long)(at % NS_PER_SEC) };
}

int sink_flush(struct sink *sink, uint64_t timeout_ns)
{
    struct timespec deadline = deadline_in(timeout_ns);
    uint64_t want;
    int r = 0;

    pthread_mutex_lock(&sink->lock);
    want = sink->n_taken + (has_work(sink) ? 1 : 0);
    while (sink->n_done < want && r == 0)
        r = pthread_cond_timedwait(&sink->written, &sink->lock, &deadline);
    r = sink->n_done < want ? -ETIMEDOUT : 0;
    pthread_mutex_unlock(&sink->lock);
    return r;
}

void sink_free(struct sink *sink)
{
    struct timespec deadline;
    int fd;

    if (sink == NULL)
        return;
    if (sink_flush(sink, FREE_FLUSH_NS) < 0)
        pthread_cancel(sink->thread);
    pthread_mutex_lock(&sink->lock);
    sink->stop = true;
    pthread_mutex_unlock(&sink->lock);
    pthread_cond_signal(&sink->filled);
    deadline = deadline_in(CANCEL_WAIT_NS);
    if (pthread_clockjoin_np(sink->thread, NULL, CLOCK_MONOTONIC, &deadline) != 0) {
        pthread_detach(sink->thread); /* it still uses everything: the process is ending, let it be */
        return;
    }
    fd = sink->fd;
    release(sink);
    close(fd);
}

uint64_t sink_dropped(const struct sink *sink)
{
    return atomic_load(&sink->dropped);
}
