/* The control socket's clients, and what their requests do. */
#include "super/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/proc.h"
#include "super/status.h"
#include "super/super.h"

static const char *const command_names[] = {
    [CONTROL_STATUS] = "status",     [CONTROL_RELOAD] = "reload", [CONTROL_RELOAD_EDGE] = "reload-edge",
    [CONTROL_ROLLBACK] = "rollback", [CONTROL_STOP] = "stop",     [CONTROL_PAUSE] = "pause",
    [CONTROL_RESUME] = "resume",
};

/* "max": seconds. */
static int parse_max(const json_t *request, uint64_t *max_ns, struct why *why)
{
    const json_t *max = json_object_get(request, "max");
    double seconds = json_number_value(max);

    *max_ns = PAUSE_DEFAULT_NS;
    if (max == NULL)
        return 0;
    if (!json_is_number(max) || !(seconds > 0) || seconds > (double)(PAUSE_MAX_NS / NS_PER_SEC))
        return why_set(why, -EINVAL, "a pause lasts more than 0 and at most %d seconds",
                       (int)(PAUSE_MAX_NS / NS_PER_SEC));
    *max_ns = (uint64_t)(seconds * (double)NS_PER_SEC);
    return 0;
}

int control_parse(struct str line, struct control_request *out, struct why *why)
{
    json_error_t error;
    json_t *request = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &error);
    const char *command = json_string_value(json_object_get(request, "command"));
    int r = -EINVAL;

    for (size_t i = 0; command != NULL && i < ARRAY_LEN(command_names); i++) {
        if (strcmp(command, command_names[i]) != 0)
            continue;
        out->command = (enum control_command)i;
        r = 0;
    }
    if (request == NULL)
        r = why_set(why, -EINVAL, "not JSON: %s", error.text);
    else if (command == NULL)
        r = why_set(why, -EINVAL, "expected {\"command\": ...}");
    else if (r != 0)
        r = why_set(why, -EINVAL, "no such command: %.64s", command);
    else
        r = parse_max(request, &out->max_ns, why);
    json_decref(request);
    return r;
}

/* ---- clients ---- */

static void free_client(struct loop_task *task)
{
    struct control_client *client = CONTAINER_OF(task, struct control_client, free_task);

    buf_fini(&client->in);
    buf_fini(&client->out);
    mem_free(client);
}

static void client_close(struct control_client *client)
{
    if (client->fd < 0)
        return;
    loop_io_remove(client->control->loop, &client->io);
    close(client->fd);
    client->fd = -1;
    list_remove(&client->link);
    client->control->n_clients--;
    loop_defer(client->control->loop, &client->free_task);
}

static void client_flush(struct control_client *client)
{
    while (client->out.len > 0) {
        ssize_t n = send(client->fd, client->out.data, client->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            client_close(client);
            return;
        }
        buf_consume(&client->out, (size_t)n);
    }
    if (loop_io_change(client->control->loop, &client->io, client->out.len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN) != 0)
        client_close(client);
}

/* Takes the reference of `document` over. A client that does not read is closed. */
static void client_say(struct control_client *client, json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    int r = client->fd < 0 || text == NULL ? -EPIPE : buf_add_str(&client->out, str_of(text));

    if (r == 0)
        r = buf_add_char(&client->out, '\n');
    free(text);
    json_decref(document);
    if (client->fd < 0)
        return;
    if (r != 0)
        client_close(client);
    else
        client_flush(client);
}

static void client_done(struct control_client *client, const char *error, const char *text)
{
    client_say(client, json_pack("{s:b, s:b, s:s?, s:s?, s:i}", "done", 1, "ok", error == NULL, "error", error, "text",
                                 text, "pid", (int)getpid()));
}

/* ---- status ---- */

static void answer_status(struct control *control, json_t *edge)
{
    LIST_EACH(link, &control->clients) {
        struct control_client *client = CONTAINER_OF(link, struct control_client, link);

        if (!client->asked || client->request.command != CONTROL_STATUS || client->ticket == 0)
            continue;
        client->ticket = 0;
        client_say(client, json_pack("{s:b, s:b, s:n, s:o}", "done", 1, "ok", 1, "error", "status",
                                     status_document(control->super, edge)));
    }
    loop_timer_stop(control->loop, &control->timer);
}

static void on_timer(struct loop_timer *timer)
{
    answer_status(CONTAINER_OF(timer, struct control, timer), NULL);
}

void control_ask_edge(struct control *control)
{
    struct wire_message ask = { .type = WIRE_STATUS_ASK, .number = ++control->edge_asked };

    channel_send(&control->super->edge->channel, &ask);
}

