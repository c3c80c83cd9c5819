/*
 * USR2: the program now on disk takes over, in this very process (docs/internals/takeover.md).
 *
 *   NONE ── USR2 ──▶ PROBING ── it can ──▶ WAITING ── nothing is under way ──▶ exec ──▶ the new program goes on in adoption.h
 *     ▲                 └── it cannot: logged ──┐          │ exec fails: logged
 *     └─────────────────────────────────────────┴──────────┘
 *
 * "Nothing under way": no reload, no pause, one generation, its workers booting, ready or pausing, no successor, nobody who
 * stands still, no edge that is about to end, every channel's queue sent. One thread.
 */
#ifndef QUINTET_SUPER_TAKEOVER_H
#define QUINTET_SUPER_TAKEOVER_H

#include "os/loop.h"
#include "super/probe.h"

#define TAKEOVER_ENV "QUINTET_HANDOVER"               /* STATE:PROGRAM, two descriptors */
#define TAKEOVER_FAILED_ENV "QUINTET_HANDOVER_FAILED" /* why the program after us gave back */

struct super;

enum takeover_state { TAKEOVER_NONE, TAKEOVER_PROBING, TAKEOVER_WAITING };

struct takeover {
    struct super *super; /* borrowed */
    enum takeover_state state;
    struct probe probe;
    char *path;              /* owned: of the program that was asked; NULL: none */
    struct loop_timer timer; /* while WAITING: looks again */
};

void takeover_init(struct super *super);
void takeover_request(struct super *super);
void takeover_abort(struct super *super); /* the server stops */

/* Executes a program in this process, which is to go on with the document in state_fd; returns -errno when it cannot. */
struct takeover_program {
    const char *path;   /* NULL: the one of fd */
    int fd;             /* of the program that gives, or is given back to */
    const char *failed; /* why it is given back; NULL */
};
MUST_CHECK int takeover_exec(const struct launch *launch, int state_fd, const struct takeover_program *program);
void takeover_fini(struct super *super);

#endif
