/*
 * A message socket in the loop.
 *
 * Level-triggered: at most TURN_MAX messages are taken a turn, so a chattering child cannot keep the loop from the others.
 * A send that fails because the peer is gone makes the channel deaf, not closed: what the peer said before it died (a traceback, often)
 * is still in the socket, and the end of it is what closes the channel.
 */
#include "wire/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define TURN_MAX 64

/* A message that waits for room in the socket. */
struct queued {
    struct list link;
    struct wire_message message; /* fds: our duplicates */
    char text[];
};

static void queued_free(struct queued *q)
{
    wire_close_fds(&q->message);
    mem_free(q);
}

static void drop_queue(struct channel *channel)
{
    struct list *link;

    while ((link = list_pop_front(&channel->queue)) != NULL)
        queued_free(CONTAINER_OF(link, struct queued, link));
    channel->queued = 0;
}

/* Nothing is heard or sent from here on; on_close follows in the close phase. */
static void channel_end(struct channel *channel, int error)
{
    if (channel->io.fd < 0)
        return;
    loop_io_remove(channel->loop, &channel->io);
    drop_queue(channel);
    channel->deaf = true;
    channel->error = error;
    loop_defer(channel->loop, &channel->close_task);
}

static void run_close(struct loop_task *task)
{
    struct channel *channel = CONTAINER_OF(task, struct channel, close_task);

    channel->handlers->on_close(channel, channel->error);
}

static void watch(struct channel *channel, bool for_room)
{
    int error = loop_io_change(channel->loop, &channel->io, for_room ? EPOLLIN | EPOLLOUT : EPOLLIN);

    if (error != 0)
        channel_end(channel, error);
}

static void go_deaf(struct channel *channel)
{
    drop_queue(channel);
    channel->deaf = true;
    watch(channel, false);
}

/* -EPIPE: what it has said is still to be read. */
static void send_failed(struct channel *channel, int error)
{
    if (error == -EPIPE)
        go_deaf(channel);
    else
        channel_end(channel, error);
}

static void flush(struct channel *channel)
{
    while (!list_empty(&channel->queue)) {
        struct queued *q = CONTAINER_OF(channel->queue.next, struct queued, link);
        int error = wire_send(channel->fd, &q->message);

        if (error == -EAGAIN)
            return;
        if (error != 0) {
            send_failed(channel, error);
            return;
        }
        list_remove(&q->link);
        queued_free(q);
        channel->queued--;
    }
    watch(channel, false);
}

static void receive(struct channel *channel, int most)
{
    for (int i = 0; i < most && channel->io.fd >= 0; i++) {
        struct wire_message message;
        int r = wire_receive(channel->fd, channel->route, MSG_DONTWAIT, channel->text, &message);

        if (r == -EAGAIN)
            return;
        if (r <= 0) {
            channel_end(channel, r);
            return;
        }
        channel->handlers->on_message(channel, &message);
        wire_close_fds(&message);
    }
}

static void on_io(struct loop_io *io, uint32_t events)
{
    struct channel *channel = CONTAINER_OF(io, struct channel, io);

    if ((events & EPOLLOUT) && !channel->deaf)
        flush(channel);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(channel, TURN_MAX);
}

int channel_init(struct channel *channel, struct loop *loop, int fd, const char *route,
                 const struct channel_handlers *handlers)
{
    int flags = fcntl(fd, F_GETFL);
    int error;

    *channel = (struct channel){ .loop = loop, .handlers = handlers, .fd = fd, .io = { .fd = -1, .fn = on_io } };
    channel->route[0] = route[0];
    channel->route[1] = route[1];
    list_init(&channel->queue);
    loop_task_init(&channel->close_task, run_close);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        error = -errno;
    else
        error = loop_io_add(loop, &channel->io, fd, EPOLLIN);
    if (error != 0) {
        close(fd);
        channel->fd = -1;
        return error;
    }
    channel->text = mem_alloc(WIRE_TEXT_MAX);
    return 0;
}

static int enqueue(struct channel *channel, const struct wire_message *message)
{
    struct queued *q;

    if (channel->queued >= CHANNEL_QUEUE_MAX)
        return -ENOBUFS;
    q = mem_alloc(sizeof(*q) + message->text.n);
    q->message = *message;
    q->message.n_fds = 0;
    for (size_t i = 0; i < message->n_fds; i++) {
        int fd = fcntl(message->fds[i], F_DUPFD_CLOEXEC, 0);
        int error = -errno;

        if (fd < 0) {
            queued_free(q);
            return error;
        }
        q->message.fds[q->message.n_fds++] = fd;
    }
    if (message->text.n > 0)
        memcpy(q->text, message->text.p, message->text.n);
    q->message.text = str_make(q->text, message->text.n);
    list_push_back(&channel->queue, &q->link);
    channel->queued++;
    return 0;
}

void channel_send(struct channel *channel, const struct wire_message *message)
{
    int error = -EAGAIN;

    if (channel->deaf || channel->fd < 0)
        return;
    if (list_empty(&channel->queue)) {
        error = wire_send(channel->fd, message);
        if (error == -EAGAIN)
            watch(channel, true);
    }
    if (error == -EAGAIN && !channel->deaf)
        error = enqueue(channel, message);
    if (error != 0)
        send_failed(channel, error);
}

void channel_tell(struct channel *channel, enum wire_type type, uint32_t generation, uint32_t worker)
{
    struct wire_message message = { .type = type, .generation = generation, .worker = worker };

    channel_send(channel, &message);
}

void channel_pump(struct channel *channel)
{
    if (channel->fd >= 0)
        receive(channel, INT_MAX);
}

void channel_fini(struct channel *channel)
{
    if (channel->fd < 0)
        return;
    if (channel->io.fd >= 0)
        loop_io_remove(channel->loop, &channel->io);
    list_remove(&channel->close_task.link);
    drop_queue(channel);
    close(channel->fd);
    mem_free(channel->text);
    channel->fd = -1;
    channel->text = NULL;
}
