/* Lanes, as the rest of pool/ needs them; pool/wake.h is for everybody. */
#ifndef QUINTET_POOL_LANE_H
#define QUINTET_POOL_LANE_H

#include "pool/layout.h"

/* Writes every lane's eventfd (where pool_set_lane_fds gave one), asleep or not. */
void lane_poke_all(struct pool *pool);

#endif