static void ask_status(struct control_client *client)
{
    struct control *control = client->control;

    client->ticket = control->edge_asked + 1;
    if (control->super->edge->channel.fd < 0) {
        answer_status(control, NULL);
        return;
    }
    control_ask_edge(control);
    if (!loop_timer_armed(&control->timer))
        loop_timer_set(control->loop, &control->timer, CONTROL_EDGE_WAIT_NS);
}

bool control_edge_status(struct control *control, uint64_t number, struct str text)
{
    json_t *edge;

    if (number == 0 || number > control->edge_asked)
        return false;
    edge = json_loadb(text.p, text.n, 0, NULL);
    answer_status(control, json_is_object(edge) ? edge : NULL); /* too long to be sent: empty */
    reload_edge_status(control->super, edge);
    json_decref(edge);
    return true;
}

void control_edge_gone(struct control *control)
{
    if (loop_timer_armed(&control->timer))
        answer_status(control, NULL);
}

/* ---- reload, rollback, stop ---- */

static bool waits_for(const struct control_client *client, uint64_t round)
{
    return client->asked && client->ticket == round &&
           (client->request.command == CONTROL_RELOAD || client->request.command == CONTROL_RELOAD_EDGE ||
            client->request.command == CONTROL_ROLLBACK);
}

void control_reload_progress(struct control *control, uint64_t round, const char *text)
{
    LIST_EACH(link, &control->clients) {
        struct control_client *client = CONTAINER_OF(link, struct control_client, link);

        if (waits_for(client, round))
            client_say(client, json_pack("{s:s}", "progress", text));
    }
}

void control_reload_done(struct control *control, uint64_t round, const char *error, const char *text)
{
    LIST_EACH(link, &control->clients) {
        struct control_client *client = CONTAINER_OF(link, struct control_client, link);

        if (!waits_for(client, round))
            continue;
        client->ticket = 0;
        client_done(client, error, text);
    }
}

static void obey_reload(struct control_client *client)
{
    struct super *super = client->control->super;

    client->ticket = reload_next_round(&super->reload);
    if (super->state >= SUPER_LEAVING)
        client_done(client, "the server is stopping", NULL);
    else if (client->request.command == CONTROL_RELOAD)
        reload_request(super, RELOAD_ALL, "asked by `quintet reload`");
    else
        reload_request(super, RELOAD_EDGE, "asked by `quintet reload --edge`");
}

static void obey_rollback(struct control_client *client)
{
    struct super *super = client->control->super;
    const char *text = reload_give_up(super), *error;

    if (text != NULL) {
        client_done(client, NULL, text);
        return;
    }
    error = reload_prepare_rollback(super);
    if (error != NULL) {
        client_done(client, error, NULL);
        return;
    }
    client->ticket = reload_next_round(&super->reload);
    reload_rollback(super);
}

void control_paused(struct control *control, uint32_t number, const char *error)
{
    LIST_EACH(link, &control->clients) {
        struct control_client *client = CONTAINER_OF(link, struct control_client, link);

        if (!client->asked || client->request.command != CONTROL_PAUSE || client->ticket == 0 ||
            client->ticket > number)
            continue;
        client->ticket = 0;
        client_done(client, error, NULL);
    }
}

static void ask_pause(struct control_client *client)
{
    struct super *super = client->control->super;

    if (super->state == SUPER_RUNNING)
        client->ticket = pause_begin(super, client->request.max_ns);
    else
        client_done(client, super->state == SUPER_STARTING ? "the server does not serve yet" : "the server is stopping",
                    NULL);
}

static void obey(struct control_client *client)
{
    struct super *super = client->control->super;

    switch (client->request.command) {
    case CONTROL_STATUS:
        ask_status(client);
        break;
    case CONTROL_RELOAD:
    case CONTROL_RELOAD_EDGE:
        obey_reload(client);
        break;
    case CONTROL_ROLLBACK:
        obey_rollback(client);
        break;
    case CONTROL_PAUSE:
        ask_pause(client);
        break;
    case CONTROL_RESUME:
        client_done(client,
                    pause_end(super, "asked by `quintet resume`", "resumed before all requests had finished")
                        ? NULL
                        : "it was not paused",
                    NULL);
        break;
    case CONTROL_STOP:
        client_done(client, NULL, NULL);
        super_drain(super, "asked by `quintet stop`");
        break;
    }
}

static void take_line(struct control_client *client, struct str line)
{
    struct why *why;

    if (client->asked) {
        client_close(client);
        return;
    }
    why = mem_alloc(sizeof(*why));
    client->asked = true;
    if (control_parse(line, &client->request, why) == 0)
        obey(client);
    else
        client_done(client, why->text, NULL);
    mem_free(why);
}

static void client_read(struct control_client *client)
{
    char bytes[4096];
    ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    ptrdiff_t end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || buf_add(&client->in, bytes, (size_t)n) != 0) {
        client_close(client);
        return;
    }
    end = str_find(buf_str(&client->in), '\n');
    if (end >= 0)
        take_line(client, str_cut(buf_str(&client->in), 0, (size_t)end));
}

