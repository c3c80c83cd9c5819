/*
 * A message socket in an event loop: receives whole messages, queues what cannot be sent yet.
 *
 * Both ends are non-blocking. The queue holds at most CHANNEL_QUEUE_MAX messages (descriptors duplicated); past that, or on
 * any error, on_close is called once in the loop's close phase: the peer is hung or gone. Whatever the peer had said before it
 * went is delivered first. channel_fini may be called in either handler (message->text ends there); the memory of the channel
 * itself must stay until the close phase. One thread.
 */
#ifndef QUINTET_WIRE_CHANNEL_H
#define QUINTET_WIRE_CHANNEL_H

#include <stdbool.h>

#include "base/list.h"
#include "os/loop.h"
#include "wire/message.h"

#define CHANNEL_QUEUE_MAX 1024

struct channel;

struct channel_handlers {
    /* Takes what it wants of message->fds by setting entries to -1; the rest is closed after the call. */
    void (*on_message)(struct channel *channel, struct wire_message *message);
    void (*on_close)(struct channel *channel, int error); /* 0: orderly end; else -errno */
};

struct channel {
    struct loop *loop; /* borrowed */
    struct loop_io io;
    struct loop_task close_task;
    const struct channel_handlers *handlers;
    void *owner;       /* the handlers' own */
    struct list queue; /* unsent messages, owned */
    size_t queued;
    int error;
    char route[3]; /* of what we receive, as in wire_receive */
    bool deaf;     /* the peer takes nothing any more; what it said before is still to be read */
    int fd;        /* owned; -1 after channel_fini */
    char *text;    /* owned receive buffer */
};

/* Takes fd over, also when it fails; makes it non-blocking. `route`: whose messages to whom are received here, such as "SE".
 * 0 or -errno. */
MUST_CHECK int channel_init(struct channel *channel, struct loop *loop, int fd, const char *route,
                            const struct channel_handlers *handlers);
/* Sends or queues; descriptors stay the caller's. Failure is reported by on_close. */
void channel_send(struct channel *channel, const struct wire_message *message);
/* Shorthand for messages that carry numbers only. */
void channel_tell(struct channel *channel, enum wire_type type, uint32_t generation, uint32_t worker);
/* Delivers what has arrived so far, now instead of in the loop's next turn: for a peer that has just died. */
void channel_pump(struct channel *channel);
/* Out of the loop, closed, queue dropped; on_close is not called. Again is harmless. */
void channel_fini(struct channel *channel);

#endif
