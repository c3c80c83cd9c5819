/*
 * A log file that never blocks who writes to it: see sink.h.
 *
 * Two buffers: producers fill one under the lock, the writer thread takes it whole, leaves the empty one in its place and
 * writes without the lock. A producer thus waits for no more than another's memcpy.
 *
 * The descriptor is shared with whoever gave it to us, so it is not made non-blocking. A pipe, terminal or socket is asked
 * by poll(2) and then given no more than PIPE_BUF bytes, for which there is room when it says so; the same poll hears of
 * sink_free's patience ending. (Cancelling a thread blocked in write(2) would do too, but AddressSanitizer cannot follow.)
 *
 * A first line is written at once. After a write the writer may rest (sink_gather) and is signalled by nobody meanwhile: at some 50,000 lines a
 * second each line had cost a wake-up, a context switch and write, poll and fstat, half of the edge's time.
 */
#include "os/sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define FREE_FLUSH_NS NS_PER_SEC
#define END_NS NS_PER_SEC         /* past this the thread hangs in the kernel: a dead disk */
#define HURRY_AT (SINK_BYTES / 2) /* with so much to write the writer rests no longer */
#define AHEAD 512                 /* an ordinary line */
#define CACHE_LINE 64

/* A buffer of whole lines. From `switch_at` on they go to `next_fd` (-1: no change of file in this buffer). */
struct half {
    char *data; /* owned, SINK_BYTES */
    size_t len;
    size_t switch_at;
    size_t told_at; /* where a line that tells of dropped ones ends */
    uint64_t told;  /* of how many; 0: there is none */
    int next_fd;    /* owned until the writer takes it over */
};

struct sink {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled;  /* the writer waits: something to do, or, while it rests, something that does not wait */
    pthread_cond_t written; /* sink_flush waits */
    struct half halves[2];
    struct half *fill;        /* under lock */
    uint64_t n_taken;         /* buffers' worth: how often the writer must still take one; under lock */
    uint64_t n_done;          /* the number of the last batch written; under lock */
    uint64_t unreported;      /* dropped lines that no line tells of yet; under lock */
    uint64_t rest_ns;         /* under lock */
    bool waits;               /* the writer, for a first line; under lock */
    bool hurry;               /* the writer is not to rest; under lock */
    bool stop;                /* under lock */
    _Atomic uint64_t dropped; /* in all */
    int fd;                   /* owned; the writer's alone */
    bool torn;                /* what was written last ends within a line; the writer's alone */
    int give_up;              /* owned; an eventfd: readable when what cannot be written at once is to be dropped */
};

/* ---- the writer ---- */

