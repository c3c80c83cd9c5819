/*
 * Does the edge live? It is asked every few seconds and answers when each of its threads has turned its loop (PING, PONG). One that does not
 * answer, because it is stopped, spins, or hangs in a system call, is killed and replaced as any dead edge; workers are adopted.
 *
 * What is counted are turns of our own timer, and a turn that comes late counts for nothing: when the machine sleeps or starves, it is not
 * the edge's fault. A hung edge is noticed after 10 to 14 s. One thread.
 */
#ifndef QUINTET_SUPER_PULSE_H
#define QUINTET_SUPER_PULSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "os/loop.h"

#define PULSE_TURN_NS (1 * NS_PER_SEC)
#define PULSE_PAUSE 3                   /* turns between an answer and the next question */
#define PULSE_PATIENCE 10               /* turns without an answer, and the edge is killed */
#define PULSE_FELT_NS (20 * NS_PER_SEC) /* without any answer so long, no new edge has come to life either */

struct super;

struct pulse {
    struct super *super; /* borrowed */
    struct loop_timer timer;
    pid_t pid;       /* the edge that was asked */
    uint64_t number; /* of the last question */
    uint64_t turned_ns, answered_ns;
    unsigned turns; /* since the answer or, while waiting, since the question */
    bool waiting;
};

void pulse_init(struct super *super);
void pulse_answered(struct super *super, uint64_t number); /* PONG */
/* The edge has answered lately, or nothing serves yet. */
bool pulse_is_felt(const struct pulse *pulse);

#endif
