/* Lets clients in although nothing serves yet. */
#include "super/early.h"

#include "super/roles.h"
#include "super/super.h"

void early_again(struct super *super)
{
    if (super->early.open && super->serving == NULL && super->state == SUPER_STARTING && super->edge->channel.fd >= 0)
        role_edge_start(super->edge);
}

static void on_timer(struct loop_timer *timer)
{
    struct super *super = CONTAINER_OF(timer, struct early, timer)->super;

    if (super->state != SUPER_STARTING || super->serving != NULL)
        return;
    super->early.open = true;
    log_event(super->log, LOG_INFO, "the application takes long to boot: files are served, its requests wait");
    early_again(super);
}

void early_init(struct super *super)
{
    super->early.super = super;
    loop_timer_init(&super->early.timer, on_timer);
    loop_timer_set(super->loop, &super->early.timer, EARLY_NS);
}
