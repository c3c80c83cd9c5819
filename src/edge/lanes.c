/* The lanes, all together: started, posted to, woken. */
#include "edge/lanes.h"

#include "base/mem.h"
#include "edge/edge_process.h"
#include "os/proc.h"

struct everywhere {
    struct lane_job job;
    void (*fn)(struct lane *lane, void *arg);
    void *arg;
};

static void run_everywhere(struct lane *lane, struct lane_job *job)
{
    struct everywhere *e = CONTAINER_OF(job, struct everywhere, job);

    e->fn(lane, e->arg);
    mem_free(e);
}

void lanes_each(struct edge *edge, void (*fn)(struct lane *lane, void *arg), void *arg)
{
    for (uint32_t i = 1; i < edge->n_lanes; i++) {
        struct everywhere *e = mem_zalloc(sizeof(*e));

        e->fn = fn;
        e->arg = arg;
        e->job.fn = run_everywhere;
        lane_post(&edge->lanes[i], &e->job);
    }
    fn(&edge->lanes[0], arg);
}

void lanes_wake(struct edge *edge)
{
    for (uint32_t i = 0; edge->n_lanes > 1 && i < edge->n_lanes; i++)
        loop_wake(edge->lanes[i].loop);
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;

    lane_run(lane);
    return NULL;
}

static uint32_t bounded(uint64_t n)
{
    return n < 1 ? 1 : n > POOL_LANES_MAX ? POOL_LANES_MAX : (uint32_t)n;
}

/* One thread for two cores: the rest of the machine belongs to Python. */
static uint32_t homes_by_rule(const struct conf *conf)
{
    return bounded(conf->edge_threads != 0 ? conf->edge_threads : proc_cores() / 2);
}

/* With TLS, one for each core. */
static uint32_t lanes_by_rule(const struct conf *conf)
{
    return conf->edge_threads != 0 || conf->tls_bind.n == 0 ? homes_by_rule(conf) : bounded(proc_cores());
}

static void start(struct edge *edge, uint32_t n)
{
    while (edge->n_lanes < n) {
        struct lane *lane = &edge->lanes[edge->n_lanes];

        if (lane_init(lane, edge, edge->n_lanes) != 0 || pthread_create(&lane->thread, NULL, lane_main, lane) != 0)
            must_fail("cannot start an edge thread", __FILE__, __LINE__, __func__);
        edge->n_lanes++;
    }
}

void lanes_ensure(struct edge *edge, uint32_t inherited)
{
    const struct snapshot *s = edge->building != NULL ? edge->building : edge->snapshot;

    uint32_t n;

    if (edge->n_homes != 0 || s == NULL)
        return;
    n = inherited != 0 ? bounded(inherited) : lanes_by_rule(s->conf);
    edge->n_homes = homes_by_rule(s->conf);
    if (edge->n_homes > n)
        edge->n_homes = n;
    start(edge, n);
}
