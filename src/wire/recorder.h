/*
 * The flight recorder: what each thread of a worker did last, in memory that survives the worker.
 *
 *      ┌ head ┬ seat 0: phase, ring of requests ┬ seat 1 … ┬ stacks: text of faulthandler ┐
 *
 * One sealed memfd per worker process. The supervisor makes it, keeps the descriptor and reads by pread; the worker inherits it as
 * INHERIT_RECORDER and maps it. Head and seats are written through the mapping: plain stores, no lock, no system call, no allocation, so a
 * worker may die between any two of them. The stacks are written with write(2) by Python's faulthandler: the file offset, which both processes
 * share, stands at the beginning of that part, and the seal stops what would pass its end.
 *
 * The reader believes nothing: it copies, checks every length and replaces what could forge a line. See docs/internals/recorder.md.
 */
#ifndef QUINTET_WIRE_RECORDER_H
#define QUINTET_WIRE_RECORDER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/must.h"
#include "base/str.h"

#define RECORDER_LAYOUT                                                                                                \
    1 /* grows with any change of the structs below: a new program may find workers of the old one */
#define RECORDER_REQUESTS 16 /* a thread; the oldest may be under the writer's pen */
#define RECORDER_METHOD_MAX 16
#define RECORDER_ID_MAX 72
#define RECORDER_TARGET_MAX 200
#define RECORDER_THREADS_MAX 1024
#define RECORDER_STACKS_BYTES (256u << 10)
/* Asks a worker for the stacks of its threads. A real-time signal that neither Python nor any web framework uses; kill(1) calls it RTMIN+14. */
#define RECORDER_SIGNAL 48

/* What a thread is doing: X(name, text). New rows at the end. */
#define RECORDER_PHASES(X)                                                                                             \
    X(NONE, "not started")                                                                                             \
    X(BOOTING, "importing the application")                                                                            \
    X(WARMUP, "warming up")                                                                                            \
    X(IDLE, "waiting for a request")                                                                                   \
    X(TAKEN, "request taken")                                                                                          \
    X(ENVIRON, "making environ")                                                                                       \
    X(CALLED, "in the application")                                                                                    \
    X(STARTED, "in the application, after start_response")                                                             \
    X(ITERATING, "sending the response")                                                                               \
    X(CLOSING, "in close() of the response")                                                                           \
    X(COLLECTING, "collecting garbage")

enum recorder_phase {
#define X(name, text) RECORDER_##name,
    RECORDER_PHASES(X)
#undef X
        RECORDER_PHASE_COUNT
};

const char *recorder_phase_text(enum recorder_phase phase);

/* ---- shared ---- */

struct recorder_request {
    uint64_t start_ns, end_ns; /* clock_mono_ns; end 0: not over, or just now (the phase tells) */
    uint16_t status;           /* of start_response; 0: not called */
    uint8_t method_n, id_n, target_n;
    char method[RECORDER_METHOD_MAX], id[RECORDER_ID_MAX], target[RECORDER_TARGET_MAX]; /* cut, not terminated */
};

struct recorder_seat {
    _Alignas(64) _Atomic uint32_t phase;
    _Atomic uint32_t count; /* requests begun; the newest is requests[(count - 1) % RECORDER_REQUESTS] */
    int32_t tid;
    uint64_t self; /* pthread_self, by which faulthandler names threads */
    struct recorder_request requests[RECORDER_REQUESTS];
};

struct recorder_head {
    _Atomic uint32_t dumps; /* stacks written to their end */
    uint32_t threads;
    uint32_t layout;
};

struct recorder {
    struct recorder_head head;
    struct recorder_seat seats[];
};

/* ---- the worker ---- */

/* Maps the inherited recorder for the life of the process. 0; -EPROTO: not one for so many threads; -errno. */
MUST_CHECK int recorder_attach(int fd, uint32_t threads, struct recorder **out);
/* One of its own that nobody reads, for a worker that was given none. 0 or -errno. */
MUST_CHECK int recorder_private(uint32_t threads, struct recorder **out);
/* In a forked child: what it writes from now on is no business of its parent's. Async-signal-safe. */
void recorder_forget(struct recorder *recorder);
/* The calling thread sits down: whose stack it is that faulthandler shows. */
void recorder_sit(struct recorder_seat *seat);
/* Texts are cut to their maximum. The thread's phase is the caller's to set. The request before has ended by then. */
void recorder_begin(struct recorder_seat *seat, uint64_t start_ns, struct str method, struct str target, struct str id);
/* Before the thread sleeps: the newest request has ended now. Under load that is never called, and costs nothing. */
void recorder_rest(struct recorder_seat *seat);

static inline void recorder_phase(struct recorder_seat *seat, enum recorder_phase phase)
{
    atomic_store_explicit(&seat->phase, phase, memory_order_relaxed);
}

static inline void recorder_status(struct recorder_seat *seat, unsigned status)
{
    uint32_t newest = atomic_load_explicit(&seat->count, memory_order_relaxed) - 1;

    seat->requests[newest % RECORDER_REQUESTS].status = (uint16_t)status;
}

/* ---- the supervisor ---- */

/* A request as it can be shown: terminated texts of printable ASCII. */
struct recorder_shown {
    uint64_t start_ns, end_ns;
    unsigned status;
    char method[RECORDER_METHOD_MAX + 1], id[RECORDER_ID_MAX + 1], target[RECORDER_TARGET_MAX + 4];
};

struct recorder_view {
    enum recorder_phase phase;
    int32_t tid;
    uint64_t self;
    uint32_t n; /* requests below, newest first */
    bool busy;  /* the newest is running */
    struct recorder_shown requests[RECORDER_REQUESTS - 1];
};

/* A sealed memfd, CLOEXEC, its offset at the stacks. Descriptor or -errno. */
MUST_CHECK int recorder_make(uint32_t threads);
/* What a thread does and did. 0; -EPROTO: of another layout; -errno. A worker that has scribbled over it gives a view that is wrong but harmless. */
MUST_CHECK int recorder_look(int fd, uint32_t thread, struct recorder_view *out);
uint64_t recorder_count(int fd, uint32_t threads); /* requests begun, by the worker's word */
uint32_t recorder_dumps(int fd);                   /* complete dumps so far */
/* Makes room for the next dump. */
void recorder_rewind(int fd, uint32_t threads);
/* The text that faulthandler has written, at most `size` bytes, raw. Bytes copied. */
size_t recorder_stacks(int fd, uint32_t threads, char *out, size_t size);

#endif
