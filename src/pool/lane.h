/* Lanes, as the rest of pool/ needs them; pool/wake.h is for everybody. */
#ifndef QUINTET_POOL_LANE_H
#define QUINTET_POOL_LANE_H

#include "pool/layout.h"

/* Writes every lane's eventfd (where pool_set_lane_fds gave one), asleep or not. */
void lane_poke_all(struct pool *pool);
bool attention_is_due(const struct shared_slot *slot); /* frames were written since the last attention */
/* The attention of pool_done: the lane is woken if there is news in it, or if the edge is hungry for free slots and the ready ring is empty. */
void attention_done(struct pool *pool, struct pool_ticket ticket, bool news);
/* A seat has found nothing to take and is about to sleep, or is closed: a hungry edge is told, and a lane that naps. */
void attention_starving(struct pool *pool);

#endif
