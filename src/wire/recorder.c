/* The flight recorder: written by a worker, read by the supervisor. */
#include "wire/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

static const char *const phase_texts[RECORDER_PHASE_COUNT] = {
#define X(name, text) [RECORDER_##name] = (text),
    RECORDER_PHASES(X)
#undef X
};

const char *recorder_phase_text(enum recorder_phase phase)
{
    return (unsigned)phase < RECORDER_PHASE_COUNT ? phase_texts[phase] : "unknown";
}

/* Bytes of the mapped part; the stacks begin behind it. */
static size_t mapped_size(uint32_t threads)
{
    size_t size = sizeof(struct recorder) + threads * sizeof(struct recorder_seat);

    return (size + 4095) & ~(size_t)4095;
}

/* ---- the worker ---- */

static int map(int fd, int flags, uint32_t threads, struct recorder **out)
{
    void *memory = mmap(NULL, mapped_size(threads), PROT_READ | PROT_WRITE, flags, fd, 0);

    if (memory == MAP_FAILED)
        return -errno;
    *out = memory;
    (*out)->head.threads = threads;
    return 0;
}

int recorder_attach(int fd, uint32_t threads, struct recorder **out)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if ((seals & SEALS) != SEALS || (size_t)st.st_size != mapped_size(threads) + RECORDER_STACKS_BYTES)
        return -EPROTO;
    return map(fd, MAP_SHARED, threads, out);
}

int recorder_private(uint32_t threads, struct recorder **out)
{
    return map(-1, MAP_PRIVATE | MAP_ANONYMOUS, threads, out);
}

