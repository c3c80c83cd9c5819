/*
 * The control socket: how `quintet reload`, `stop` and `status` talk to the running instance.
 *
 * A unix stream socket (mode 0600, its directory 0700), one JSON object a line in both directions. A client asks once:
 *   {"command":"status"|"reload"|"reload-edge"|"rollback"|"stop"|"resume"} or {"command":"pause","max":SECONDS}
 * and reads {"progress":TEXT} lines until {"done":true,"ok":BOOL,"error":TEXT|null, "text":TEXT|null, …}. Only our own user and root are heard.
 * What a client may send is bounded by CONTROL_LINE_MAX, what it may leave unread by CONTROL_OUT_MAX. One thread.
 */
#ifndef QUINTET_SUPER_CONTROL_H
#define QUINTET_SUPER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/buf.h"
#include "os/loop.h"
#include "super/why.h"

#define CONTROL_LINE_MAX (16u << 10)
#define CONTROL_OUT_MAX (2u << 20)
#define CONTROL_CLIENTS_MAX 64
#define CONTROL_EDGE_WAIT_NS (1 * NS_PER_SEC) /* for the edge's part of the status */

enum control_command {
    CONTROL_STATUS,
    CONTROL_RELOAD,
    CONTROL_RELOAD_EDGE,
    CONTROL_ROLLBACK,
    CONTROL_STOP,
    CONTROL_PAUSE,
    CONTROL_RESUME
};

struct control_request {
    enum control_command command;
    uint64_t max_ns; /* PAUSE */
};

struct control;
struct super;

struct control_client {
    struct list link;        /* control->clients */
    struct control *control; /* borrowed */
    struct loop_io io;
    struct loop_task free_task;
    int fd; /* owned */
    struct buf in, out;
    bool asked; /* its one request has come */
    struct control_request request;
    uint64_t ticket; /* STATUS: number asked of the edge; RELOAD, ROLLBACK: the round it waits for; PAUSE: its number */
};

struct control {
    struct super *super; /* borrowed */
    struct loop *loop;   /* borrowed */
    struct loop_io io;
    int fd;     /* owned; -1: closed */
    char *path; /* owned: absolute, or as given */
    struct list clients;
    size_t n_clients;
    uint64_t edge_asked;     /* number of the last STATUS_ASK */
    struct loop_timer timer; /* the edge does not answer */
};

/* Listens on path; a stale socket is replaced. 0 or -errno with the reason; -EADDRINUSE: "already running here, pid N". */
MUST_CHECK int control_open(struct control *control, struct super *super, const char *path, struct why *why);
/* A listening socket of ours from before; fd taken over. 0 or -errno. */
MUST_CHECK int control_adopt(struct control *control, struct super *super, int fd, const char *path);
void control_close(struct control *control); /* clients too; again is harmless */

/* The reload or rollback of this round has got so far, or is over (`error` NULL: done; `text` says how). */
void control_reload_progress(struct control *control, uint64_t round, const char *text);
void control_reload_done(struct control *control, uint64_t round, const char *error, const char *text);
void control_ask_edge(struct control *control); /* for its status, which reload_edge_status gets to see */
/* The pauses up to this one are complete, or (`error`) over before they were. */
void control_paused(struct control *control, uint32_t number, const char *error);
/* The edge's answer. False: it was not asked. */
bool control_edge_status(struct control *control, uint64_t number, struct str text);

/* It has died: nobody waits for its answer any more. */
void control_edge_gone(struct control *control);

/* One request line: 0, or -EINVAL with the reason. */
MUST_CHECK int control_parse(struct str line, struct control_request *out, struct why *why);

#endif
