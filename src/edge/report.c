/* Reports: posted to lane 0, sent from there. */
#include "edge/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"

#define WATCHED_EVERY_NS (10 * NS_PER_SEC)

struct report {
    struct lane_job job;
    struct wire_message message;
    char text[600];
};

static void send_report(struct lane *lane, struct lane_job *job)
{
    struct report *r = CONTAINER_OF(job, struct report, job);

    channel_send(&lane->edge->super, &r->message);
    mem_free(r);
}

static uint32_t age_ms(const struct dispatch_run *run)
{
    uint64_t now = clock_mono_ns(), ms = now > run->since_ns ? (now - run->since_ns) / NS_PER_MS : 0;

    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

void report_worker(struct edge *edge, enum wire_type type, const struct dispatch_run *run, struct str what)
{
    struct report *r = mem_zalloc(sizeof(*r));
    size_t n = what.n < sizeof(r->text) ? what.n : sizeof(r->text);

    memcpy(r->text, what.p, n);
    r->message = (struct wire_message){ .type = type, .worker = run->worker, .text = { r->text, n } };
    r->message.generation = run->generation;
    r->message.pid = run->pid;
    if (type == WIRE_WORKER_STUCK)
        r->message.number = (uint64_t)run->thread << 32 | age_ms(run);
    r->job.fn = send_report;
    lane_post(&edge->lanes[0], &r->job);
}

void report_watched(struct lane *lane)
{
    struct edge *edge = lane->edge;
    unsigned long long now = loop_now(lane->loop), told = atomic_load(&edge->watched_ns);

    if (told != 0 && now - told < WATCHED_EVERY_NS)
        return;
    if (atomic_compare_exchange_strong(&edge->watched_ns, &told, now))
        report_worker(edge, WIRE_WATCHED, &(struct dispatch_run){ 0 }, STR(""));
}

static void tell_idle(void *arg, struct generation *g)
{
    struct edge *edge = arg;

    channel_tell(&edge->super, WIRE_POOL_IDLE, g->number, 0);
}

static void check_idle(struct lane *lane, struct lane_job *job)
{
    struct edge *edge = lane->edge;
    uint32_t number;

    (void)job;
    atomic_store(&edge->idle_posted, false);
    pools_each_idle(&edge->dispatch, tell_idle, edge);
    if (hold_quiet(&edge->dispatch, &number))
        channel_tell(&edge->super, WIRE_HELD, number, 0);
}

void report_idle(struct edge *edge)
{
    if (atomic_exchange(&edge->idle_posted, true))
        return;
    edge->idle_job.fn = check_idle;
    lane_post(&edge->lanes[0], &edge->idle_job);
}