void recorder_forget(struct recorder *recorder)
{
    size_t size = mapped_size(recorder->head.threads);

    /* In place: whoever holds a pointer to a seat may go on writing there. */
    (void)!mmap(recorder, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void recorder_sit(struct recorder_seat *seat)
{
    seat->tid = gettid();
    seat->self = (uint64_t)pthread_self();
}

static uint8_t keep(char *out, struct str text, size_t max)
{
    size_t n = text.n < max ? text.n : max;

    if (n > 0)
        memcpy(out, text.p, n);
    return (uint8_t)n;
}

/* The newest, if it has no end yet, ended then. */
static void end_newest(struct recorder_seat *seat, uint64_t end_ns)
{
    uint32_t count = atomic_load_explicit(&seat->count, memory_order_relaxed);
    struct recorder_request *r = &seat->requests[(count - 1) % RECORDER_REQUESTS];

    if (r->end_ns == 0)
        r->end_ns = end_ns;
}

void recorder_rest(struct recorder_seat *seat)
{
    end_newest(seat, clock_mono_ns());
}

void recorder_begin(struct recorder_seat *seat, uint64_t start_ns, struct str method, struct str target, struct str id)
{
    uint32_t count = atomic_load_explicit(&seat->count, memory_order_relaxed);
    struct recorder_request *r = &seat->requests[count % RECORDER_REQUESTS];

    end_newest(seat, start_ns);
    r->start_ns = start_ns;
    r->end_ns = 0;
    r->status = 0;
    r->method_n = keep(r->method, method, RECORDER_METHOD_MAX);
    r->target_n = keep(r->target, target, RECORDER_TARGET_MAX);
    r->id_n = keep(r->id, id, RECORDER_ID_MAX);
    atomic_store_explicit(&seat->count, count + 1, memory_order_release);
}

/* ---- the supervisor ---- */

static bool write_head(int fd, uint32_t threads)
{
    struct recorder_head head = { .threads = threads, .layout = RECORDER_LAYOUT };

    return pwrite(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head);
}

int recorder_make(uint32_t threads)
{
    off_t size = (off_t)(mapped_size(threads) + RECORDER_STACKS_BYTES);
    int fd, error;

    must(threads >= 1 && threads <= RECORDER_THREADS_MAX);
    fd = memfd_create("quintet-recorder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, size) == 0 && write_head(fd, threads) && fcntl(fd, F_ADD_SEALS, SEALS) == 0) {
        recorder_rewind(fd, threads);
        return fd;
    }
    error = -errno;
    close(fd);
    return error;
}

/* Copies and terminates; what is not printable ASCII, and would not be in a request either, becomes '?'. */
static void show(char *out, const char *text, size_t n, size_t max)
{
    n = n < max ? n : max;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(text[i] > ' ' && text[i] <= '~' ? text[i] : '?');
    out[n] = '\0';
}

static void show_request(struct recorder_shown *out, const struct recorder_request *r)
{
    out->start_ns = r->start_ns;
    out->end_ns = r->end_ns;
    out->status = r->status <= 999 ? r->status : 0;
    show(out->method, r->method, r->method_n, RECORDER_METHOD_MAX);
    show(out->id, r->id, r->id_n, RECORDER_ID_MAX);
    show(out->target, r->target, r->target_n, RECORDER_TARGET_MAX);
    if (r->target_n >= RECORDER_TARGET_MAX)
        memcpy(out->target + RECORDER_TARGET_MAX, "...", sizeof("..."));
}

static bool is_busy(enum recorder_phase phase)
{
    return phase >= RECORDER_TAKEN && phase <= RECORDER_CLOSING;
}

static void show_seat(struct recorder_view *out, const struct recorder_seat *seat)
{
    uint32_t count = seat->count, phase = seat->phase;

    out->phase = phase < RECORDER_PHASE_COUNT ? (enum recorder_phase)phase : RECORDER_NONE;
    out->tid = seat->tid;
    out->self = seat->self;
    out->n = count < RECORDER_REQUESTS - 1 ? count : RECORDER_REQUESTS - 1;
    for (uint32_t i = 0; i < out->n; i++)
        show_request(&out->requests[i], &seat->requests[(count - 1 - i) % RECORDER_REQUESTS]);
    out->busy = out->n > 0 && is_busy(out->phase) && out->requests[0].end_ns == 0;
}

/* Whole or not at all. */
static int read_at(int fd, void *out, size_t size, size_t at)
{
    ssize_t n = pread(fd, out, size, (off_t)at);

    if (n < 0)
        return -errno;
    return (size_t)n == size ? 0 : -EIO;
}

int recorder_look(int fd, uint32_t thread, struct recorder_view *out)
{
    size_t at = offsetof(struct recorder, seats) + thread * sizeof(struct recorder_seat);
    struct recorder_head head;
    struct recorder_seat seat;
    int error = read_at(fd, &head, sizeof(head), 0);

    if (error == 0 && head.layout != RECORDER_LAYOUT)
        error = -EPROTO;
    if (error == 0)
        error = read_at(fd, &seat, sizeof(seat), at);
    if (error == 0)
        show_seat(out, &seat);
    return error;
}

uint64_t recorder_count(int fd, uint32_t threads)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < threads; i++) {
        uint32_t count;

        if (read_at(fd, &count, sizeof(count),
                    offsetof(struct recorder, seats) + i * sizeof(struct recorder_seat) +
                        offsetof(struct recorder_seat, count)) == 0)
            sum += count;
    }
    return sum;
}

uint32_t recorder_dumps(int fd)
{
    struct recorder_head head;

    return read_at(fd, &head, sizeof(head), 0) == 0 ? head.dumps : 0;
}

void recorder_rewind(int fd, uint32_t threads)
{
    (void)!lseek(fd, (off_t)mapped_size(threads), SEEK_SET);
}

size_t recorder_stacks(int fd, uint32_t threads, char *out, size_t size)
{
    off_t begin = (off_t)mapped_size(threads), end = lseek(fd, 0, SEEK_CUR);
    ssize_t n;

    if (end <= begin)
        return 0;
    if ((uint64_t)(end - begin) < size)
        size = (size_t)(end - begin);
    n = pread(fd, out, size, begin);
    return n > 0 ? (size_t)n : 0;
}