static void on_client(struct loop_io *io, uint32_t events)
{
    struct control_client *client = CONTAINER_OF(io, struct control_client, io);

    if (events & EPOLLOUT)
        client_flush(client);
    if (client->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        client_read(client);
}

/* ---- the listening socket ---- */

static bool may_command(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void accept_client(struct control *control, int fd)
{
    struct control_client *client = mem_zalloc(sizeof(*client));

    client->control = control;
    client->fd = fd;
    client->io = (struct loop_io){ .fd = -1, .fn = on_client };
    buf_init(&client->in, CONTROL_LINE_MAX);
    buf_init(&client->out, CONTROL_OUT_MAX);
    loop_task_init(&client->free_task, free_client);
    list_push_back(&control->clients, &client->link);
    control->n_clients++;
    if (loop_io_add(control->loop, &client->io, fd, EPOLLIN) != 0)
        client_close(client);
}

static void on_listener(struct loop_io *io, uint32_t events)
{
    struct control *control = CONTAINER_OF(io, struct control, io);
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (control->n_clients >= CONTROL_CLIENTS_MAX || !may_command(fd))
        close(fd);
    else
        accept_client(control, fd);
}

/* Does somebody listen there? *pid as the kernel knows it; 0: in a PID namespace that is not ours. */
static bool somebody_listens(const struct sockaddr_un *addr, pid_t *pid)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ucred peer = { 0 };
    socklen_t len = sizeof(peer);
    bool listens;

    *pid = 0;
    if (fd < 0)
        return false;
    /* EAGAIN: its backlog is full, so there is one. */
    listens = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN;
    if (listens && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0)
        *pid = peer.pid;
    close(fd);
    return listens;
}

static const char *place_hint(int error)
{
    return abs(error) == EACCES ? "; name a place that this user may write to with --control" : "";
}

static int make_directory(const char *path, struct why *why)
{
    char *directory = mem_strdup(path);
    char *slash = strrchr(directory, '/');
    int r = 0;

    if (slash != NULL && slash != directory) {
        *slash = '\0';
        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
            r = why_set(why, -errno, "cannot make %s for the control socket: %s%s", directory, why_errno(errno),
                        place_hint(errno));
    }
    mem_free(directory);
    return r;
}

/* Mode 0600 from the first moment on: the mask is ours alone, the supervisor has one thread that makes files. */
static int listen_at(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old;
    int r;

    if (fd < 0)
        return -errno;
    old = umask(0177);
    r = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 || listen(fd, 16) < 0 ? -errno : fd;
    (void)umask(old);
    if (r < 0)
        close(fd);
    return r;
}

static int open_socket(const char *path, struct why *why)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct stat st;
    pid_t pid;
    int r;

    if (strlen(path) >= sizeof(addr.sun_path))
        return why_set(why, -ENAMETOOLONG, "--control: %s is longer than a socket's path may be (%zu bytes)", path,
                       sizeof(addr.sun_path) - 1);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (somebody_listens(&addr, &pid))
        return why_set(why, -EADDRINUSE,
                       "already running here, pid %d%s; `quintet reload` or `quintet stop` talk to it, another "
                       "--control makes room for a second one",
                       (int)pid, pid == 0 ? " (in another container)" : "");
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(path);
    r = listen_at(&addr);
    if (r < 0)
        return why_set(why, r, "cannot make the control socket %s: %s%s", path, why_errno(r), place_hint(r));
    return r;
}

int control_adopt(struct control *control, struct super *super, int fd, const char *path)
{
    control->super = super;
    control->loop = super->loop;
    control->io = (struct loop_io){ .fd = -1, .fn = on_listener };
    control->fd = fd;
    control->path = plan_absolute(path);
    list_init(&control->clients);
    loop_timer_init(&control->timer, on_timer);
    return loop_io_add(control->loop, &control->io, control->fd, EPOLLIN);
}

int control_open(struct control *control, struct super *super, const char *path, struct why *why)
{
    int r = make_directory(path, why);

    if (r != 0)
        return r;
    r = open_socket(path, why);
    if (r < 0)
        return r;
    r = control_adopt(control, super, r, path);
    if (r != 0)
        return why_set(why, r, "cannot watch the control socket: %s", why_errno(r));
    return 0;
}

void control_close(struct control *control)
{
    if (control->fd < 0)
        return;
    LIST_EACH(link, &control->clients)
        client_close(CONTAINER_OF(link, struct control_client, link));
    loop_timer_stop(control->loop, &control->timer);
    if (control->io.fd >= 0)
        loop_io_remove(control->loop, &control->io);
    close(control->fd);
    control->fd = -1;
    if (control->path != NULL)
        (void)unlink(control->path);
    mem_free(control->path);
    control->path = NULL;
}
