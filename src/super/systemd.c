/* The messages to the service manager. */
#include "super/systemd.h"

#include <stdio.h>
#include <unistd.h>

#include "os/notify.h"
#include "super/super.h"

#define MESSAGE_MAX 512

bool systemd_owns_name(struct str name)
{
    static const char *const names[] = { "NOTIFY_SOCKET",  "LISTEN_PID",   "LISTEN_FDS",
                                         "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, str_of(names[i])))
            return true;
    return false;
}

static void tell(struct super *super, const char *message)
{
    int r;

    if (super->systemd.socket == NULL)
        return;
    r = notify_send(super->systemd.socket, str_of(message));
    if (r != 0)
        log_event(super->log, LOG_WARNING, "the service manager cannot be told how we are",
                  LOG_Z("socket", super->systemd.socket), LOG_Z("why", why_errno(r)));
}

/* A manager that hears nothing restarts us: better than a supervisor that turns around an edge nobody can bring back. */
static void on_timer(struct loop_timer *timer)
{
    struct systemd *systemd = CONTAINER_OF(timer, struct systemd, timer);

    if (pulse_is_felt(&systemd->super->pulse))
        tell(systemd->super, "WATCHDOG=1");
    loop_timer_set(systemd->super->loop, timer, systemd->watchdog_ns);
}

/* WATCHDOG_PID is absent where the manager starts nobody else. */
static uint64_t watchdog_interval(char *const *envp)
{
    const char *usec = plan_getenv(envp, "WATCHDOG_USEC"), *pid = plan_getenv(envp, "WATCHDOG_PID");
    uint64_t n;

    if (usec == NULL || str_to_u64(str_of(usec), UINT64_MAX / 1000, &n) != 0 || n == 0)
        return 0;
    if (pid != NULL) {
        uint64_t whose;

        if (str_to_u64(str_of(pid), INT32_MAX, &whose) != 0 || (pid_t)whose != getpid())
            return 0;
    }
    return n * 1000 / 2;
}

void systemd_init(struct super *super)
{
    struct systemd *systemd = &super->systemd;
    const char *socket = plan_getenv(super->launch.envp, "NOTIFY_SOCKET");

    *systemd = (struct systemd){ .super = super };
    loop_timer_init(&systemd->timer, on_timer);
    if (socket == NULL || socket[0] == '\0')
        return;
    systemd->socket = socket;
    systemd->watchdog_ns = watchdog_interval(super->launch.envp);
    if (systemd->watchdog_ns > 0)
        loop_timer_set(super->loop, &systemd->timer, systemd->watchdog_ns);
}

void systemd_ready(struct super *super)
{
    char text[MESSAGE_MAX];

    if (super->serving == NULL || super->state != SUPER_RUNNING)
        return;
    (void)snprintf(text, sizeof(text), "READY=1\nSTATUS=generation %u serves with %u worker%s", super->serving->release,
                   super->serving->n_workers, super->serving->n_workers == 1 ? "" : "s");
    tell(super, text);
}

void systemd_reloading(struct super *super)
{
    char text[MESSAGE_MAX];

    (void)snprintf(
        text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reloading: generation %u serves meanwhile",
        (unsigned long long)(clock_mono_ns() / NS_PER_US), super->serving != NULL ? super->serving->release : 0);
    tell(super, text);
}

void systemd_stopping(struct super *super, uint64_t longest_ns)
{
    char text[MESSAGE_MAX];

    (void)snprintf(text, sizeof(text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=finishing the requests under way",
                   (unsigned long long)(longest_ns / NS_PER_US));
    tell(super, text);
}
