/*
 * The event loop: epoll, timers, deferred tasks. One loop a thread; every function here is for that thread alone,
 * except loop_wake.
 *
 * One turn (loop_run repeats it until loop_stop):
 *   1. timers that are due                      callbacks
 *   2. before_wait hook                         says how long the turn may sleep
 *   3. epoll_pwait2
 *   4. after_wait hook, then ready descriptors  callbacks
 *   5. deferred tasks                           the close phase: the only place where objects are freed
 *
 * A turn in which a timer fired does not sleep, so that "loop_once until it has happened" ends.
 *
 * Rule: nothing is freed inside its own callback. An object is closed (descriptor out of the loop, timers stopped) and
 * frees itself in a task queued with loop_defer, which runs when no callback of this turn can name it any more.
 */
#ifndef QUINTET_OS_LOOP_H
#define QUINTET_OS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/must.h"

struct loop; /* opaque */

/* ---- descriptors ---- */

struct loop_io;
typedef void loop_io_fn(struct loop_io *io, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR */

struct loop_io {
    int fd; /* borrowed: the owner closes it after loop_io_remove; -1 when not in a loop: set it so at first */
    loop_io_fn *fn;
};

/* Watches fd for `events` (add EPOLLET for edge-triggered, EPOLLEXCLUSIVE for shared listeners, which then cannot be
 * changed, only removed). 0 or -errno. */
MUST_CHECK int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events);
MUST_CHECK int loop_io_change(struct loop *loop, struct loop_io *io, uint32_t events);
/* Out of the loop; its callback will not be called again, not even for events already fetched in this turn. Before the
 * descriptor is closed (must). Nothing when it is not in a loop. */
void loop_io_remove(struct loop *loop, struct loop_io *io);
/* The same without a system call, where the descriptor, which nobody else has, is about to be closed: that takes it out of the kernel's table. Until it is
 * closed the callback may be called in later turns, and the memory must stay. */
void loop_io_forget(struct loop *loop, struct loop_io *io);

/* ---- timers ---- */

struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *timer);

/* Re-arming to a later time is O(1): the heap keeps the old key and the timer is put back when that comes due. */
struct loop_timer {
    struct heap_node node;
    uint64_t deadline; /* clock_mono_ns; 0: not armed */
    loop_timer_fn *fn;
};

void loop_timer_init(struct loop_timer *timer, loop_timer_fn *fn);
/* Fires once, delay_ns after loop_now, never in this turn; set again, it moves. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);
/* It does not fire, but stays where it is until its old time has come: for a timer that is set again soon, as neither costs anything then. Its memory
 * is still the loop's: stop it before that goes. */
void loop_timer_rest(struct loop_timer *timer);
/* Room for n timers in all, so that setting up to so many needs no memory. 0 or -ENOMEM. */
MUST_CHECK int loop_timer_reserve(struct loop *loop, size_t n);
bool loop_timer_armed(const struct loop_timer *timer);

/* ---- tasks ---- */

struct loop_task;
typedef void loop_task_fn(struct loop_task *task);

struct loop_task {
    struct list link;
    loop_task_fn *fn;
};

void loop_task_init(struct loop_task *task, loop_task_fn *fn);
/* At the end of this turn, first come first served; twice in a turn is once. A task may free itself, and may defer others
 * or itself: they run at the end of the next turn, which does not sleep. */
void loop_defer(struct loop *loop, struct loop_task *task);

/* ---- the loop ---- */

struct loop_hooks {
    uint64_t (*before_wait)(void *arg); /* most ns to sleep; UINT64_MAX: no limit; 0: poll */
    void (*after_wait)(void *arg);
    void *arg;
};

/* Descriptors that end a sleep for few: eventfds, by each write. They may be in the loop as well; removed before they are closed (must). 0 or -errno. */
MUST_CHECK int loop_few_add(struct loop *loop, int fd);
void loop_few_remove(struct loop *loop, int fd);
/* From before_wait: this turn's sleep ends by one of the few or by its time, whatever the loop's descriptors get meanwhile; then these are asked
 * without sleeping. Timers and deferred tasks count as ever; loop_wake is late by the length of the sleep. */
void loop_sleep_for_few(struct loop *loop);
uint32_t loop_found(
    const struct loop *loop); /* events of descriptors in this turn, or in the last one from before_wait */

MUST_CHECK int loop_new(struct loop **out);                             /* 0 or -errno */
void loop_free(struct loop *loop);                                      /* no io may be left in it (must) */
void loop_set_hooks(struct loop *loop, const struct loop_hooks *hooks); /* copied */
void loop_run(struct loop *loop);  /* until loop_stop, and then until nothing is deferred any more */
void loop_once(struct loop *loop); /* one turn: tests, and shutdown sequences */
void loop_stop(struct loop *loop);
void loop_wake(struct loop *loop);          /* any thread: ends the sleep of step 3 */
uint64_t loop_now(const struct loop *loop); /* clock_mono_ns at the start of the turn, again after the wait */

#endif
