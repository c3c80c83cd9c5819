/* Workers that stand still. */
#include "super/standstill.h"

#include "super/super.h"

static void too_long(struct loop_timer *timer)
{
    struct worker_process *p = CONTAINER_OF(timer, struct worker_process, still);

    if (p->stuck.asked) { /* its request's report is under way, and ends it */
        stuck_spent(&p->child);
        return;
    }
    child_kill(&p->child, "it was stopped by a signal, and not continued in time");
}

void standstill_init(struct worker_process *process)
{
    loop_timer_init(&process->still, too_long);
}

void standstill_stopped(struct worker_process *process)
{
    const struct worker *w = process->child.owner;
    uint64_t limit = process->plan->conf->timeout;

    log_event(process->child.log, LOG_WARNING, "a worker was stopped by a signal", LOG_N("worker", w->index + 1),
              LOG_N("pid", process->child.pid), LOG_N("replaced_after_ms", limit / NS_PER_MS));
    if (limit > 0)
        loop_timer_set(process->child.loop, &process->still, limit);
}

void standstill_over(struct worker_process *process)
{
    loop_timer_stop(process->child.loop, &process->still);
}
