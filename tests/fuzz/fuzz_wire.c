/* Any bytes as a datagram, with some descriptors, on any route: received, refused, nothing left open. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int pair[2] = { -1, -1 };
static char text[WIRE_TEXT_MAX];

/* As wire_send does, without its checks. */
static void send_raw(const uint8_t *data, size_t size, size_t n_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 32)];
    } control = { 0 };
    struct iovec iov = { (void *)(uintptr_t)data, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (n_fds > 0) {
        struct cmsghdr *cmsg = &control.align;

        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        for (size_t i = 0; i < n_fds; i++)
            memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &pair[0], sizeof(int));
    }
    if (sendmsg(pair[0], &msg, MSG_DONTWAIT) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const routes[] = { "SE", "ES", "SW", "WS", "EW", "WE" };
    struct wire_message m;
    int highest, r;

    if (size < 2 || size > WIRE_TEXT_MAX + 64)
        return 0;
    if (pair[0] < 0 && wire_pair(pair) != 0)
        abort();
    highest = dup(pair[0]);
    close(highest);
    send_raw(data + 2, size - 2, data[0] % 33);
    r = wire_receive(pair[1], routes[data[1] % 6], MSG_DONTWAIT, text, &m);
    if (r == 1) {
        if (m.type <= WIRE_NONE || m.type >= WIRE_COUNT || m.text.n > WIRE_TEXT_MAX || m.n_fds > WIRE_FDS_MAX)
            abort();
        wire_close_fds(&m);
    }
    r = dup(pair[0]);
    close(r);
    if (r != highest) /* the lowest free number has moved: a descriptor was left open */
        abort();
    return 0;
}
