/*
 * The other side of USR2: this program has been executed in the place of one that serves. It goes on with that one's children, sockets and
 * serving generation, and then reloads: the new generation brings an edge of this program (second_edge.h).
 *
 * What can fail comes first and touches nothing; then the program before is executed again (it is still there, as a descriptor, also when its
 * file is gone) and goes on as if nothing had been. One thread, before the loop runs.
 */
#ifndef QUINTET_SUPER_ADOPTION_H
#define QUINTET_SUPER_ADOPTION_H

#include <stdbool.h>

#include "super/handover.h"
#include "super/plan.h"

struct super;

struct adoption {
    int state_fd, program_fd; /* owned */
    char *failed;             /* owned: the program after us gave back because of this; NULL */
    struct handover handover;
};

/* Has somebody handed over to us? Then takes it out of the environment. */
bool adoption_take(struct adoption *adoption);
/* The document and the plan of the generation it tells of. 0; or the exit status with the reason, nothing changed. */
MUST_CHECK int adoption_read(struct adoption *adoption, const struct launch *launch, struct plan **plan,
                             struct why *why);
/* Executes the program before again. Returns only when that is impossible, too. */
void adoption_give_back(struct adoption *adoption, const struct launch *launch, const struct why *why);
/* Everything becomes ours: sockets, children, the generation with its plan (taken over). The parts of super are there, its logs too. 0 or -errno. */
MUST_CHECK int adoption_apply(struct super *super, struct adoption *adoption, struct plan *plan);
/* The loop is about to run: what died meanwhile is found, and this program's own generation is asked for. */
void adoption_begin(struct super *super, struct adoption *adoption);
void adoption_fini(struct adoption *adoption);

#endif
