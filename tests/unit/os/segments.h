/* For tests of what leaves together: packets with data or a FIN that a TCP socket has got. */
#ifndef QUINTET_TESTS_SEGMENTS_H
#define QUINTET_TESTS_SEGMENTS_H

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

static inline unsigned segments_in(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_segs_in : 0;
}

#endif
