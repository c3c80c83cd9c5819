/* Binding what the configuration asks for, and saying in a sentence why it cannot be. */
#include "super/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/sock.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

static const char *hint(int error, const char *address)
{
    switch (error) {
    case -EACCES:
        return str_starts(str_of(address), STR("unix:")) ? "; check the directory's permissions"
                                                         : "; use a port from 1024 on, or run as root with --user";
    case -EADDRINUSE:
        return "; another program listens there, or another instance runs: see `quintet status`";
    case -EADDRNOTAVAIL:
        return "; no interface of this machine has that address (names but localhost are not looked up: write numbers)";
    case -EINVAL:
        return "; expected HOST:PORT, [V6]:PORT, unix:PATH or fd://N";
    default:
        return "";
    }
}

/* What fd://N is instead of a listening stream socket. */
static const char *what_it_is(int fd)
{
    struct stat st;
    int type = 0;
    socklen_t len = sizeof(type);

    if (fstat(fd, &st) < 0)
        return "not open here";
    if (!S_ISSOCK(st.st_mode))
        return S_ISREG(st.st_mode) ? "a file" : S_ISFIFO(st.st_mode) ? "a pipe" : "no socket";
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
        return "a socket, but not a stream socket";
    return "a stream socket that does not listen";
}

static int cannot(int r, const char *address, struct why *error)
{
    struct sock_spec spec;

    if (sock_spec_parse(str_of(address), &spec) == 0 && spec.kind == SOCK_KIND_FD)
        return why_set(error, r,
                       "cannot listen on %s: that descriptor is %s; expected a listening stream socket, such as "
                       "a systemd socket unit hands over from fd://3 on",
                       address, what_it_is(spec.fd));
    return why_set(error, r, "cannot listen on %s: %s%s", address, why_errno(r), hint(r, address));
}

static int bind_one(struct listener *l)
{
    struct sock_spec spec;
    union sock_addr addr;
    socklen_t len = sizeof(addr);
    char text[SOCK_TEXT_MAX];
    int r = sock_spec_parse(str_of(l->address), &spec);

    if (r != 0)
        return r;
    l->fd = sock_listen(&spec, BACKLOG);
    if (l->fd < 0)
        return l->fd;
    r = sock_local(l->fd, &addr, &len);
    if (r != 0)
        return r;
    (void)sock_text(&addr, text);
    l->shown = mem_strdup(text);
    return 0;
}

/* Where new addresses are put, and what is open already (NULL: nothing). */
struct opening {
    struct listeners *to;
    const struct listeners *open;
    struct why *error;
};

/* The nth listener of that kind and address: a port of 0 may be asked for more than once. NULL: there is none. */
static const struct listener *find(const struct listeners *ls, enum listener_kind kind, const char *address, size_t nth)
{
    for (size_t i = 0; ls != NULL && i < ls->n; i++)
        if (ls->items[i].kind == kind && strcmp(ls->items[i].address, address) == 0 && nth-- == 0)
            return &ls->items[i];
    return NULL;
}

static size_t count(const struct listeners *ls, enum listener_kind kind, const char *address)
{
    size_t n = 0;

    while (find(ls, kind, address, n) != NULL)
        n++;
    return n;
}

static int copy_one(struct listener *l, const struct listener *open)
{
    l->fd = fcntl(open->fd, F_DUPFD_CLOEXEC, 3);
    if (l->fd < 0)
        return -errno;
    l->shown = mem_strdup(open->shown);
    l->copied = true;
    return 0;
}

static int add(const struct opening *o, enum listener_kind kind, const char *address)
{
    const struct listener *open = find(o->open, kind, address, count(o->to, kind, address));
    struct listener *l = &o->to->items[o->to->n++];
    int r;

    *l = (struct listener){ .kind = kind, .address = mem_strdup(address), .fd = -1 };
    r = open != NULL ? copy_one(l, open) : bind_one(l);
    return r == 0 ? 0 : cannot(r, address, o->error);
}

static int add_list(const struct opening *o, enum listener_kind kind, const struct conf_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        int r = add(o, kind, list->items[i]);

        if (r != 0)
            return r;
    }
    return 0;
}

static int add_all(const struct opening *o, const struct conf *conf)
{
    int r;

    o->to->n = 0;
    o->to->items = mem_calloc(conf->bind.n + conf->tls_bind.n + 1, sizeof(*o->to->items));
    r = add_list(o, LISTENER_HTTP, &conf->bind);
    if (r == 0)
        r = add_list(o, LISTENER_TLS, &conf->tls_bind);
    if (r == 0 && conf->metrics_bind != NULL)
        r = add(o, LISTENER_METRICS, conf->metrics_bind);
    return r;
}

int listeners_open(struct listeners *ls, const struct conf *conf, struct why *error)
{
    int r = add_all(&(struct opening){ .to = ls, .error = error }, conf);

    if (r != 0)
        listeners_close(ls);
    return r;
}

int listeners_copy(struct listeners *ls, const struct conf *conf, const struct listeners *open, struct why *error)
{
    int r = add_all(&(struct opening){ .to = ls, .open = open, .error = error }, conf);

    if (r != 0)
        listeners_close_copies(ls);
    return r;
}

/* `file`: the socket's file goes too, if it has one that we made. */
static void close_one(struct listener *l, bool file)
{
    struct str address = str_of(l->address);

    if (l->fd >= 0) {
        close(l->fd);
        if (file && str_starts(address, STR("unix:")))
            (void)unlink(address.p + 5);
    }
    mem_free(l->address);
    mem_free(l->shown);
}

void listeners_deafen(const struct listeners *ls)
{
    for (size_t i = 0; i < ls->n; i++) {
        if (ls->items[i].kind != LISTENER_METRICS && !str_starts(str_of(ls->items[i].address), STR("fd://")))
            (void)sock_deafen(
                ls->items[i].fd); /* where that cannot be done, a client may be reset who comes at the very end */
    }
}

void listeners_close(struct listeners *ls)
{
    for (size_t i = 0; i < ls->n; i++)
        close_one(&ls->items[i], true);
    mem_free(ls->items);
    *ls = (struct listeners){ 0 };
}

void listeners_close_copies(struct listeners *ls)
{
    for (size_t i = 0; i < ls->n; i++)
        close_one(&ls->items[i], !ls->items[i].copied);
    mem_free(ls->items);
    *ls = (struct listeners){ 0 };
}

void listeners_close_others(struct listeners *older, const struct listeners *newer)
{
    for (size_t i = 0; i < older->n; i++) {
        struct listener *l = &older->items[i];

        close_one(l, find(newer, l->kind, l->address, 0) == NULL);
    }
    mem_free(older->items);
    *older = (struct listeners){ 0 };
}

int listener_url(const struct listener *l, struct buf *out)
{
    struct str shown = str_of(l->shown);
    const char *scheme = l->kind == LISTENER_TLS ? "https" : "http";

    if (str_starts(shown, STR("unix:")))
        return buf_add_str(out, shown);
    return buf_printf(out, "%s://" STR_FMT, scheme, STR_ARG(shown));
}
