/*
 * Signals as events of the loop, by a signalfd: TERM INT QUIT HUP USR1 USR2 TTIN TTOU CHLD.
 */
#ifndef QUINTET_SUPER_SIGNALS_H
#define QUINTET_SUPER_SIGNALS_H

#include "os/loop.h"

typedef void signals_fn(void *arg, int signal);

struct signals {
    struct loop *loop; /* borrowed */
    struct loop_io io;
    int fd; /* owned; -1: none */
    signals_fn *fn;
    void *arg;
};

/* Blocks the signals for this process (before any thread starts) and calls fn for each that comes. 0 or -errno. */
MUST_CHECK int signals_init(struct signals *signals, struct loop *loop, signals_fn *fn, void *arg);
void signals_fini(struct signals *signals); /* they stay blocked: the process is about to end */

#endif
