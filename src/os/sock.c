/* Sockets and addresses: see sock.h. */
#include "os/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digits.h"

/* ---- --bind ---- */

static int parse_unix(struct str path, struct sock_spec *out)
{
    if (path.n == 0 || str_find(path, '\0') >= 0)
        return -EINVAL;
    if (path.n >= sizeof(out->addr.un.sun_path))
        return -ENAMETOOLONG;
    out->kind = SOCK_KIND_UNIX;
    out->addr.un.sun_family = AF_UNIX;
    memcpy(out->addr.un.sun_path, path.p, path.n);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return 0;
}

static int parse_fd(struct str number, struct sock_spec *out)
{
    uint64_t fd;

    if (str_to_u64(number, 0xffff, &fd) < 0)
        return -EINVAL;
    out->kind = SOCK_KIND_FD;
    out->fd = (int)fd;
    return 0;
}

/* inet_pton wants a NUL; no numeric address is longer than INET6_ADDRSTRLEN. */
static bool numeric(int family, struct str host, void *out)
{
    char text[INET6_ADDRSTRLEN];

    if (host.n == 0 || host.n >= sizeof(text) || str_find(host, '\0') >= 0)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(family, text, out) == 1;
}

static int set_in6(struct sock_spec *out, struct str host, uint16_t port)
{
    if (!numeric(AF_INET6, host, &out->addr.in6.sin6_addr))
        return -EADDRNOTAVAIL;
    out->addr.in6.sin6_family = AF_INET6;
    out->addr.in6.sin6_port = htons(port);
    out->len = sizeof(out->addr.in6);
    return 0;
}

static int set_in(struct sock_spec *out, struct str host, uint16_t port)
{
    if (host.n == 0)
        host = STR("0.0.0.0");
    else if (str_eq_nocase(host, STR("localhost")))
        host = STR("127.0.0.1");
    if (!numeric(AF_INET, host, &out->addr.in.sin_addr))
        return -EADDRNOTAVAIL;
    out->addr.in.sin_family = AF_INET;
    out->addr.in.sin_port = htons(port);
    out->len = sizeof(out->addr.in);
    return 0;
}

int sock_spec_parse(struct str text, struct sock_spec *out)
{
    ptrdiff_t colon = str_rfind(text, ':');
    struct str host;
    uint64_t port;

    memset(out, 0, sizeof(*out));
    out->fd = -1;
    if (str_starts(text, STR("unix:")))
        return parse_unix(str_cut(text, 5, text.n), out);
    if (str_starts(text, STR("fd://")))
        return parse_fd(str_cut(text, 5, text.n), out);
    if (colon < 0 || str_to_u64(str_cut(text, (size_t)colon + 1, text.n), 65535, &port) < 0)
        return -EINVAL;
    host = str_cut(text, 0, (size_t)colon);
    out->kind = SOCK_KIND_INET;
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        return set_in6(out, str_cut(host, 1, host.n - 1), (uint16_t)port);
    if (str_find(host, ':') >= 0 || str_find(host, '[') >= 0 || str_find(host, '/') >= 0)
        return -EINVAL; /* an IPv6 address needs its brackets: which colon ends it is a guess */
    return set_in(out, host, (uint16_t)port);
}

/* ---- listening ---- */

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

void sock_cork(int fd)
{
    (void)!set_int(fd, IPPROTO_TCP, TCP_CORK, 1);
}

/* What accepted sockets inherit. Without the second a client that does not read leaves megabytes in the kernel, and a thousand of them
 * exhaust the memory that TCP may have for everybody. */
static int set_inherited(int fd)
{
    int r = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);

    return r != 0 ? r : set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, SOCK_UNSENT_MAX);
}

