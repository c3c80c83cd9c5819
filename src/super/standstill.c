/* Processes that stand still. */
#include "super/standstill.h"

#include <sys/wait.h>

#include "super/roles.h"
#include "super/super.h"

static void too_long(struct loop_timer *timer)
{
    struct child *child = CONTAINER_OF(timer, struct standstill, timer)->child;

    if (child->role == &role_worker && worker_process_of(child)->stuck.asked)
        stuck_spent(child); /* its request's report is under way, and ends it */
    else
        child_kill(child, "it was stopped by a signal, and not continued in time");
}

void standstill_init(struct standstill *still, struct child *child)
{
    still->child = child;
    loop_timer_init(&still->timer, too_long);
}

void standstill_changed(struct standstill *still, int status, uint64_t timeout_ns)
{
    uint64_t limit_ns = timeout_ns > 0 ? timeout_ns + STANDSTILL_LONGER_NS : 0;
    struct child *child = still->child;

    if (!WIFSTOPPED(status)) {
        standstill_over(still);
        return;
    }
    log_event(child->log, LOG_WARNING, "a process was stopped by a signal", LOG_Z("child", child->title),
              LOG_N("pid", child->pid), LOG_N("replaced_after_ms", limit_ns / NS_PER_MS));
    if (limit_ns > 0)
        loop_timer_set(child->loop, &still->timer, limit_ns);
}

void standstill_over(struct standstill *still)
{
    loop_timer_stop(still->child->loop, &still->timer);
}

bool standstill_lasts(const struct standstill *still)
{
    return loop_timer_armed(&still->timer);
}
