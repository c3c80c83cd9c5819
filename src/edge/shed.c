/* Gives memory back when there is none. */
#include "edge/shed.h"

#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/encoders.h"
#include "edge/evict.h"
#include "edge/file_cache.h"
#include "edge/h1.h"
#include "edge/h1_store.h"
#include "edge/h2.h"

#define RESERVE (1u << 20)

void shed_init(void)
{
    (void)mem_reserve(RESERVE);
}

void shed_note(struct lane *lane, const char *what)
{
    uint64_t times = log_seldom(&lane->shed_said, loop_now(lane->loop));

    stats_add(&lane->stats.shed, 1);
    file_cache_clear(lane->files);
    encoders_clear(lane->encoders);
    h1_fini_spare(lane);
    h2_stream_fini_spare(lane);
    (void)evict_one(lane);
    if (times > 0)
        log_event(&lane->edge->log, LOG_ERROR, "out of memory: clients are refused", LOG_Z("wanted", what),
                  LOG_N("times", times));
}

bool shed_may_grow(void)
{
    return !mem_reserve_open() || mem_reserve(RESERVE);
}
