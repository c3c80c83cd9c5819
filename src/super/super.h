/*
 * The supervisor: binds the sockets, starts the edge and the generations of workers, watches, replaces, stops.
 *
 * This struct is what its parts (generation, role_edge, role_worker, reload, control) share; each writes only its own piece of it.
 * One thread, one loop. The supervisor parses no client byte and trusts no child.
 */
#ifndef QUINTET_SUPER_SUPER_H
#define QUINTET_SUPER_SUPER_H

#include <stdbool.h>
#include <stdint.h>

#include "os/loop.h"
#include "super/child.h"
#include "super/control.h"
#include "super/early.h"
#include "super/generation.h"
#include "super/listen.h"
#include "super/logs.h"
#include "super/pause.h"
#include "super/plan.h"
#include "super/pulse.h"
#include "super/reload.h"
#include "super/second_edge.h"
#include "super/signals.h"
#include "super/systemd.h"
#include "super/takeover.h"
#include "super/tls_care.h"
#include "super/watch.h"

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_BOOT 3 /* the application failed to boot */

enum super_state {
    SUPER_STARTING, /* until each worker of the first generation has been ready; it serves from the first one on */
    SUPER_RUNNING,
    SUPER_LEAVING,  /* readiness fails; everything else as before, for the shutdown delay */
    SUPER_DRAINING, /* no new requests; the edge finishes what it has */
    SUPER_STOPPING, /* children end */
};

struct super {
    struct loop *loop; /* owned */
    struct launch launch;
    struct logs logs;
    struct log *log; /* of logs */
    struct listeners listeners;
    struct signals signals;
    struct control control;
    struct reload reload;
    struct pause pause;
    struct early early;
    struct watch watch; /* --reload */
    struct systemd systemd;
    struct pulse pulse;    /* of the edge */
    struct child edges[2]; /* one serves; the other is down, or its successor or predecessor while one takes over */
    struct child *edge;    /* borrowed from edges: the one that new clients come to */
    struct second_edge second;
    struct takeover takeover;
    bool edge_drained;       /* the serving one, while draining */
    struct loop_timer timer; /* of the shutdown delay, then of the drain */
    uint64_t watched_ns;     /* when readiness was last asked for; 0: never */
    struct tls_care tls;
    enum super_state state;
    int exit_code;
    uint64_t started_ns;
    int more_workers; /* TTIN - TTOU */
    char *pid_file;   /* owned: absolute path of the one we wrote; NULL: none */

    struct plan *started; /* owned reference: what this program began with, and options that need a start still mean */
    struct list generations;    /* every one that still has a process, oldest first */
    struct generation *serving; /* NULL until the first SWITCH */
    uint32_t last_generation;   /* number */
};

/* `quintet run`: returns the exit status. */
int super_run(struct launch *launch);

/* ---- what the parts tell the whole ---- */

/* Nothing serves yet, and this generation will as soon as one of its workers is ready. */
bool super_waits_for(const struct super *super, const struct generation *generation);
void super_generation_ready(struct super *super, struct generation *generation);
void super_generation_grew(struct super *super, struct generation *generation); /* one more worker; it serves */
/* It did not boot (or could not be opened); `text`: why, a traceback often. It is being stopped. */
void super_generation_failed(struct super *super, struct generation *generation, const char *text);
void super_configure_edge(
    struct super *super); /* logs, and the edge's part of the serving generation's plan; START makes it hold */
void super_generation_kept(struct super *super); /* it has drained and waits for a rollback */
/* New requests go to `generation` from now on, with its configuration; the one that served drains. */
void super_switch(struct super *super, struct generation *generation);
/* Its last process is gone; it is freed at the end of this turn. */
void super_generation_ended(struct super *super, struct generation *generation);
void super_drained(struct super *super); /* the edge has finished, or is gone */
void super_edge_down(struct super *super);
void super_drain(struct super *super, const char *why);               /* TERM, `quintet stop` */
void super_stop_now(struct super *super, const char *why);            /* INT, QUIT; a second TERM */
void super_reopen_logs(struct super *super, const struct plan *plan); /* as its configuration says */
/* The plan whose configuration the edge has: of the serving generation, or of the first one while that boots. */
const struct plan *super_plan(const struct super *super);

#endif
