/*
 * A whole edge in a process of its own, with real sockets and several lanes; the test is its supervisor and its workers.
 *
 * The test program executes itself: main begins with process_main, which does not return in the edge.
 */
#ifndef QUINTET_TESTS_EDGE_PROCESS_H
#define QUINTET_TESTS_EDGE_PROCESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "pool/pool.h"
#include "wire/message.h"

#define PROCESS_LANES 3
#define PROCESS_WORKERS 2

/* A generation of workers: a thread each, which answers "hello". */
struct process_generation {
    uint32_t number;
    int fds[WIRE_FDS_MAX]; /* memfd, eventfds */
    size_t n_fds;
    struct pool *pool;
    struct {
        struct process_generation *generation;
        uint32_t index;
        pthread_t thread;
        int channel;
        atomic_bool dies; /* goes away in the middle of its next request */
    } workers[PROCESS_WORKERS];
};

struct process {
    pid_t pid;
    int supervisor; /* our end */
    int listener;
    unsigned short port;
    int log; /* what it says */
    char dir[64];
    char text[WIRE_TEXT_MAX];
};

void process_main(int argc, char **argv);
void process_init(struct process *p);                                               /* listener and directory */
void process_start(struct process *p, unsigned max_fds);                            /* 0: as many as we may have */
void process_configure(struct process *p);                                          /* CONF, ROOT, START */
void process_await(struct process *p, enum wire_type type, struct wire_message *m); /* others are passed over */
int process_end(struct process *p); /* waits; its exit status, or a signal's number + 1000 */
void process_fini(struct process *p);
void process_log(struct process *p); /* to our stderr, for a failed test */

void process_open(struct process *p, struct process_generation *g, uint32_t number); /* POOL_OPEN, threads, JOIN */
void process_adopt(struct process *p, struct process_generation *g);                 /* a new edge takes it over */
void process_switch(struct process *p, struct process_generation *g);
void process_replace_worker(struct process *p, struct process_generation *g,
                            uint32_t index);      /* dies; GONE; a new one */
void process_close(struct process_generation *g); /* its threads end */

#endif
