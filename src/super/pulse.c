/* Asking the edge whether it lives. */
#include "super/pulse.h"

#include "super/super.h"

static bool can_be_asked(const struct super *super)
{
    const struct child *edge = super->edge;

    return super->state <= SUPER_LEAVING && edge->channel.fd >= 0 &&
           (edge->state == CHILD_BOOTING || edge->state == CHILD_UP);
}

static void forget(struct pulse *pulse)
{
    pulse->waiting = false;
    pulse->turns = 0;
}

static void ask(struct pulse *pulse)
{
    struct wire_message ping = { .type = WIRE_PING, .number = ++pulse->number };

    channel_send(&pulse->super->edge->channel, &ping);
    pulse->waiting = true;
    pulse->turns = 0;
}

static void count_turn(struct pulse *pulse)
{
    pulse->turns++;
    if (!pulse->waiting && pulse->turns >= PULSE_PAUSE) {
        ask(pulse);
    } else if (pulse->waiting && pulse->turns >= PULSE_PATIENCE) {
        log_event(pulse->super->log, LOG_ERROR, "the edge does not answer any more", LOG_N("pid", pulse->pid),
                  LOG_N("seconds", pulse->turns));
        child_kill(pulse->super->edge, "it does not answer");
        forget(pulse);
    }
}

static void on_timer(struct loop_timer *timer)
{
    struct pulse *pulse = CONTAINER_OF(timer, struct pulse, timer);
    const struct super *super = pulse->super;
    uint64_t now = clock_mono_ns();
    bool late = now - pulse->turned_ns > 2 * PULSE_TURN_NS;

    pulse->turned_ns = now;
    loop_timer_set(super->loop, timer, PULSE_TURN_NS);
    if (!can_be_asked(super) || super->edge->pid != pulse->pid) {
        pulse->pid = super->edge->pid;
        forget(pulse);
    } else if (!late) {
        count_turn(pulse);
    }
}

void pulse_init(struct super *super)
{
    super->pulse = (struct pulse){ .super = super, .turned_ns = clock_mono_ns(), .answered_ns = clock_mono_ns() };
    loop_timer_init(&super->pulse.timer, on_timer);
    loop_timer_set(super->loop, &super->pulse.timer, PULSE_TURN_NS);
}

/* An older number: of an edge that was asked before another came, or by the program before us. */
void pulse_answered(struct super *super, uint64_t number)
{
    if (number != super->pulse.number)
        return;
    super->pulse.answered_ns = clock_mono_ns();
    forget(&super->pulse);
}

bool pulse_is_felt(const struct pulse *pulse)
{
    return pulse->super->state == SUPER_STARTING || clock_mono_ns() - pulse->answered_ns < PULSE_FELT_NS;
}
