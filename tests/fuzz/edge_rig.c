/* An edge for fuzzers. */
#include "edge_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/yaml_reader.h"
#include "edge/conn.h"
#include "edge/handler/handlers.h"
#include "edge/home.h"
#include "os/event.h"
#include "pool/wake.h"

static void set(struct conf_builder *b, const char *name, const char *value)
{
    char error[CONF_ERROR_MAX];

    must(conf_set(b, CONF_COMMAND_LINE, STR("fuzz"), str_of(name), str_of(value), error) == 0);
}

/* A client that is not named by X-Forwarded-For has no address: the limits leave it alone. */
static const char routes[] = "headers: {X-Route: own, X-Removed: ''}\n"
                             "routes:\n"
                             "- {path: /old/, redirect: 'https://example.com/{path}?{query}'}\n"
                             "- {path: /said, exact: yes, respond: text, status: 410}\n"
                             "- {path: /inside/, allow: [10.0.0.0/8, '2001:db8::/32'], deny: 10.6.6.6}\n"
                             "- {path: /often/, rate_limit: [2/s by header X-Key, 3/m by cookie key, 9/s by route]}\n"
                             "- {path: /few/, concurrency: 1, max_body_size: 10}\n";

static struct snapshot *make_snapshot(void)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX];
    struct snapshot *s;
    struct buf text;

    buf_init(&text, 1 << 16);
    set(b, "health_path", "/up");
    set(b, "max_body_size", "100k");
    set(b, "queue_size", "4");
    set(b, "trusted_proxies", "10.0.0.0/8");
    must(yaml_reader_read(b, "fuzz.yaml", STR(routes), error) == 0);
    must(conf_finish(b, error) == 0);
    must(conf_write(b, &text) == 0);
    must(snapshot_new(buf_str(&text), &s) == 0);
    buf_fini(&text);
    conf_builder_free(b);
    return s;
}

static void add_file(int dir, const char *name, size_t size)
{
    int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

    must(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    close(fd);
}

static const struct {
    const char *name;
    size_t size;
} files[] = { { "a.css", 100 }, { "big.bin", 200000 }, { "empty", 0 } };

static char root_path[] = "/tmp/quintet-fuzz-XXXXXX";

static void remove_root(void)
{
    char path[sizeof(root_path) + 16];

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root_path, files[i].name);
        (void)unlink(path);
    }
    (void)rmdir(root_path);
}

/* Once in a process; it is gone with the process. */
static void add_root(struct snapshot *s)
{
    int dir;

    must(mkdtemp(root_path) != NULL);
    must(atexit(remove_root) == 0);
    dir = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        add_file(dir, files[i].name, files[i].size);
    must(snapshot_add_root(s, STR("/static/"), false, dir) == 0);
    snapshot_name_root(s, STR("/srv"), STR("/srv/now"));
}

static void silent(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

static void ignore(struct channel *channel, struct wire_message *message)
{
    (void)channel;
    (void)message;
}

static void closed(struct channel *channel, int error)
{
    (void)channel;
    (void)error;
    must_not_reach();
}

static const struct channel_handlers handlers = { .on_message = ignore, .on_close = closed };

static void join(struct rig *rig)
{
    int fds[2];

    must(wire_pair(fds) == 0);
    rig->channel = fds[0];
    must(fcntl(rig->channel, F_SETFL, O_NONBLOCK) == 0);
    (void)pools_worker_joined(&rig->edge.dispatch, rig->generation, 0, getpid(), fds[1]);
}

static void open_app(struct rig *rig)
{
    struct pool_geometry geometry = { .workers = 1, .threads = 1, .lanes = 1, .slots = 4 };
    int memfd = pool_create(&geometry), event = event_new();
    struct pool_fds fds = { .memfd = memfd, .eventfds = &event, .lanes = 1 };

    must(memfd >= 0 && event >= 0);
    must(pool_map(memfd, &rig->pool) == 0);
    pool_set_lane_fds(rig->pool, &event, 1);
    must(pools_open(&rig->edge.dispatch, 1, &fds, &rig->generation) == 0);
    must(lane_add_pool(rig->lane, rig->generation) == 0);
    join(rig);
    pools_switch(&rig->edge.dispatch, rig->generation);
}

struct rig *rig_make(bool with_app)
{
    struct rig *rig = mem_zalloc(sizeof(*rig));
    struct snapshot *s = make_snapshot();
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    add_root(s);
    rig->edge.log = (struct log){ .level = LOG_ALERT, .process = "edge", .sink = silent };
    admit_init(&rig->edge.admit);
    credentials_init(&rig->edge.credentials);
    dispatch_init(&rig->edge.dispatch, &rig->edge);
    overdue_init(&rig->edge);
    dispatch_limit(&rig->edge.dispatch, 4, NS_PER_SEC);
    rig->edge.n_lanes = rig->edge.n_homes = 1;
    atomic_store(&rig->edge.has_served, true);
    rig->lane = &rig->edge.lanes[0];
    must(lane_init(rig->lane, &rig->edge, 0) == 0);
    must(wire_pair(fds) == 0);
    rig->supervisor = fds[0];
    must(channel_init(&rig->edge.super, rig->lane->loop, fds[1], "SE", &handlers) == 0);
    lane_set_snapshot(rig->lane, s);
    rig->edge.snapshot = s;
    if (with_app)
        open_app(rig);
    return rig;
}

int rig_connect(struct rig *rig)
{
    union sock_addr peer = { .un = { .sun_family = AF_UNIX } };
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    {
        struct conn_new new = { .peer = peer, .fd = fds[1] };

        must(admit_enter(&rig->lane->edge->admit, &new.peer, &new.by_address));
        home_begin(rig->lane, &new);
    }
    return fds[0];
}

void rig_turn(struct rig *rig)
{
    char text[WIRE_TEXT_MAX];
    struct wire_message m;

    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
    while (wire_receive(rig->supervisor, "ES", MSG_DONTWAIT, text, &m) == 1)
        wire_close_fds(&m);
}

void rig_worker_dies(struct rig *rig)
{
    close(rig->channel);
    pools_worker_gone(&rig->edge.dispatch, rig->generation, 0);
    app_settle_lost(rig->lane, rig->generation);
    join(rig);
}

void rig_quiet(struct rig *rig)
{
    for (int i = 0; i < 1000 && !list_empty(&rig->lane->open); i++)
        rig_turn(rig);
    must(list_empty(&rig->lane->open));
    rig_turn(rig); /* what was closed by the last turn's tasks is freed in the next one */
    must(rig->lane->pending == 0);
    must(rig->edge.dispatch.n_queued == 0);
    if (rig->generation == NULL)
        return;
    rig_worker_dies(rig);
    rig_turn(rig);
    must(rig->generation->used == 0);
}