static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;

    for (const char *end = p + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

/* False: give up. */
static bool await_writable(struct sink *sink)
{
    struct pollfd p[2] = { { .fd = sink->give_up, .events = POLLIN }, { .fd = sink->fd, .events = POLLOUT } };
    int n;

    do
        n = poll(p, 2, -1);
    while (n < 0 && errno == EINTR);
    return p[0].revents == 0;
}

static size_t piece_max(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? SINK_BYTES : PIPE_BUF;
}

/* How much of it was written: less than n when there is no space, no reader, or no more time. */
static size_t write_all(struct sink *sink, const char *p, size_t n)
{
    size_t done = 0, max = piece_max(sink->fd);

    while (done < n && await_writable(sink)) {
        ssize_t r = write(sink->fd, p + done, n - done < max ? n - done : max);

        if (r >= 0)
            done += (size_t)r;
        else if (errno != EAGAIN && errno != EINTR)
            break;
    }
    return done;
}

/* All of it, or as much as there is space for. What was torn by a full disk is ended first: the next line is whole again. */
static size_t write_out(struct sink *sink, const char *p, size_t n)
{
    size_t done;

    if (sink->torn && write_all(sink, "\n", 1) == 0)
        return 0;
    done = write_all(sink, p, n);
    sink->torn = done > 0 && p[done - 1] != '\n';
    return done;
}

/* How many lines could not be written of a piece of h. What a lost line told of is to be told again. */
static uint64_t write_piece(struct sink *sink, struct half *h, size_t from, size_t to)
{
    size_t done = from < to ? from + write_out(sink, h->data + from, to - from) : to;
    uint64_t lost = count_lines(h->data + done, to - done);

    if (h->told == 0 || h->told_at < done || h->told_at >= to)
        return lost;
    pthread_mutex_lock(&sink->lock);
    sink->unreported += h->told;
    pthread_mutex_unlock(&sink->lock);
    return lost - 1;
}

static uint64_t write_half(struct sink *sink, struct half *h)
{
    size_t before = h->next_fd >= 0 ? h->switch_at : h->len;
    uint64_t lost = write_piece(sink, h, 0, before);

    if (h->next_fd >= 0) {
        close(sink->fd);
        sink->fd = h->next_fd;
        sink->torn = false;
        h->next_fd = -1;
        lost += write_piece(sink, h, before, h->len);
    }
    h->len = 0;
    h->told = 0;
    return lost;
}

/* Under lock. */
static void drop(struct sink *sink, uint64_t lines)
{
    sink->unreported += lines;
    atomic_fetch_add(&sink->dropped, lines);
}

static bool has_work(const struct sink *sink)
{
    return sink->fill->len > 0 || sink->fill->next_fd >= 0;
}

static struct timespec deadline_in(clockid_t clock, uint64_t ns)
{
    uint64_t now = clock == CLOCK_MONOTONIC ? clock_mono_ns() : clock_wall_ns();
    uint64_t at = ns > INT64_MAX - now ? INT64_MAX : now + ns;

    return (struct timespec){ .tv_sec = (time_t)(at / NS_PER_SEC), .tv_nsec = (long)(at % NS_PER_SEC) };
}

/* Under lock, after a write: lets lines gather, so that a busy server does not pay a wake-up and three system calls for each. */
static void rest(struct sink *sink)
{
    struct timespec deadline = deadline_in(CLOCK_MONOTONIC, sink->rest_ns);

    while (sink->rest_ns > 0 && !sink->hurry && !sink->stop && sink->fill->len < HURRY_AT) {
        if (pthread_cond_timedwait(&sink->filled, &sink->lock, &deadline) == ETIMEDOUT)
            break;
    }
    sink->hurry = false;
}

static void await_work(struct sink *sink)
{
    sink->waits = true;
    pthread_cond_wait(&sink->filled, &sink->lock);
    sink->waits = false;
}

static void *writer(void *arg)
{
    struct sink *sink = arg;

    pthread_mutex_lock(&sink->lock);
    for (;;) {
        struct half *full = sink->fill;
        uint64_t lost;

        if (!has_work(sink)) {
            if (sink->stop)
                break;
            await_work(sink);
            continue;
        }
        sink->fill = full == &sink->halves[0] ? &sink->halves[1] : &sink->halves[0];
        sink->n_taken++;
        pthread_mutex_unlock(&sink->lock);
        lost = write_half(sink, full);
        pthread_mutex_lock(&sink->lock);
        drop(sink, lost);
        sink->n_done++;
        pthread_cond_broadcast(&sink->written);
        rest(sink);
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
    if (sink->give_up >= 0)
        close(sink->give_up);
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
    pthread_cond_init(&sink->filled, &attr);
    pthread_cond_init(&sink->written, &attr);
    pthread_condattr_destroy(&attr);
    sink->give_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = sink->give_up < 0 ? -errno : start_thread(sink);
    if (r < 0) {
        release(sink);
        return r;
    }
    *out = sink;
    return 0;
}

/* The next line's place was last touched a megabyte ago: asked for now, it is in the cache when that line comes. Waiting for it had been the longest
 * single wait in the edge's own time, 4 % of that. */
static void fetch_ahead(const struct half *h)
{
    for (size_t i = 0; i < AHEAD && i < SINK_BYTES - h->len; i += CACHE_LINE)
        __builtin_prefetch(h->data + h->len + i, 1);
}

static bool add(struct half *h, struct str line)
{
    if (line.n > SINK_BYTES - h->len)
        return false;
    memcpy(h->data + h->len, line.p, line.n);
    h->len += line.n;
    fetch_ahead(h);
    return true;
}

/* Before a line that has room again: how many had none. Not sooner, or a full disk would be told of itself for ever. Once in a buffer. */
static bool report_dropped(struct sink *sink, bool json)
{
    char time[CLOCK_ISO_LEN + 1], text[128];
    struct half *h = sink->fill;
    int n;

    clock_iso(clock_wall_ns(), time);
    n = snprintf(text, sizeof(text),
                 json ? "{\"time\":\"%s\",\"level\":\"warning\",\"message\":\"%llu lines dropped\"}\n"
                      : "%s warning: %llu lines dropped\n",
                 time, (unsigned long long)sink->unreported);
    if (h->told > 0 || !add(h, str_make(text, (size_t)n)))
        return false;
    h->told = sink->unreported;
    h->told_at = h->len - 1;
    sink->unreported = 0;
    return true;
}

void sink_gather(struct sink *sink, uint64_t rest_ns)
{
    pthread_mutex_lock(&sink->lock);
    sink->rest_ns = rest_ns;
    pthread_mutex_unlock(&sink->lock);
}

/* Under lock: whether the writer is to hear of what was put behind `before` bytes: once when it waits, and once when it may have rested enough. */
static bool is_news(struct sink *sink, size_t before)
{
    bool waited = sink->waits;

    sink->waits = false;
    return waited || (sink->rest_ns > 0 && before < HURRY_AT && sink->fill->len >= HURRY_AT);
}

void sink_put(struct sink *sink, struct str line)
{
    size_t before;
    bool wake, fits;

    must(line.n <= SINK_BYTES / 4);
    if (line.n == 0)
        return;
    pthread_mutex_lock(&sink->lock);
    before = sink->fill->len;
    fits = sink->unreported == 0 || report_dropped(sink, line.p[0] == '{');
    if (!fits || !add(sink->fill, line))
        drop(sink, 1);
    wake = is_news(sink, before);
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
    sink->hurry = true;
    pthread_mutex_unlock(&sink->lock);
    pthread_cond_signal(&sink->filled);
}

int sink_flush(struct sink *sink, uint64_t timeout_ns)
{
    struct timespec deadline = deadline_in(CLOCK_MONOTONIC, timeout_ns);
    uint64_t want;
    int r = 0;

    pthread_mutex_lock(&sink->lock);
    want = sink->n_taken + (has_work(sink) ? 1 : 0);
    sink->hurry = sink->n_done < want;
    if (sink->hurry)
        pthread_cond_signal(&sink->filled);
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
        (void)eventfd_write(sink->give_up, 1);
    pthread_mutex_lock(&sink->lock);
    sink->stop = true;
    pthread_mutex_unlock(&sink->lock);
    pthread_cond_signal(&sink->filled);
    deadline = deadline_in(CLOCK_REALTIME, END_NS); /* the join that ThreadSanitizer knows has no other clock */
    if (pthread_timedjoin_np(sink->thread, NULL, &deadline) != 0) {
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
