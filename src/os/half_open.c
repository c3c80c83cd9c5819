/* Half-open connections by sock_diag(7): a dump of the states before ESTABLISHED, of one port. */
#include "os/half_open.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/sock.h"

#define TCP_NEW_SYN_RECV 12 /* what the kernel calls them since 4.4; no header of ours does */
#define ANSWER_BYTES 8192   /* the kernel sends no more at once */

struct query {
    struct nlmsghdr head;
    struct inet_diag_req_v2 what;
};

static int ask(int fd, int family, uint16_t port)
{
    struct query q = {
        .head = { .nlmsg_len = sizeof(q),
                  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .what = { .sdiag_family = (uint8_t)family,
                  .sdiag_protocol = IPPROTO_TCP,
                  .idiag_states = 1u << TCP_SYN_RECV | 1u << TCP_NEW_SYN_RECV,
                  .id.idiag_sport = htons(port) },
    };

    return send(fd, &q, sizeof(q), 0) < 0 ? -errno : 0;
}

/* One part of the answer. 1: that was all; 0: there is more; -errno. */
static int count_part(const struct nlmsghdr *m, size_t left, int *n)
{
    for (; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
        if (m->nlmsg_type == NLMSG_DONE)
            return 1;
        if (m->nlmsg_type == NLMSG_ERROR)
            return m->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))
                       ? -EPROTO
                       : ((const struct nlmsgerr *)NLMSG_DATA(m))->error;
        if (m->nlmsg_type == SOCK_DIAG_BY_FAMILY)
            ++*n;
    }
    return 0;
}

static int count(int fd)
{
    alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    int n = 0, r;

    do {
        ssize_t got = recv(fd, answer, sizeof(answer), 0);

        if (got <= 0)
            return got < 0 ? -errno : -EPROTO;
        r = count_part((const struct nlmsghdr *)answer, (size_t)got, &n);
    } while (r == 0);
    return r < 0 ? r : n;
}

int half_open(int listener)
{
    const struct timeval patience = { .tv_sec = 1 }; /* the kernel answers at once; nothing may hold a lane for ever */
    union sock_addr addr;
    socklen_t len;
    int r = sock_local(listener, &addr, &len), fd;

    if (r != 0 || addr.sa.sa_family == AF_UNIX)
        return r;
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return -errno;
    r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ? -errno : 0;
    if (r == 0)
        r = ask(fd, addr.sa.sa_family, sock_port(&addr));
    if (r == 0)
        r = count(fd);
    close(fd);
    return r;
}
