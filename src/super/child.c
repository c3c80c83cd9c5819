/*
 * The life of a child: a table of state × event, each cell a small function, one place that changes the state.
 *
 *                 START             READY             STOP                 EXIT
 *      DOWN ───────────────▶ BOOTING ──────▶ UP ───────────────▶ STOPPING ──────▶ DOWN
 *        ▲                      │ EXIT       │ EXIT                 │ TIMER
 *        │ STOP    TIMER        ▼            ▼                      ▼
 *        └──────── PAUSED ◀── (wanted: again, at once or after a pause)     KILLED ── EXIT ──▶ as from BOOTING and UP
 *
 * A cell that is NULL: the event means nothing in that state. If the child sent it, it has broken the rules and is killed.
 */
#include "super/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/oom.h"
#include "super/why.h"

static const char *const state_names[CHILD_STATE_COUNT] = {
    [CHILD_DOWN] = "down", [CHILD_PAUSED] = "paused",     [CHILD_BOOTING] = "booting",
    [CHILD_UP] = "up",     [CHILD_STOPPING] = "stopping", [CHILD_KILLED] = "killed",
};

void child_describe_end(int status, char *out, size_t size)
{
    if (status < 0)
        (void)snprintf(out, size, "cannot be started: %s", why_errno(status));
    else if (WIFSIGNALED(status))
        (void)snprintf(out, size, "killed by SIG%s%s", sigabbrev_np(WTERMSIG(status)),
                       WCOREDUMP(status) ? ", core dumped" : "");
    else
        (void)snprintf(out, size, "exit status %d", WEXITSTATUS(status));
}

const char *child_state_name(enum child_state state)
{
    return state_names[state];
}

uint64_t child_pause(uint32_t failed_boots)
{
    uint64_t pause = CHILD_PAUSE_NS;

    if (failed_boots == 0)
        return 0;
    for (uint32_t i = 1; i < failed_boots && pause < CHILD_PAUSE_MAX_NS; i++)
        pause *= 2;
    return pause < CHILD_PAUSE_MAX_NS ? pause : CHILD_PAUSE_MAX_NS;
}

/* The only place where the state changes. The timer belongs to the state, so it ends with it. */
static void set_state(struct child *child, enum child_state state, uint64_t timer_ns)
{
    child->state = state;
    loop_timer_stop(child->loop, &child->timer);
    if (timer_ns > 0)
        loop_timer_set(child->loop, &child->timer, timer_ns);
    if (state == CHILD_DOWN)
        child->role->down(child);
}

static void after_exit(struct child *child);

/* It was to be forked by another process, and nothing has come of it; or it comes, and finds its channel closed. */
static void never_came(struct child *child)
{
    child->exit_status = child->state == CHILD_STOPPING && !child->wanted ? 0 : -ESRCH;
    after_exit(child);
}

static void send_kill(struct child *child)
{
    if (child->pid == 0) {
        never_came(child);
        return;
    }
    if (!child->dead)
        (void)kill(child->pid, SIGKILL);
    set_state(child, CHILD_KILLED, 0);
}

/* ---- cells ---- */

static void ignore(struct child *child)
{
}

static void start(struct child *child);

/* A start that fails counts as a failed boot, so that this never recurses. */
static void again(struct child *child)
{
    uint64_t pause = child_pause(child->failed_boots);

    child->restarts++;
    if (pause > 0)
        set_state(child, CHILD_PAUSED, pause);
    else
        start(child);
}

static void lost(struct child *child, int status)
{
    bool wish = child->role->gone(child, status, child->was_ready);

    child->pid = 0;
    if (child->recorder >= 0)
        close(child->recorder);
    child->recorder = -1;
    if (wish && child->wanted)
        again(child);
    else
        set_state(child, CHILD_DOWN, 0);
}

static void start(struct child *child)
{
    int error;

    mem_free(child->last_words);
    child->last_words = NULL;
    child->was_ready = child->dead = false;
    child->started_ns = clock_mono_ns();
    child->ready_ns = child->boot_ns = 0;
    error = child->role->spawn(child);
    if (error == 0) {
        set_state(child, CHILD_BOOTING, 0);
        return;
    }
    must(child->pid == 0);
    channel_fini(&child->channel);
    output_fini(&child->output);
    child->failed_boots++;
    lost(child, error);
}

