/*
 * The event loop: see loop.h for the phases.
 *
 * Why our own: it is 250 lines, allocates nothing while it runs, and its close phase is what the ownership rules of the
 * whole program stand on. epoll_pwait2 takes nanoseconds, so that a timer is never a millisecond early or late; kernels
 * without it (before 5.11) get epoll_wait and rounded-up milliseconds.
 *
 * epoll_event.data.ptr is the loop_io. When one is removed, the events of the same batch that have not been dispatched yet
 * are searched for it and cleared: O(batch), but only while dispatching, and no generation has to be kept anywhere.
 */
#include "os/loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define LOOP_BATCH 256 /* events fetched at once */

struct loop {
    int epoll_fd; /* owned */
    struct loop_io wake;
    struct heap timers;
    struct list tasks; /* struct loop_task.link: deferred to the end of this turn */
    struct loop_hooks hooks;
    uint64_t now;
    size_t n_io; /* registered, the wake-up included */
    int next_event, n_events;
    int few_fd;       /* owned: an epoll descriptor with those of loop_few_add alone */
    bool few;         /* this turn's sleep is for them */
    uint32_t n_found; /* events of this turn */
    bool stop;
    bool no_pwait2; /* the kernel said ENOSYS */
    struct epoll_event events[LOOP_BATCH];
};

/* ---- descriptors ---- */

static int control(struct loop *loop, struct loop_io *io, int op, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = io };

    return epoll_ctl(loop->epoll_fd, op, io->fd, &ev) == 0 ? 0 : -errno;
}

int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events)
{
    int r;

    must(io->fn != NULL);
    io->fd = fd;
    r = control(loop, io, EPOLL_CTL_ADD, events);
    if (r < 0)
        io->fd = -1;
    else
        loop->n_io++;
    return r;
}

int loop_io_change(struct loop *loop, struct loop_io *io, uint32_t events)
{
    must(io->fd >= 0);
    return control(loop, io, EPOLL_CTL_MOD, events);
}

void loop_io_remove(struct loop *loop, struct loop_io *io)
{
    if (io->fd < 0)
        return;
    must(control(loop, io, EPOLL_CTL_DEL, 0) == 0); /* else the owner closed it first: a stale event could come later */
    loop_io_forget(loop, io);
}

void loop_io_forget(struct loop *loop, struct loop_io *io)
{
    if (io->fd < 0)
        return;
    io->fd = -1;
    loop->n_io--;
    for (int i = loop->next_event; i < loop->n_events; i++)
        if (loop->events[i].data.ptr == io)
            loop->events[i].data.ptr = NULL;
}

/* ---- timers ---- */

static struct loop_timer *timer_of(struct heap_node *node)
{
    return CONTAINER_OF(node, struct loop_timer, node);
}

void loop_timer_init(struct loop_timer *timer, loop_timer_fn *fn)
{
    heap_node_init(&timer->node);
    timer->deadline = 0;
    timer->fn = fn;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns)
{
    if (delay_ns == 0)
        delay_ns = 1; /* due in the next turn: a timer that sets itself to 0 must not hold this one for ever */
    timer->deadline = delay_ns > UINT64_MAX - loop->now ? UINT64_MAX : loop->now + delay_ns;
    if (timer->node.index != HEAP_NONE && timer->node.key <= timer->deadline)
        return;
    heap_remove(&loop->timers, &timer->node);
    heap_insert(&loop->timers, &timer->node, timer->deadline);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    heap_remove(&loop->timers, &timer->node);
    timer->deadline = 0;
}

void loop_timer_rest(struct loop_timer *timer)
{
    timer->deadline = 0;
}

int loop_timer_reserve(struct loop *loop, size_t n)
{
    return heap_reserve(&loop->timers, n);
}

bool loop_timer_armed(const struct loop_timer *timer)
{
    return timer->deadline != 0;
}

/* Whether any fired. */
static bool run_timers(struct loop *loop)
{
    struct heap_node *node;
    bool fired = false;

    while ((node = heap_min(&loop->timers)) != NULL && node->key <= loop->now) {
        struct loop_timer *timer = timer_of(node);

        heap_remove(&loop->timers, node);
        if (timer->deadline == 0) /* rests */
            continue;
        if (timer->deadline > loop->now) { /* was set to later meanwhile */
            heap_insert(&loop->timers, node, timer->deadline);
            continue;
        }
        timer->deadline = 0;
        fired = true;
        timer->fn(timer);
    }
    return fired;
}

/* ---- tasks ---- */

void loop_task_init(struct loop_task *task, loop_task_fn *fn)
{
    list_init(&task->link);
    task->fn = fn;
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
    if (!list_linked(&task->link))
        list_push_back(&loop->tasks, &task->link);
}

/* Only those queued when the phase begins: what they defer runs in the next turn, which then does not sleep. */
static void run_tasks(struct loop *loop)
{
    struct list batch, *link;

    if (list_empty(&loop->tasks))
        return;
    list_insert_between(&batch, loop->tasks.prev, loop->tasks.next); /* takes the head's place in the ring */
    list_init(&loop->tasks);
    while ((link = list_pop_front(&batch)) != NULL) {
        struct loop_task *task = CONTAINER_OF(link, struct loop_task, link);

        task->fn(task);
    }
}

/* ---- the loop ---- */

