/* A pool with both sides in one process, as most of the tests want it. */
#ifndef RIG_H
#define RIG_H

#include "pool/layout.h"
#include "pool/request.h"
#include "pool/response.h"
#include "pool/slot.h"
#include "pool/wake.h"

struct rig {
    struct pool *pool;
    uint32_t serials[POOL_SLOTS_MAX];
    bool is_free[POOL_SLOTS_MAX];
};

/* Creates, maps and adopts; every slot is FREE. */
void rig_open(struct rig *rig, const struct pool_geometry *geometry);
void rig_close(struct rig *rig);
struct pool_ticket rig_ticket(const struct rig *rig, uint32_t slot);
/* Hands over slot `slot` with a small GET in it. */
struct pool_ticket rig_hand_over(struct rig *rig, uint32_t slot);
/* A worker's turn: expects a request and returns its ticket. */
struct pool_ticket rig_take(struct rig *rig, uint32_t seat);
/* A small request; the pieces are static. */
void rig_request(struct pool_request *request);
enum pool_phase rig_phase(const struct rig *rig, struct pool_ticket ticket);
void rig_count_attention(void *arg, uint32_t slot); /* pool_attention_fn: arg is uint32_t counts[slots] */

#endif
