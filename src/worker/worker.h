/*
 * The worker process as seen from C: the pool, the two channels, and the thread that listens to them.
 *
 * One struct worker a process. The control thread is a plain pthread that never touches Python: it obeys the supervisor (STOP, EDGE, end of file)
 * even while the application holds the interpreter, and hands request bodies that arrive as descriptors to the serving thread that waits.
 *
 * fork() in the application: the child is not a worker. An atfork handler closes its copies of our descriptors and sets `forked`; everything here
 * and above asks that first, and a child that comes back into the serving loop ends there.
 */
#ifndef QUINTET_WORKER_WORKER_H
#define QUINTET_WORKER_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"
#include "base/str.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "wire/message.h"
#include "wire/recorder.h"

/* A serving thread that waits for its request's body. Under `lock`. */
struct worker_wait {
    bool wanted;
    struct pool_ticket ticket;
    int fd; /* -1 until it came; then the waiter's */
};

struct worker {
    uint32_t index; /* in its generation */
    uint32_t generation;
    uint32_t threads;
    uint32_t lanes;
    uint32_t first_seat;       /* index * threads */
    struct pool *pool;         /* owned; mapped for the process's life */
    struct recorder *recorder; /* for the process's life */
    int stacks;                /* descriptor for faulthandler's text; -1: the supervisor gave none */
    bool preloaded;    /* forked from a preloader: the application is imported, and may have set signal handlers */
    bool forked;       /* this is a child of the worker, not the worker */
    bool ready;        /* READY was sent; before that STOP ends the process at once */
    uint64_t start_ns; /* when the process took up its work */
    uint64_t served;   /* requests finished by all threads; under the GIL */
    uint64_t limit;    /* asks to be replaced when so many are served; 0: never */
    pthread_mutex_t lock;
    pthread_cond_t body_came;
    struct worker_wait *waits; /* a thread each, owned */
};

/* Signals that a terminal or a careless hand may send do nothing from now on. */
void worker_quiet_signals(void);
/* Maps the inherited pool and recorder, marks the inherited descriptors close-on-exec, sets signal handlers and title, starts the control thread. 0 or -errno. */
MUST_CHECK int worker_start(struct worker *worker);
/* For a serving thread's life: a stack overflow can be reported. */
void worker_spare_stack(void);
/* The application is imported; `limit` as above. 0 or -errno. */
MUST_CHECK int worker_ready(struct worker *worker, uint64_t limit);
/* It is not, and this is why (cut to WIRE_TEXT_MAX). 0 or -errno. */
MUST_CHECK int worker_boot_failed(struct worker *worker, struct str why);
/* A request is finished; with the GIL. */
void worker_count(struct worker *worker);
/* Every thread ends after the request it runs. */
void worker_stop(struct worker *worker);
/* The request's body as a descriptor (the caller's), or -ECANCELED: the client left, or the request has ended. Once a request. Sleeps: without
 * the GIL. */
MUST_CHECK int worker_body(struct worker *worker, uint32_t thread, struct pool_ticket ticket);
/* Sends a file ahead of its FILE frame; fd stays the caller's. 0 or -errno (-EPIPE: the edge is gone). Sleeps: without the GIL. */
MUST_CHECK int worker_send_file(struct worker *worker, struct pool_ticket ticket, int fd);

#endif
