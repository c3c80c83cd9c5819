/*
 * Requests that ran past --timeout: what the log says of them before anything is killed, and the end of their worker.
 *
 *      WORKER_STUCK ──▶ signal to the worker's thread ── the dump is whole, or a second is over ──▶ one block in the log
 *           │                                                                                          │ WORKER_SPENT has come
 *           └──▶ worker_replace: a successor boots                                                     ▼
 *                                                                                                    SIGKILL
 *
 * WORKER_SPENT may come before the dump: then the worker lives until it is there. One struct a process; the supervisor's thread.
 */
#ifndef QUINTET_SUPER_STUCK_H
#define QUINTET_SUPER_STUCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "os/loop.h"

#define STUCK_REQUESTS_MAX 8   /* that one dump answers for */
#define STUCK_REQUEST_TEXT 640 /* method, target and id of one */

struct child;
struct super;

struct stuck_request {
    uint32_t thread;
    uint32_t age_ms;
    char text[STUCK_REQUEST_TEXT];
};

struct stuck {
    struct loop_timer timer; /* looks whether the dump is whole */
    bool asked;              /* for a dump, which has not come */
    bool marked;             /* some request of this process was stuck */
    bool spent;              /* to be killed as soon as the dump is there */
    uint32_t dumps;          /* complete ones before we asked */
    uint64_t until_ns;
    uint32_t n;
    struct stuck_request requests[STUCK_REQUESTS_MAX];
};

void stuck_init(struct stuck *stuck);
/* WORKER_STUCK: a request of that thread is age_ms old; `text` as in the message, empty when the edge knows no more. */
void stuck_told(struct child *child, uint32_t thread, uint32_t age_ms, struct str text);
void stuck_spent(struct child *child); /* WORKER_SPENT */
/* The process is dead: what was not logged yet is, and the struct is as new. */
void stuck_gone(struct child *child);
/* The edge is dead, and with it who would have said that its stuck workers are spent: all of them are. */
void stuck_edge_gone(struct super *super, const struct child *edge);

#endif
