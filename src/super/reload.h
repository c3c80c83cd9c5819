/*
 * Reloading: the configuration is read again, a new generation boots beside the serving one, and when all its workers are ready
 * the edge switches and the old one drains. If anything fails before the switch, nothing has changed.
 *
 *   IDLE ─▶ WAITING ─▶ INSPECTING ─▶ BOOTING ── all ready: switch ──▶ DRAINING ── old one gone or kept ──▶ IDLE
 *              │           │    └──▶ ROLLING (roll.h): all workers replaced ────────────────────────────────▲
 *              └───────────┴── failure: the reason is logged and told to who asked ─────────────────────────▲
 *
 * WAITING: too many generations are still alive. One reload at a time: what is asked for meanwhile is one more round afterwards. Rounds are
 * numbered for those who wait. A rollback is a round that begins at DRAINING. A reload of the edge alone ends after the inspection.
 */
#ifndef QUINTET_SUPER_RELOAD_H
#define QUINTET_SUPER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "super/generation.h"
#include "super/inspect.h"
#include "super/plan.h"
#include "super/roll.h"

struct super;

enum reload_state { RELOAD_IDLE, RELOAD_WAITING, RELOAD_INSPECTING, RELOAD_BOOTING, RELOAD_ROLLING, RELOAD_DRAINING };

/* The later includes the earlier. */
enum reload_kind {
    RELOAD_NOTHING,
    RELOAD_EDGE, /* the edge's configuration, certificates and logs: no worker is touched */
    RELOAD_ALL,
};

struct reload {
    enum reload_state state;
    enum reload_kind kind;
    enum reload_kind again; /* one more round afterwards */
    struct plan *plan;      /* owned while INSPECTING */
    struct inspect inspect;
    struct generation *next; /* while BOOTING */
    struct roll roll;        /* while ROLLING */
    uint64_t round;          /* of the reload under way, or of the last one */
    uint64_t started_ns;
    struct loop_timer timer; /* while DRAINING: says what it waits for */
};

void reload_init(struct super *super);
void reload_request(struct super *super, enum reload_kind kind, const char *why);
uint64_t reload_next_round(const struct reload *reload); /* the round that a request made now will have */
/* A rollback before the switch: the reload under way is given up (a boot may hang for ever). What was done, for people; NULL: no reload is. */
const char *reload_give_up(struct super *super);
/* Makes a rollback possible now: NULL; or why there can be none. A reload that only drains is over with it. */
const char *reload_prepare_rollback(struct super *super);
void reload_rollback(struct super *super);
void reload_worker_ready(struct super *super, struct generation *generation);
void reload_ready(struct super *super, struct generation *generation); /* generation has switched */
void reload_failed(struct super *super, struct generation *generation, const char *text);
void reload_settled(struct super *super); /* an old generation is gone, or kept */
/* The edge's status while DRAINING: how many requests are left. */
void reload_edge_status(struct super *super, const json_t *edge);
void reload_abort(struct super *super); /* the server stops */
const char *reload_state_name(enum reload_state state);

/* ---- for the parts of a reload ---- */

/* `message` for the log; `text` for who waits, with its figures; NULL: the same. */
void reload_progress(struct super *super, uint32_t release, const char *message, const char *text);
void reload_finish(struct super *super, const char *error); /* NULL: done */

#endif
