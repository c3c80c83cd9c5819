/*
 * The rolling reload: worker after worker gets a successor with the new plan, inside the same pool. Where memory is short: at most one worker
 * more than usual lives at a time.
 *
 *      worker 1 ─▶ successor ready, incumbent gone ─▶ worker 2 ─▶ … ─▶ the last: the edge gets the new configuration, done
 *          └─ one does not boot ─▶ those already replaced are replaced again, by workers with the old plan ─▶ failed
 *
 * Until the end both releases serve side by side. Number of workers and threads are the pool's and cannot change in this way. Steps are taken
 * whenever a process of the generation is ready or down; RELOAD_ROLLING is the reload's state meanwhile.
 */
#ifndef QUINTET_SUPER_ROLL_H
#define QUINTET_SUPER_ROLL_H

#include <stdbool.h>
#include <stdint.h>

struct child;
struct plan;
struct super;

struct roll {
    struct plan *plan; /* owned: the new one */
    uint32_t release;  /* its number */
    char *error;       /* owned: why we go back; NULL: we go on */
};

bool roll_fits(const struct super *super, const struct plan *plan); /* as many workers and threads as serve now? */
void roll_start(struct super *super, struct plan *plan);            /* owns the plan from here on */
void roll_step(struct super *super);                                /* outside a rolling reload: nothing */
/* A wanted worker ended before it was ready. True: that ends or turns the roll, and *again says whether it shall be started once more. False:
 * it is no business of a roll. */
bool roll_boot_failed(struct child *child, const char *text, bool *again);
void roll_back(struct super *super, const char *why); /* from where it is; going back already: nothing */
void roll_end(struct super *super);                   /* forgets it all; again is harmless */

#endif