static void become_up(struct child *child)
{
    child->was_ready = true;
    child->ready_ns = clock_mono_ns();
    set_state(child, CHILD_UP, 0);
}

static void give_up(struct child *child)
{
    set_state(child, CHILD_DOWN, 0);
}

/* It may be leaving by itself already: then only the grace changes. */
static void renew_grace(struct child *child)
{
    set_state(child, CHILD_STOPPING, child->grace_ns > 0 ? child->grace_ns : 1);
}

static void ask_to_stop(struct child *child)
{
    renew_grace(child);
    child->role->stop(child);
}

/* Nobody can command a process whose channel has ended: most often it is about to be reaped. */
static void leave(struct child *child)
{
    if (child->pid == 0)
        never_came(child);
    else
        set_state(child, CHILD_STOPPING, CHILD_LEAVE_NS);
}

static void leave_at_last(struct child *child)
{
    if (child->pid == 0)
        never_came(child);
}

static void too_slow(struct child *child)
{
    log_event(child->log, LOG_WARNING, "a process did not end in time: killed", LOG_Z("child", child->title),
              LOG_N("pid", child->pid));
    send_kill(child);
}

/* Reaped, and everything it had said has been read. */
static void after_exit(struct child *child)
{
    /* Who was ready once is replaced at once, however young: each moment without it costs somebody a request. */
    child->failed_boots = child->was_ready ? 0 : child->failed_boots + 1;
    channel_fini(&child->channel);
    output_fini(&child->output);
    lost(child, child->exit_status);
}

static void (*const table[CHILD_STATE_COUNT][CHILD_EVENT_COUNT])(struct child *) = {
    [CHILD_DOWN] = {
        [CHILD_EV_START] = start,
        [CHILD_EV_STOP] = ignore,
        [CHILD_EV_KILL] = ignore,
    },
    [CHILD_PAUSED] = {
        [CHILD_EV_STOP] = give_up,
        [CHILD_EV_KILL] = ignore,
        [CHILD_EV_TIMER] = start,
    },
    [CHILD_BOOTING] = {
        [CHILD_EV_STOP] = ask_to_stop,
        [CHILD_EV_KILL] = send_kill,
        [CHILD_EV_READY] = become_up,
        [CHILD_EV_FAILED] = ignore, /* the words are kept; its exit follows */
        [CHILD_EV_OTHER] = ignore,
        [CHILD_EV_HANGUP] = leave,
        [CHILD_EV_EXIT] = after_exit,
    },
    [CHILD_UP] = {
        [CHILD_EV_STOP] = ask_to_stop,
        [CHILD_EV_KILL] = send_kill,
        [CHILD_EV_OTHER] = ignore,
        [CHILD_EV_HANGUP] = leave,
        [CHILD_EV_EXIT] = after_exit,
        /* READY and FAILED: once, and before. */
    },
    [CHILD_STOPPING] = {
        [CHILD_EV_STOP] = renew_grace,
        [CHILD_EV_KILL] = send_kill,
        [CHILD_EV_TIMER] = too_slow,
        [CHILD_EV_READY] = ignore, /* crossed our wish on its way */
        [CHILD_EV_FAILED] = ignore,
        [CHILD_EV_OTHER] = ignore,
        [CHILD_EV_HANGUP] = leave_at_last,
        [CHILD_EV_EXIT] = after_exit,
    },
    [CHILD_KILLED] = {
        [CHILD_EV_STOP] = ignore,
        [CHILD_EV_KILL] = ignore,
        [CHILD_EV_READY] = ignore, /* said before the signal arrived */
        [CHILD_EV_FAILED] = ignore,
        [CHILD_EV_OTHER] = ignore,
        [CHILD_EV_HANGUP] = ignore,
        [CHILD_EV_EXIT] = after_exit,
    },
};

/* False: the event means nothing in this state. */
static bool happen(struct child *child, enum child_event event)
{
    void (*cell)(struct child *) = table[child->state][event];

    if (cell == NULL)
        return false;
    cell(child);
    return true;
}

/* ---- what the child says ---- */

