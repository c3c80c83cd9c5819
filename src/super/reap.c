/* Who has died or stands still, and whose child it was. */
#include "super/reap.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "super/preload.h"
#include "super/roles.h"
#include "super/super.h"

struct child *reap_find(struct super *super, pid_t pid)
{
    struct child *child;

    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++)
        if (super->edges[i].pid == pid)
            return &super->edges[i];
    LIST_EACH(link, &super->generations) {
        struct generation *g = CONTAINER_OF(link, struct generation, link);

        for (uint32_t i = 0; i < g->n_workers; i++)
            if ((child = worker_find(&g->workers[i], pid)) != NULL)
                return child;
        if ((child = preload_find(g, pid)) != NULL)
            return child;
    }
    return NULL;
}

bool reap_knows(struct super *super, pid_t pid)
{
    return reap_find(super, pid) != NULL || pid == super->reload.inspect.pid || pid == super->takeover.probe.pid;
}

static void child_changed(struct child *child, int status)
{
    if (child->role == &role_worker)
        standstill_changed(&worker_process_of(child)->still, status, worker_process_of(child)->plan->conf->timeout);
    else if (child->role == &role_preload)
        standstill_changed(&preload_of(child)->still, status, preload_of(child)->plan->conf->timeout);
    /* An edge is asked whether it lives: pulse.h. */
}

/* Everything, also what is not ours: as PID 1 of a container the orphans are ours to bury. */
void reap_all(struct super *super)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG | WUNTRACED | WCONTINUED, &usage)) > 0) {
        struct child *child = reap_find(super, pid);

        if (child != NULL)
            child_changed(child, status);
        if (WIFSTOPPED(status) || WIFCONTINUED(status))
            continue;
        if (child != NULL) {
            child->peak_memory = (uint64_t)usage.ru_maxrss << 10;
            child_reaped(child, status);
        } else if (pid == super->reload.inspect.pid) {
            inspect_reaped(&super->reload.inspect, status);
        } else if (pid == super->takeover.probe.pid) {
            probe_reaped(&super->takeover.probe, status);
        }
    }
}
