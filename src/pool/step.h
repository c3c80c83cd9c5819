/*
 * The named steps of the protocol: every place between two shared-memory operations where a participant may be killed.
 *
 * In the program POOL_STEP(x) is nothing. The kill tests build the same sources with -DPOOL_STEPS and hang a hook here that kills
 * the process at one step; they go through this whole list and fail when a step is never reached. Column: who passes it, edge, worker or both.
 */
#ifndef QUINTET_POOL_STEP_H
#define QUINTET_POOL_STEP_H

/* clang-format off */
#define POOL_STEP_LIST(X)                                                                                              \
    /* edge: handing over */                                                                                           \
    X(READY_WORD, 'E')       /* the word says READY, no ring entry yet */                                                   \
    X(PUSH_ENTRY, 'E')       /* entry written, tail not yet */                                                              \
    X(PUSH_TAIL, 'E')        /* published, nobody woken yet */                                                              \
    X(REBUILD_POPPED, 'E')   /* the edge holds an entry that is neither in the ring nor with a worker */                    \
    X(TAKEN_BACK, 'E')                                                                                                      \
    X(RELEASED, 'E')                                                                                                        \
    X(REAPED, 'E')                                                                                                          \
    X(RECOVER_WIPED, 'E')                                                                                                   \
    X(ADOPT_SLOT, 'E')                                                                                                      \
    /* edge: reading */                                                                                                \
    X(CONSUMED, 'E')         /* room published, waiter not yet looked for */                                                \
    X(ROOM_CLAIMED, 'E')     /* waiter flag taken, futex word not yet changed */                                            \
    X(ROOM_CHANGED, 'E')     /* futex word changed, wake not yet sent */                                                    \
    X(CANCEL_SET, 'E')                                                                                                      \
    X(LANE_ASLEEP, 'E')                                                                                                     \
    X(LANE_BITS, 'E')        /* attention bits taken, not yet looked at */                                                  \
    /* edge and worker: waking a sleeper */                                                                            \
    X(WAKE_UNMARKED, 'B')    /* sleeper's bit taken, its futex word not yet changed */                                      \
    X(WAKE_CHANGED, 'B')     /* futex word changed, wake not yet sent */                                                    \
    /* worker: taking */                                                                                               \
    X(POPPED, 'W')           /* entry out of the ring, slot not yet claimed */                                              \
    X(CLAIMED, 'W')          /* the word says RUNNING */                                                                    \
    X(NOTED, 'W')                                                                                                           \
    X(SLEEP_MARKED, 'W')     /* bit set, ring not yet looked at again */                                                    \
    X(SLEEP_CANCELLED, 'W')  /* an entry came meanwhile: bit still set */                                                   \
    X(SLEEP_WOKEN, 'W')                                                                                                     \
    X(SLEEP_UNMARKED, 'W')                                                                                                  \
    X(PASS_ON, 'W')          /* took its request, has to wake the next sleeper */                                           \
    X(CLOSE_MARKED, 'W')                                                                                                    \
    /* worker: answering */                                                                                            \
    X(FRAME_BYTES, 'W')      /* payload in the ring, not yet published */                                                   \
    X(FRAME_WRITTEN, 'W')                                                                                                   \
    X(ROOM_MARKED, 'W')                                                                                                     \
    X(ROOM_WOKEN, 'W')                                                                                                      \
    X(ASKED, 'W')                                                                                                           \
    X(DONE_WORD, 'W')        /* the word says DONE, no attention yet */                                                     \
    X(ATTENTION_BIT, 'W')                                                                                                   \
    X(ATTENTION_CLAIMED, 'W') /* the lane's sleep flag taken, its eventfd not yet written */                                \
    X(ATTENTION_SENT, 'W')
/* clang-format on */

#ifdef POOL_STEPS
enum pool_step {
#define X(name, who) POOL_STEP_##name,
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