/* And what binding needs. */
static int set_inet_options(int fd, int family)
{
    int r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);

    if (r == 0)
        r = set_inherited(fd);
    /* A file of 1 KB on a connection of its own: 30.9 µs without it, 21.6 with it. A kernel that cannot do it (gVisor) gives them at once. */
    (void)!set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, SOCK_DEFER_S);
    if (r == 0 && family == AF_INET6)
        r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* so that 0.0.0.0 and [::] can be bound side by side */
    return r;
}

/* Mode 0666 & ~umask: bind(2) alone makes it 0777 & ~umask, and a socket has no use for the x bits. */
static int drop_x_bits(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0 || chmod(path, st.st_mode & 0666) < 0)
        return -errno;
    return 0;
}

/* A socket file whose owner died without removing it. Asked by connecting, so that a live server is never robbed. */
static bool is_stale(const struct sock_spec *spec)
{
    struct stat st;
    bool stale;
    int fd;

    if (lstat(spec->addr.un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    stale = connect(fd, &spec->addr.sa, spec->len) < 0 && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static int bind_unix(int fd, const struct sock_spec *spec)
{
    if (bind(fd, &spec->addr.sa, spec->len) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    if (!is_stale(spec))
        return -EADDRINUSE;
    if (unlink(spec->addr.un.sun_path) < 0 || bind(fd, &spec->addr.sa, spec->len) < 0)
        return -errno;
    return 0;
}

static int get_int(int fd, int option, int *value)
{
    socklen_t len = sizeof(*value);

    return getsockopt(fd, SOL_SOCKET, option, value, &len) == 0 ? 0 : -errno;
}

static int listen_given(int fd)
{
    int listening, type, family, r;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -errno;
    r = get_int(fd, SO_ACCEPTCONN, &listening);
    if (r == 0)
        r = get_int(fd, SO_TYPE, &type);
    if (r == 0)
        r = get_int(fd, SO_DOMAIN, &family);
    if (r < 0)
        return r;
    if (!listening || type != SOCK_STREAM)
        return -EINVAL;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    if (family == AF_INET || family == AF_INET6)
        r = set_inherited(fd);
    return r < 0 ? r : fd;
}

int sock_listen(const struct sock_spec *spec, int backlog)
{
    int fd, r;

    if (spec->kind == SOCK_KIND_FD)
        return listen_given(spec->fd);
    fd = socket(spec->addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (spec->kind == SOCK_KIND_UNIX) {
        r = bind_unix(fd, spec);
    } else {
        r = set_inet_options(fd, spec->addr.sa.sa_family);
        if (r == 0 && bind(fd, &spec->addr.sa, spec->len) < 0)
            r = -errno;
    }
    if (r < 0)
        goto fail;
    if (spec->kind == SOCK_KIND_UNIX)
        r = drop_x_bits(spec->addr.un.sun_path);
    if (r == 0 && listen(fd, backlog) < 0)
        r = -errno;
    if (r < 0)
        goto fail;
    return fd;
fail:
    close(fd);
    return r;
}

/* A unix peer that is bound to no path has a family and nothing behind it; sun_path must not be what the stack held. */
static void fix_unnamed(union sock_addr *addr, socklen_t len)
{
    if (addr->sa.sa_family == AF_UNIX && len < sizeof(addr->un))
        memset((char *)addr + len, 0, sizeof(addr->un) - len);
}

int sock_accept(int listener, union sock_addr *peer, socklen_t *len)
{
    int fd;

    *len = sizeof(*peer);
    do
        fd = accept4(listener, &peer->sa, len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 &&
           (errno == EINTR || errno == ECONNABORTED)); /* who left before being accepted is not the next one */
    if (fd < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    fix_unnamed(peer, *len);
    return fd;
}

/* A listening socket's filter sees each packet from its TCP header on. */
static int drop_syn(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), /* the flags, RFC 9293 section 3.1 */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

int sock_deafen(int listener)
{
    union sock_addr addr;
    socklen_t len;
    int r = sock_local(listener, &addr, &len);

    if (r != 0)
        return r;
    if (addr.sa.sa_family == AF_UNIX)
        return shutdown(listener, SHUT_RD) < 0 ? -errno : 0;
    return drop_syn(listener);
}

bool sock_is_deferred(int listener)
{
    int seconds = 0;
    socklen_t len = sizeof(seconds);

    return getsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &len) == 0 && seconds > 0;
}

bool sock_is_local(int fd)
{
    union sock_addr addr;
    socklen_t len;

    if (sock_local(fd, &addr, &len) != 0)
        return false;
    if (addr.sa.sa_family == AF_INET)
        return ntohl(addr.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return addr.sa.sa_family == AF_UNIX || IN6_IS_ADDR_LOOPBACK(&addr.in6.sin6_addr);
}

int sock_local(int fd, union sock_addr *out, socklen_t *len)
{
    *len = sizeof(*out);
    if (getsockname(fd, &out->sa, len) < 0)
        return -errno;
    fix_unnamed(out, *len);
    return 0;
}

/* ---- printing ---- */

static size_t unix_text(const struct sockaddr_un *un, char out[SOCK_TEXT_MAX])
{
    const char *path = un->sun_path;
    size_t n = strnlen(path, sizeof(un->sun_path));
    bool cut = n > SOCK_TEXT_MAX - sizeof("unix:...");
    int len;

    if (cut)
        n = SOCK_TEXT_MAX - sizeof("unix:...");
    len = snprintf(out, SOCK_TEXT_MAX, "unix:%.*s%s", (int)n, path, cut ? "..." : "");
    return (size_t)len;
}

/* For each request: inet_ntop goes by sprintf. */
static size_t v4_text(const unsigned char bytes[4], char *out)
{
    size_t n = 0;

    for (int i = 0; i < 4; i++) {
        n += digits_u64(out + n, bytes[i]);
        out[n++] = '.';
    }
    out[--n] = '\0';
    return n;
}

size_t sock_host_text(const union sock_addr *addr, char out[SOCK_TEXT_MAX])
{
    const struct in6_addr *v6 = &addr->in6.sin6_addr;

    out[0] = '\0';
    if (addr->sa.sa_family == AF_UNIX)
        return unix_text(&addr->un, out);
    if (addr->sa.sa_family == AF_INET)
        return v4_text((const unsigned char *)&addr->in.sin_addr, out);
    if (addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
        return v4_text(v6->s6_addr + 12, out);
    if (addr->sa.sa_family == AF_INET6)
        inet_ntop(AF_INET6, v6, out, SOCK_TEXT_MAX);
    return strlen(out);
}

uint16_t sock_port(const union sock_addr *addr)
{
    if (addr->sa.sa_family == AF_INET)
        return ntohs(addr->in.sin_port);
    return addr->sa.sa_family == AF_INET6 ? ntohs(addr->in6.sin6_port) : 0;
}

size_t sock_text(const union sock_addr *addr, char out[SOCK_TEXT_MAX])
{
    char host[SOCK_TEXT_MAX];
    size_t n = sock_host_text(addr, host);
    bool v6 = memchr(host, ':', n) != NULL;
    int len;

    if (addr->sa.sa_family == AF_UNIX) {
        memcpy(out, host, n + 1);
        return n;
    }
    len = snprintf(out, SOCK_TEXT_MAX, v6 ? "[%.*s]:%u" : "%.*s:%u", INET6_ADDRSTRLEN, host, (unsigned)sock_port(addr));
    return (size_t)len;
}

uint64_t sock_taken(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return len >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked) ? info.tcpi_bytes_acked
                                                                                              : 0;
}

static ssize_t receive(int fd, void *p, size_t n, int flags)
{
    ssize_t got;

    do
        got = recv(fd, p, n, flags | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got >= 0 ? got : errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

ssize_t sock_peek(int fd, void *p, size_t n)
{
    return receive(fd, p, n, MSG_PEEK);
}

ssize_t sock_skip(int fd, void *p, size_t n)
{
    return receive(fd, p, n, 0);
}
