/* Pause and resume. */
#include "super/pause.h"

#include "base/clock.h"
#include "super/super.h"

static void tell(struct super *super, struct child *edge, uint64_t ns)
{
    struct wire_message hold = { .type = WIRE_HOLD, .generation = super->pause.number, .number = ns };

    super->pause.quiet[edge - super->edges] = false;
    if (edge->channel.fd >= 0)
        channel_send(&edge->channel, &hold);
}

static void tell_all(struct super *super, uint64_t ns)
{
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++)
        tell(super, &super->edges[i], ns);
}

uint64_t pause_left(const struct super *super)
{
    uint64_t now = clock_mono_ns();

    return super->pause.until_ns > now ? super->pause.until_ns - now : 0;
}

static void time_over(struct loop_timer *timer)
{
    struct pause *pause = CONTAINER_OF(timer, struct pause, timer);

    (void)pause_end(CONTAINER_OF(pause, struct super, pause), "its time is over",
                    "requests were still running when the time was over; everything goes on");
}

void pause_init(struct super *super)
{
    super->pause = (struct pause){ 0 };
    loop_timer_init(&super->pause.timer, time_over);
}

uint32_t pause_begin(struct super *super, uint64_t max_ns)
{
    struct pause *pause = &super->pause;

    pause->number++;
    pause->until_ns = clock_mono_ns() + max_ns;
    loop_timer_set(super->loop, &pause->timer, max_ns);
    log_event(super->log, LOG_INFO, "paused: requests wait", LOG_N("max_ms", max_ns / NS_PER_MS));
    tell_all(super, max_ns);
    return pause->number;
}

bool pause_end(struct super *super, const char *why, const char *error)
{
    struct pause *pause = &super->pause;

    if (pause->until_ns == 0)
        return false;
    pause->until_ns = 0;
    loop_timer_stop(super->loop, &pause->timer);
    log_event(super->log, LOG_INFO, "the pause is over", LOG_Z("why", why));
    tell_all(super, 0);
    control_paused(&super->control, pause->number, error);
    return true;
}

void pause_again(struct super *super, struct child *edge)
{
    uint64_t left = pause_left(super);

    if (left > 0)
        tell(super, edge, left);
}

/* Of an edge that is gone nobody hears, but what it had given out runs until the workers have ended. */
static bool is_quiet(const struct super *super, size_t i)
{
    const struct child *edge = &super->edges[i];

    if (edge->channel.fd >= 0)
        return super->pause.quiet[i];
    LIST_EACH(link, &super->generations)
        if (CONTAINER_OF(link, struct generation, link)->edge == edge)
            return false;
    return true;
}

static void tell_when_all_are_quiet(struct super *super)
{
    for (size_t i = 0; i < ARRAY_LEN(super->edges); i++)
        if (!is_quiet(super, i))
            return;
    if (super->pause.until_ns != 0)
        control_paused(&super->control, super->pause.number, NULL);
}

void pause_generation_ended(struct super *super)
{
    tell_when_all_are_quiet(super);
}

bool pause_quiet(struct super *super, struct child *edge, uint32_t number)
{
    struct pause *pause = &super->pause;

    if (number == 0 || number > pause->number)
        return false;
    if (number == pause->number && pause->until_ns != 0)
        pause->quiet[edge - super->edges] = true;
    tell_when_all_are_quiet(super);
    return true;
}
