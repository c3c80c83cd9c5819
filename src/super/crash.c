/* The report on a dead worker. */
#include "super/crash.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "os/oom.h"
#include "super/plan.h"
#include "super/report.h"
#include "super/worker.h"

static bool is_own_fault(int status)
{
    static const int faults[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS };

    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        if (WIFSIGNALED(status) && WTERMSIG(status) == faults[i])
            return true;
    return false;
}

/* SIGKILL names no sender: the kernel's own count does, if it has risen since this process was started. */
static void say_killer(struct report *report, const struct child *child, int status)
{
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        return;
    if (oom_kills() > child->oom_kills)
        report_say(report, "probably the kernel's out-of-memory killer: it has killed since this worker was started\n");
    else
        report_say(report, "sent by another process: the kernel has not killed for want of memory meanwhile\n");
}

void crash_log(struct logs *logs, struct child *child, const char *how)
{
    const struct worker *w = child->owner;
    const struct worker_process *process = worker_process_of(child);
    int status = child->exit_status;
    struct report report;

    report_init(&report, child->recorder, process->plan->threads, clock_mono_ns());
    say_killer(&report, child, status);
    report_threads(&report);
    report_last(&report);
    if (!report_stacks(&report, REPORT_NO_THREAD) && is_own_fault(status))
        report_say(&report, "no Python stack: the application has turned faulthandler off, or sent it elsewhere\n");
    logs_report(logs, is_own_fault(status) ? LOG_ERROR : LOG_WARNING, "worker died",
                (const struct log_field[]){
                    LOG_N("worker", w->index + 1), LOG_N("generation", process->release), LOG_N("pid", child->pid),
                    LOG_Z("how", how), LOG_N("peak_mb", child->peak_memory >> 20),
                    LOG_N("age_s", (clock_mono_ns() - child->started_ns) / NS_PER_SEC), LOG_END },
                report_text(&report));
    report_fini(&report);
}
