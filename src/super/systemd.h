/*
 * What the service manager is told (sd_notify(3)), when it asks for that with NOTIFY_SOCKET; otherwise nothing happens here.
 *
 *   READY=1                   the first generation serves; a reload is over
 *   RELOADING=1               a reload begins (with MONOTONIC_USEC, so that Type=notify-reload works)
 *   STOPPING=1                the drain begins, with EXTEND_TIMEOUT_USEC as long as it may take
 *   WATCHDOG=1                every half WATCHDOG_USEC, while this loop turns and the edge answers (super/pulse.h)
 *   STATUS=                   one line for people, with each of the first three
 */
#ifndef QUINTET_SUPER_SYSTEMD_H
#define QUINTET_SUPER_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "os/loop.h"

struct super;

struct systemd {
    struct super *super;     /* borrowed */
    const char *socket;      /* borrowed from the environment; NULL: nobody listens */
    uint64_t watchdog_ns;    /* between two WATCHDOG=1; 0: not wanted */
    struct loop_timer timer; /* of the watchdog */
};

void systemd_init(struct super *super);
void systemd_ready(struct super *super);
void systemd_reloading(struct super *super);
/* `longest_ns`: the process is gone by then, if all goes as promised. */
void systemd_stopping(struct super *super, uint64_t longest_ns);

/* Whether the name is one by which a service manager speaks to its direct child: not for the workers' environment. */
bool systemd_owns_name(struct str name);

#endif
