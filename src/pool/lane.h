/* Lanes, as the rest of pool/ needs them; pool/wake.h is for everybody. */
#ifndef QUINTET_POOL_LANE_H
#define QUINTET_POOL_LANE_H

#include "pool/layout.h"

/* Writes every lane's eventfd (where pool_set_lane_fds gave one), asleep or not. */
void lane_poke_all(struct pool *pool);
/* The attention of pool_done: the lane is woken if there is news in it, or if the edge is hungry for free slots. */
void attention_done(struct pool *pool, struct pool_ticket ticket, bool news);

#endif