static void broke_rules(struct child *child, const char *what)
{
    log_event(child->log, LOG_ERROR, "a process broke the rules of its channel: killed", LOG_Z("child", child->title),
              LOG_N("pid", child->pid), LOG_Z("said", what), LOG_Z("state", child_state_name(child->state)));
    if (child->state != CHILD_KILLED)
        send_kill(child);
}

static bool take_message(struct child *child, struct wire_message *message)
{
    enum child_state before = child->state;

    switch (message->type) {
    case WIRE_READY:
        if ((child->pid == 0 && before == CHILD_BOOTING) || !happen(child, CHILD_EV_READY))
            return false;
        child->boot_ns = message->number;
        if (before == CHILD_BOOTING)
            child->role->ready(child, message);
        return true;
    case WIRE_BOOT_FAILED:
        if (!happen(child, CHILD_EV_FAILED))
            return false;
        if (child->last_words == NULL)
            child->last_words = str_dup(message->text);
        return true;
    default:
        if (!happen(child, CHILD_EV_OTHER))
            return false;
        return (before != CHILD_BOOTING && before != CHILD_UP) || child->role->message(child, message);
    }
}

static void on_message(struct channel *channel, struct wire_message *message)
{
    struct child *child = channel->owner;

    if (!take_message(child, message))
        broke_rules(child, wire_name(message->type));
}

static void on_close(struct channel *channel, int error)
{
    struct child *child = channel->owner;

    if (error != 0)
        broke_rules(child, strerror(-error));
    else
        (void)happen(child, CHILD_EV_HANGUP);
}

static const struct channel_handlers handlers = { on_message, on_close };

int child_set_channel(struct child *child, int fd, const char *route)
{
    int error = channel_init(&child->channel, child->loop, fd, route, &handlers);

    child->channel.owner = child;
    return error;
}

/* ---- the owner's side ---- */

static void on_timer(struct loop_timer *timer)
{
    (void)happen(CONTAINER_OF(timer, struct child, timer), CHILD_EV_TIMER);
}

void child_init(struct child *child, const struct role *role, struct loop *loop, struct log *log)
{
    *child = (struct child){ .role = role, .loop = loop, .log = log, .title = role->name };
    child->channel.fd = -1;
    child->output.fd = -1;
    child->recorder = -1;
    loop_timer_init(&child->timer, on_timer);
}

void child_start(struct child *child)
{
    must(child->state == CHILD_DOWN);
    child->wanted = true;
    child->restarts = child->failed_boots = 0;
    (void)happen(child, CHILD_EV_START);
}

int child_restore(struct child *child, const struct child_past *past, const char *route)
{
    int error;

    must(child->state == CHILD_DOWN && past->pid > 0);
    child->wanted = true;
    child->was_ready = past->ready;
    child->pid = past->pid;
    child->started_ns = past->started_ns;
    child->ready_ns = past->ready_ns;
    child->boot_ns = past->boot_ns;
    child->restarts = past->restarts;
    child->recorder = past->recorder;
    child->oom_kills = oom_kills();
    error = child_set_channel(child, past->channel, route);
    if (error == 0 && past->output >= 0)
        error = output_init(&child->output, child->loop, past->output, child->log, child->title);
    set_state(child, past->ready ? CHILD_UP : CHILD_BOOTING, 0);
    return error;
}

void child_stop(struct child *child, uint64_t grace_ns)
{
    child->wanted = false;
    child->grace_ns = grace_ns;
    (void)happen(child, CHILD_EV_STOP);
}

void child_kill(struct child *child, const char *why)
{
    if (child->pid > 0 && child->state != CHILD_KILLED)
        log_event(child->log, LOG_WARNING, "a process is killed", LOG_Z("child", child->title),
                  LOG_N("pid", child->pid), LOG_Z("why", why));
    (void)happen(child, CHILD_EV_KILL);
}

void child_reaped(struct child *child, int status)
{
    child->exit_status = status;
    child->dead = true;            /* its pid may be another's now */
    channel_pump(&child->channel); /* its last words: they may change the state */
    output_drain(&child->output);
    must(happen(child, CHILD_EV_EXIT));
}

void child_fini(struct child *child)
{
    must(child->state == CHILD_DOWN);
    loop_timer_stop(child->loop, &child->timer);
    channel_fini(&child->channel);
    output_fini(&child->output);
    mem_free(child->last_words);
    child->last_words = NULL;
}
