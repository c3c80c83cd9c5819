/*
 * The named steps of the protocol: every place between two shared-memory operations where a participant may be killed.
 *
 * In the program POOL_STEP(x) is nothing. The kill tests build the same sources with -DPOOL_STEPS and hang a hook here that kills
 * the process at one step, or waits there; they go through this whole list and fail when a step is never reached.
 */
#ifndef QUINTET_POOL_STEP_H
#define QUINTET_POOL_STEP_H

/* clang-format off */
#define POOL_STEP_LIST(X)                                                                                              \
    /* edge: handing over */                                                                                           \
    X(READY_WORD)       /* the word says READY, no ring entry yet */                                                   \
    X(PUSH_ENTRY)       /* entry written, tail not yet */                                                              \
    X(PUSH_TAIL)        /* published, nobody woken yet */                                                              \
    X(REBUILD_POPPED)   /* the edge holds an entry that is neither in the ring nor with a worker */                    \
    X(TAKEN_BACK)                                                                                                      \
    X(RELEASED)                                                                                                        \
    X(REAPED)                                                                                                          \
    X(RECOVER_WIPED)                                                                                                   \
    X(ADOPT_SLOT)                                                                                                      \
    /* edge: reading */                                                                                                \
    X(CONSUMED)         /* room published, waiter not yet looked for */                                                \
    X(ROOM_CLAIMED)     /* waiter flag taken, futex word not yet changed */                                            \
    X(ROOM_CHANGED)     /* futex word changed, wake not yet sent */                                                    \
    X(CANCEL_SET)                                                                                                      \
    X(LANE_ASLEEP)                                                                                                     \
    X(LANE_BITS)        /* attention bits taken, not yet looked at */                                                  \
    /* edge and worker: waking a sleeper */                                                                            \
    X(WAKE_UNMARKED)    /* sleeper's bit taken, its futex word not yet changed */                                      \
    X(WAKE_CHANGED)     /* futex word changed, wake not yet sent */                                                    \
    /* worker: taking */                                                                                               \
    X(POPPED)           /* entry out of the ring, slot not yet claimed */                                              \
    X(CLAIMED)          /* the word says RUNNING */                                                                    \
    X(NOTED)                                                                                                           \
    X(SLEEP_MARKED)     /* bit set, ring not yet looked at again */                                                    \
    X(SLEEP_CANCELLED)  /* an entry came meanwhile: bit still set */                                                   \
    X(SLEEP_WOKEN)                                                                                                     \
    X(SLEEP_UNMARKED)                                                                                                  \
    X(PASS_ON)          /* took its request, has to wake the next sleeper */                                           \
    X(CLOSE_MARKED)                                                                                                    \
    /* worker: answering */                                                                                            \
    X(FRAME_BYTES)      /* payload in the ring, not yet published */                                                   \
    X(FRAME_WRITTEN)                                                                                                   \
    X(ROOM_MARKED)                                                                                                     \
    X(ROOM_WOKEN)                                                                                                      \
    X(ASKED)                                                                                                           \
    X(DONE_WORD)        /* the word says DONE, no attention yet */                                                     \
    X(ATTENTION_BIT)                                                                                                   \
    X(ATTENTION_CLAIMED) /* the lane's sleep flag taken, its eventfd not yet written */                                \
    X(ATTENTION_SENT)
/* clang-format on */

#ifdef POOL_STEPS
enum pool_step {
#define X(name) POOL_STEP_##name,
    POOL_STEP_LIST(X)
#undef X
        POOL_STEP_COUNT
};
extern void (*pool_step_hook)(enum pool_step step); /* the test's; NULL: nothing happens */
#define POOL_STEP(name)                                                                                                \
    do {                                                                                                               \
        if (pool_step_hook)                                                                                            \
            pool_step_hook(POOL_STEP_##name);                                                                          \
    } while (0)
#else
#define POOL_STEP(name) ((void)0)
#endif

#endif
