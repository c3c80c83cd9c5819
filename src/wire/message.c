/*
 * Messages as datagrams: one fixed head, the text behind it, the descriptors beside it.
 *
 * Both ends are the same build on the same machine (or the extension built with it), so the head is the struct itself. What a datagram may
 * carry is decided by its row in WIRE_LIST alone: parse refuses everything else before anybody acts on it.
 */
#include "wire/message.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire_head {
    uint32_t type;
    uint32_t generation;
    uint32_t worker;
    int32_t pid;
    uint64_t number;
};

static_assert(sizeof(struct wire_head) == 24, "the head has no padding");

struct wire_row {
    const char *name;
    char from, to;
    size_t least, most; /* descriptors */
};

static const struct wire_row rows[WIRE_COUNT] = {
#define X(name, from, to, least, most) [WIRE_##name] = { #name, from, to, least, most },
    WIRE_LIST(X)
#undef X
};

const char *wire_name(enum wire_type type)
{
    if ((unsigned)type >= WIRE_COUNT || rows[type].name == NULL)
        return "?";
    return rows[type].name;
}

/* The only gate: `out` has the descriptors already. */
static int take_head(const struct wire_head *head, struct str text, const char *route, struct wire_message *out)
{
    const struct wire_row *row;

    if (head->type >= WIRE_COUNT || text.n > WIRE_TEXT_MAX)
        return -EPROTO;
    row = &rows[head->type];
    if (row->name == NULL || (row->from != '*' && row->from != route[0]) || row->to != route[1])
        return -EPROTO;
    if (out->n_fds < row->least || out->n_fds > row->most)
        return -EPROTO;
    out->type = (enum wire_type)head->type;
    out->generation = head->generation;
    out->worker = head->worker;
    out->pid = head->pid;
    out->number = head->number;
    out->text = text;
    return 0;
}

/* Room for descriptors in a control message, aligned as cmsghdr wants it. */
union wire_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
};

static void control_put(struct msghdr *msg, union wire_control *control, const struct wire_message *message)
{
    struct cmsghdr *cmsg;

    memset(control, 0, sizeof(*control));
    msg->msg_control = control->bytes;
    msg->msg_controllen = CMSG_SPACE(sizeof(int) * message->n_fds);
    cmsg = CMSG_FIRSTHDR(msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int) * message->n_fds);
    memcpy(CMSG_DATA(cmsg), message->fds, sizeof(int) * message->n_fds);
}

int wire_send(int fd, const struct wire_message *message)
{
    struct wire_head head = { (uint32_t)message->type, message->generation, message->worker, message->pid,
                              message->number };
    struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)(uintptr_t)message->text.p, message->text.n } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = message->text.n > 0 ? 2 : 1 };
    union wire_control control;
    ssize_t n;

    must(message->type > WIRE_NONE && message->type < WIRE_COUNT);
    must(message->n_fds >= rows[message->type].least && message->n_fds <= rows[message->type].most);
    must(message->text.n <= WIRE_TEXT_MAX);
    if (message->n_fds > 0)
        control_put(&msg, &control, message);
    do
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    /* A peer that closed with something unread leaves ECONNRESET behind: for the sender that is the same as EPIPE. */
    if (n < 0)
        return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
    return 0;
}

/* Descriptors of a received control message; those past our array are closed (the kernel cuts there anyway). */
static void control_take(struct msghdr *msg, struct wire_message *out)
{
    out->n_fds = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        size_t n;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (out->n_fds < WIRE_FDS_MAX)
                out->fds[out->n_fds++] = fd;
            else
                close(fd);
        }
    }
}

/* recvmsg that survives EINTR, and the ECONNRESET that a peer leaves when it closed with messages of ours unread: the kernel reports it
 * once, ahead of what the peer had said, so the next call reads on. */
static ssize_t receive_datagram(int fd, struct msghdr *msg, int flags)
{
    int resets = 0;

    for (;;) {
        ssize_t n = recvmsg(fd, msg, flags | MSG_CMSG_CLOEXEC);

        if (n >= 0)
            return n;
        if (errno != EINTR && (errno != ECONNRESET || ++resets > 2))
            return -errno;
    }
}

int wire_receive(int fd, const char *route, int flags, char *text, struct wire_message *out)
{
    struct wire_head head;
    char more; /* one byte more than is allowed, so that a longer text is seen and refused */
    struct iovec iov[3] = { { &head, sizeof(head) }, { text, WIRE_TEXT_MAX }, { &more, sizeof(more) } };
    union wire_control control;
    struct msghdr msg = {
        .msg_iov = iov, .msg_iovlen = 3, .msg_control = control.bytes, .msg_controllen = sizeof(control)
    };
    ssize_t n = receive_datagram(fd, &msg, flags);

    memset(out, 0, sizeof(*out));
    if (n < 0)
        return (int)n;
    control_take(&msg, out);
    if (n == 0 && out->n_fds == 0)
        return 0;
    if ((size_t)n >= sizeof(head) && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
        take_head(&head, str_make(text, (size_t)n - sizeof(head)), route, out) == 0)
        return 1;
    wire_close_fds(out);
    return -EPROTO;
}

void wire_close_fds(struct wire_message *message)
{
    for (size_t i = 0; i < message->n_fds; i++) {
        if (message->fds[i] >= 0)
            close(message->fds[i]);
        message->fds[i] = -1;
    }
    message->n_fds = 0;
}

int wire_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0 ? 0 : -errno;
}
