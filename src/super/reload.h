/*
 * Reloading: the configuration is read again, a new generation boots beside the serving one, and when all its workers are ready
 * the edge switches and the old one drains. If anything fails before the switch, nothing has changed.
 *
 *   IDLE ─▶ INSPECTING ─▶ BOOTING ── all ready: switch ──▶ DRAINING ── old one gone ──▶ IDLE
 *              └─────────────┴── failure: the reason is logged and told to who asked ──▲
 *
 * One at a time: what is asked for meanwhile is one more round afterwards. Rounds are numbered for those who wait.
 */
#ifndef QUINTET_SUPER_RELOAD_H
#define QUINTET_SUPER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "super/generation.h"
#include "super/inspect.h"
#include "super/plan.h"

struct super;

enum reload_state { RELOAD_IDLE, RELOAD_INSPECTING, RELOAD_BOOTING, RELOAD_DRAINING };

struct reload {
    enum reload_state state;
    struct plan *plan; /* owned while INSPECTING */
    struct inspect inspect;
    struct generation *next; /* while BOOTING */
    uint64_t round;          /* of the reload under way, or of the last one */
    uint64_t started_ns;
    bool again; /* one more round afterwards */
};

void reload_init(struct super *super);
void reload_request(struct super *super, const char *why);
uint64_t reload_next_round(const struct reload *reload);               /* the round that a request made now will have */
void reload_ready(struct super *super, struct generation *generation); /* generation has switched */
void reload_failed(struct super *super, struct generation *generation, const char *text);
void reload_ended(struct super *super); /* an old generation is gone */
void reload_abort(struct super *super); /* the server stops */
const char *reload_state_name(enum reload_state state);

#endif
