/*
 * A lane's encoders and what else compressing needs: kept from one body to the next, bounded in all.
 *
 * Who gets NULL sends the body as it is. One lane, no lock.
 */
#ifndef QUINTET_EDGE_ENCODERS_H
#define QUINTET_EDGE_ENCODERS_H

#include "base/list.h"
#include "os/loop.h"
#include "pack/encoder.h"

#define ENCODERS_BUSY_MAX ((size_t)64 << 20) /* bytes in encoders at work: past them bodies go as they are */
#define ENCODERS_OUTPUT (32u << 10)          /* of a body: what is compressed and not sent yet */
#define ENCODERS_INPUT (64u << 10)           /* of the lane: what is read of a file at a time */

struct encoders; /* opaque */

/* A body that has had its share of this turn. */
struct encoders_turn {
    struct list link; /* list_init at first; list_remove ends the wait */
    void (*go_on)(struct encoders_turn *turn);
};

struct encoders *encoders_new(struct loop *loop);
void encoders_free(struct encoders *encoders);  /* everything must have been given back */
void encoders_clear(struct encoders *encoders); /* gives back memory that is not in use */

/* An encoder that has begun by the plan; NULL: no memory, or enough are at work. */
struct encoder *encoders_take(struct encoders *encoders, enum coding coding, const struct encoder_plan *plan);
void encoders_give(struct encoders *encoders, struct encoder *encoder);
char *encoders_take_output(struct encoders *encoders); /* ENCODERS_OUTPUT bytes; NULL: no memory */
void encoders_give_output(struct encoders *encoders, char *output);
char *encoders_input(
    struct encoders *encoders); /* ENCODERS_INPUT bytes, good until the caller returns; NULL: no memory */
/* go_on is called when the others have had their turn. */
void encoders_wait(struct encoders *encoders, struct encoders_turn *turn);

#endif