/* Edge-triggered: each write to the eventfd is one event, and nobody has to read it. */
static void on_wake(struct loop_io *io, uint32_t events)
{
    (void)io;
    (void)events;
}

int loop_new(struct loop **out)
{
    struct loop *loop = mem_zalloc(sizeof(*loop));
    int fd = -1, r;

    loop->wake = (struct loop_io){ .fd = -1, .fn = on_wake };
    loop->now = clock_mono_ns();
    heap_init(&loop->timers);
    list_init(&loop->tasks);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->few_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->few_fd < 0) {
        r = -errno;
        goto fail;
    }
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = fd < 0 ? -errno : loop_io_add(loop, &loop->wake, fd, EPOLLIN | EPOLLET);
    if (r < 0)
        goto fail;
    *out = loop;
    return 0;
fail:
    if (fd >= 0)
        close(fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->few_fd >= 0)
        close(loop->few_fd);
    mem_free(loop);
    return r;
}

void loop_free(struct loop *loop)
{
    int wake_fd = loop->wake.fd;

    while (!list_empty(&loop->tasks))
        run_tasks(loop);
    loop_io_remove(loop, &loop->wake);
    must(loop->n_io == 0);
    close(wake_fd);
    close(loop->epoll_fd);
    close(loop->few_fd);
    heap_fini(&loop->timers);
    mem_free(loop);
}

void loop_set_hooks(struct loop *loop, const struct loop_hooks *hooks)
{
    loop->hooks = *hooks;
}

/* Nanoseconds this turn may sleep; UINT64_MAX: until something happens. */
static uint64_t sleep_limit(struct loop *loop)
{
    uint64_t limit = loop->hooks.before_wait != NULL ? loop->hooks.before_wait(loop->hooks.arg) : UINT64_MAX;
    struct heap_node *first;
    uint64_t now;

    if (loop->stop || limit == 0 || !list_empty(&loop->tasks))
        return 0;
    first = heap_min(&loop->timers);
    if (first == NULL || first->key == UINT64_MAX)
        return limit;
    now = clock_mono_ns(); /* loop->now is older than the callbacks of this turn */
    if (first->key <= now)
        return 0;
    return first->key - now < limit ? first->key - now : limit;
}

/* epoll_wait's milliseconds, rounded up: a timer may be late, never early. */
static int to_ms(uint64_t ns)
{
    if (ns == UINT64_MAX)
        return -1;
    if (ns / NS_PER_MS >= INT_MAX - 1)
        return INT_MAX;
    return (int)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int wait_on(struct loop *loop, int epoll_fd, int max, uint64_t limit)
{
    struct timespec ts = { .tv_sec = (time_t)(limit / NS_PER_SEC), .tv_nsec = (long)(limit % NS_PER_SEC) };
    int n;

    if (!loop->no_pwait2) {
        n = epoll_pwait2(epoll_fd, loop->events, max, limit == UINT64_MAX ? NULL : &ts, NULL);
        if (n >= 0 || errno != ENOSYS)
            return n;
        loop->no_pwait2 = true;
    }
    return epoll_wait(epoll_fd, loop->events, max, to_ms(limit));
}

static int wait_events(struct loop *loop, uint64_t limit)
{
    bool few = loop->few && limit > 0;

    loop->few = false;
    if (few && wait_on(loop, loop->few_fd, 1, limit) < 0)
        return -1;
    if (few)
        limit = 0;
    return wait_on(loop, loop->epoll_fd, LOOP_BATCH, limit);
}

static void dispatch(struct loop *loop)
{
    while (loop->next_event < loop->n_events) {
        struct epoll_event *ev = &loop->events[loop->next_event++];
        struct loop_io *io = ev->data.ptr;

        if (io != NULL)
            io->fn(io, ev->events);
    }
    loop->next_event = loop->n_events = 0;
}

void loop_once(struct loop *loop)
{
    bool fired;
    uint64_t limit;
    int n;

    loop->now = clock_mono_ns();
    fired = run_timers(loop);
    limit = sleep_limit(loop);
    n = wait_events(loop, fired ? 0 : limit);
    must(n >= 0 || errno == EINTR);
    loop->now = clock_mono_ns();
    loop->n_events = n > 0 ? n : 0; /* before the hook, which may remove some of those that have come */
    loop->n_found = (uint32_t)loop->n_events;
    if (loop->hooks.after_wait != NULL)
        loop->hooks.after_wait(loop->hooks.arg);
    dispatch(loop);
    run_tasks(loop);
}

int loop_few_add(struct loop *loop, int fd)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

    return epoll_ctl(loop->few_fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

void loop_few_remove(struct loop *loop, int fd)
{
    must(epoll_ctl(loop->few_fd, EPOLL_CTL_DEL, fd, NULL) == 0);
}

void loop_sleep_for_few(struct loop *loop)
{
    loop->few = true;
}

uint32_t loop_found(const struct loop *loop)
{
    return loop->n_found;
}

void loop_run(struct loop *loop)
{
    while (!loop->stop)
        loop_once(loop);
    while (!list_empty(&loop->tasks)) /* what the last close phase has closed is freed too: no turn comes any more */
        run_tasks(loop);
    loop->stop = false;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}

void loop_wake(struct loop *loop)
{
    if (eventfd_write(loop->wake.fd, 1) < 0) {
        /* The counter is full after 2^64 wakes: there is an event, then. */
    }
}

uint64_t loop_now(const struct loop *loop)
{
    return loop->now;
}
