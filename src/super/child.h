/*
 * One child process: its state, what may happen to it, and what follows (the table is in child.c and docs/internals/processes.md).
 *
 * The machine knows nothing of edges and workers: what differs is in a const struct role. A child is wanted from child_start until
 * child_stop: when a wanted one dies it is started again, at once, or after a growing pause when it was never ready.
 * The supervisor trusts no child: a message in a state where it makes no sense is logged and the child is killed.
 * The owner embeds the struct; its memory must stay until the state is CHILD_DOWN and the close phase has passed. One thread.
 */
#ifndef QUINTET_SUPER_CHILD_H
#define QUINTET_SUPER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/loop.h"
#include "super/output.h"
#include "wire/channel.h"

#define CHILD_PAUSE_NS (100 * NS_PER_MS)    /* first pause; doubles with each failed boot in a row */
#define CHILD_PAUSE_MAX_NS (5 * NS_PER_SEC) /* and grows to this */
#define CHILD_LEAVE_NS (1 * NS_PER_SEC)     /* a child that closed its channel has this long to be gone */

enum child_state {
    CHILD_DOWN,     /* no process and none wanted */
    CHILD_PAUSED,   /* no process; started again when the pause is over */
    CHILD_BOOTING,  /* a process that has not said READY */
    CHILD_UP,       /* READY */
    CHILD_STOPPING, /* told to end, or seen to be ending; killed when the grace is over */
    CHILD_KILLED,   /* SIGKILL sent, not reaped yet */
    CHILD_STATE_COUNT
};

enum child_event {
    CHILD_EV_START,  /* ours */
    CHILD_EV_STOP,   /* ours */
    CHILD_EV_KILL,   /* ours: end it now; a wanted child is replaced */
    CHILD_EV_TIMER,  /* pause or grace is over */
    CHILD_EV_READY,  /* message */
    CHILD_EV_FAILED, /* message BOOT_FAILED */
    CHILD_EV_OTHER,  /* any other message: the role looks at it */
    CHILD_EV_HANGUP, /* the channel ended */
    CHILD_EV_EXIT,   /* reaped */
    CHILD_EVENT_COUNT
};

struct child;

/* A kind of process. Every function is called with child->pid etc. as they are at that moment. */
struct role {
    const char *name;
    /* Starts the process: sets child->pid and initialises child->channel (and child->output if it has one). 0 or -errno. */
    int (*spawn)(struct child *child);
    void (*ready)(struct child *child, const struct wire_message *message);
    /* Any other message while booting or up. False: it makes no sense now, the child is killed. */
    bool (*message)(struct child *child, struct wire_message *message);
    void (*stop)(struct child *child); /* asks the process to end */
    /* The process is reaped (status from waitpid), or could not be started (status -errno, was_ready false). True: start it again,
     * if it is still wanted. */
    bool (*gone)(struct child *child, int status, bool was_ready);
    void (*down)(struct child *child); /* the state has become CHILD_DOWN */
};

struct child {
    const struct role *role;
    struct loop *loop; /* borrowed */
    struct log *log;   /* borrowed */
    void *owner;       /* the role's own */
    const char *title; /* borrowed: for log lines, "edge", "worker 3" */
    enum child_state state;
    bool wanted;
    bool was_ready;
    bool dead; /* reaped: no signal may be sent to the pid any more */
    pid_t
        pid; /* 0: none, or another process is forking it: its channel is there already, and ends if nothing comes of it */
    uint64_t started_ns, ready_ns;
    uint64_t boot_ns;      /* as the child measured it; 0: not said */
    uint32_t restarts;     /* processes started beyond the first */
    uint32_t failed_boots; /* in a row */
    int exit_status;       /* from waitpid, the last one */
    uint64_t grace_ns;     /* between the request to end and SIGKILL; set before child_stop */
    struct loop_timer timer;
    struct channel channel; /* fd -1: none */
    struct output output;   /* fd -1: none */
    int recorder;           /* owned: flight recorder of the process; -1: none */
    uint64_t peak_memory;   /* of the process that was reaped, bytes */
    uint64_t oom_kills;     /* oom_kills() when it was started */
    char *last_words;       /* owned: text of BOOT_FAILED, until the next start; NULL: none */
};

/* A process that the program before has started. */
struct child_past {
    pid_t pid;                     /* 0: none is running */
    bool ready;                    /* has said READY */
    int channel, output, recorder; /* -1: none */
    uint64_t started_ns, ready_ns, boot_ns;
    uint32_t restarts;
};

void child_init(struct child *child, const struct role *role, struct loop *loop, struct log *log);
void child_start(struct child *child); /* from CHILD_DOWN; wanted from now on */
/* From CHILD_DOWN: a living process becomes this child's, wanted from now on; `route` as for child_set_channel. The descriptors are taken over, also
 * on failure. 0 or -errno. */
MUST_CHECK int child_restore(struct child *child, const struct child_past *past, const char *route);
void child_stop(struct child *child, uint64_t grace_ns); /* not wanted any more; asked to end, killed after the grace */
void child_kill(struct child *child, const char *why);   /* SIGKILL; replaced if it is wanted */
void child_reaped(struct child *child, int status);      /* waitpid returned child->pid */
void child_fini(struct child *child);                    /* releases everything; the state must be CHILD_DOWN */
/* For roles: the channel's fd is taken over, also on failure. 0 or -errno. */
MUST_CHECK int child_set_channel(struct child *child, int fd, const char *route);
/* How a process ended, from what role->gone() got: "killed by SIGSEGV, core dumped", "exit status 3", "cannot be started: no such file or directory". */
void child_describe_end(int status, char *out, size_t size);
const char *child_state_name(enum child_state state);
/* How long to wait before the next start, after so many failed boots in a row; 0: at once. */
uint64_t child_pause(uint32_t failed_boots);

#endif
