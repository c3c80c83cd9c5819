/* Datagrams to the service manager. */
#include "os/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Abstract names are counted, not terminated: every byte of the length is part of them. */
static int make_address(const char *name, struct sockaddr_un *addr, socklen_t *len)
{
    size_t n = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(addr->sun_path))
        return -EINVAL;
    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(addr->sun_path, name, n);
    if (name[0] == '@')
        addr->sun_path[0] = '\0';
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/' ? 1 : 0));
    return 0;
}

int notify_send(const char *socket_name, struct str message)
{
    struct sockaddr_un addr;
    socklen_t len;
    int r = make_address(socket_name, &addr, &len);
    int fd;

    if (r != 0)
        return r;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (sendto(fd, message.p, message.n, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&addr, len) < 0)
        r = -errno;
    close(fd);
    return r;
}
