/* The test's own little edge. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "edge/conn.h"
#include "edge/handler/handlers.h"
#include "edge/home.h"
#include "edge/spool.h"
#include "os/event.h"
#include "pool/wake.h"
#include "wire/message.h"

/* The members of a list one by one. */
static void set_option(struct conf_builder *b, struct str option, struct str value)
{
    char error[CONF_ERROR_MAX];

    while (value.p != NULL) {
        if (conf_set(b, CONF_COMMAND_LINE, STR("test"), option, str_split(&value, ','), error) != 0)
            fail_msg("%s", error);
    }
}

struct snapshot *rig_snapshot(struct conf_builder *b)
{
    char error[CONF_ERROR_MAX];
    struct snapshot *s;
    struct buf text;

    buf_init(&text, 1 << 20);
    assert_int_equal(conf_finish(b, error), 0);
    assert_int_equal(conf_write(b, &text), 0);
    assert_int_equal(snapshot_new(buf_str(&text), &s), 0);
    buf_fini(&text);
    conf_builder_free(b);
    return s;
}

static struct snapshot *make_snapshot(const char *option, const char *value)
{
    struct conf_builder *b = conf_builder_new();
    struct str rest = str_of(value);

    if (option != NULL)
        set_option(b, str_of(option), str_split(&rest, '|'));
    while (rest.p != NULL) {
        struct str more = str_split(&rest, '|'), name = str_split(&more, '=');

        set_option(b, name, more);
    }
    return rig_snapshot(b);
}

static void add_root(struct rig *rig, struct snapshot *s, const char *name, const char *prefix, bool media)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(snapshot_add_root(s, str_of(prefix), media, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)), 0);
}

static void unexpected(struct channel *channel, struct wire_message *message)
{
    (void)channel;
    fail_msg("the edge received %s", wire_name(message->type));
}

static void closed(struct channel *channel, int error)
{
    (void)channel;
    fail_msg("the supervisor's channel closed: %d", error);
}

static void connect_supervisor(struct rig *rig)
{
    static const struct channel_handlers handlers = { .on_message = unexpected, .on_close = closed };
    int fds[2];

    assert_int_equal(wire_pair(fds), 0);
    rig->supervisor = fds[0];
    assert_int_equal(channel_init(&rig->edge.super, rig->lane->loop, fds[1], "SE", &handlers), 0);
}

enum wire_type rig_told(struct rig *rig)
{
    char text[WIRE_TEXT_MAX];
    struct wire_message m;
    int r = wire_receive(rig->supervisor, "ES", MSG_DONTWAIT, text, &m);

    assert_true(r == 1 || r == -EAGAIN);
    return r == 1 ? m.type : WIRE_NONE;
}

void rig_init(struct rig *rig, const char *option, const char *value)
{
    struct snapshot *s = make_snapshot(option, value);

    memset(rig, 0, sizeof(*rig));
    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/quintet-rig-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    add_root(rig, s, "static", "/static/", false);
    add_root(rig, s, "media", "/media/", true);
    rig->edge.log = (struct log){ .level = LOG_ALERT, .process = "edge" };
    dispatch_init(&rig->edge.dispatch, &rig->edge);
    overdue_init(&rig->edge);
    admit_init(&rig->edge.admit);
    credentials_init(&rig->edge.credentials);
    rig->edge.dispatch.queue_max = (uint32_t)s->conf->queue_size;
    atomic_store(&rig->edge.has_served, true);
    rig->edge.n_lanes = rig->edge.n_homes = 1;
    rig->lane = &rig->edge.lanes[0];
    assert_int_equal(lane_init(rig->lane, &rig->edge, 0), 0);
    connect_supervisor(rig);
    lane_set_snapshot(rig->lane, s);
    rig->edge.snapshot = s;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void rig_fini(struct rig *rig)
{
    lane_stop(rig->lane);
    loop_once(rig->lane->loop);
    channel_fini(&rig->edge.super);
    close(rig->supervisor);
    lane_fini(rig->lane);
    snapshot_unref(rig->edge.snapshot);
    spool_settle();
    dispatch_fini(&rig->edge.dispatch);
    admit_fini(&rig->edge.admit);
    credentials_fini(&rig->edge.credentials);
    assert_int_equal(nftw(rig->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void rig_file(struct rig *rig, const char *path, const char *content)
{
    char full[256];
    FILE *f;

    snprintf(full, sizeof(full), "%s/%s", rig->dir, path);
    f = fopen(full, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static void let_in(struct rig *rig, struct conn_new *new)
{
    must(admit_enter(&rig->lane->edge->admit, &new->peer, &new->by_address));
    home_begin(rig->lane, new);
}

int rig_connect(struct rig *rig)
{
    struct conn_new new = { .peer = { .un = { .sun_family = AF_UNIX } } };
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    new.fd = fds[1];
    let_in(rig, &new);
    return fds[0];
}

int rig_connect_by_tcp(struct rig *rig)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    struct conn_new new = { .fd = -1 };
    socklen_t len = sizeof(to);

    assert_int_equal(bind(listener, (struct sockaddr *)&to, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&to, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, len), 0);
    new.fd = sock_accept(listener, &new.peer, &len);
    assert_true(new.fd >= 0 && fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    close(listener);
    let_in(rig, &new);
    return client;
}

/* One turn that does not sleep. */
static void turn(struct rig *rig)
{
    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
}

char *rig_read(struct rig *rig, int client)
{
    struct buf b;
    unsigned quiet = 0;

    buf_init(&b, 64 << 20);
    while (quiet < 4) {
        ssize_t n;

        turn(rig);
        assert_int_equal(buf_reserve(&b, 65536), 0);
        n = read(client, b.data + b.len, 65536);
        quiet = n > 0 ? 0 : quiet + 1;
        if (n > 0)
            buf_commit(&b, (size_t)n);
    }
    assert_int_equal(buf_add_char(&b, '\0'), 0);
    return b.data;
}

char *rig_talk(struct rig *rig, int client, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(client, bytes, n, MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN)
            break; /* closed meanwhile: what it said is still to be read */
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        }
        turn(rig);
    }
    return rig_read(rig, client);
}

bool rig_closed(struct rig *rig, int client)
{
    char c;

    turn(rig);
    return recv(client, &c, 1, MSG_PEEK) == 0;
}

/* ---- the application ---- */

static void join(struct rig *rig, struct rig_app *app)
{
    int fds[2];

    assert_int_equal(wire_pair(fds), 0);
    app->channel = fds[0];
    pools_worker_joined(&rig->edge.dispatch, app->generation, 0, getpid(), fds[1]);
}

void rig_app_boot(struct rig *rig, struct rig_app *app, uint32_t number, uint32_t threads)
{
    struct pool_geometry geometry = {
        .workers = 1, .threads = threads, .lanes = 1, .slots = pool_geometry_slots(1, threads)
    };
    int memfd = pool_create(&geometry), event = event_new();
    struct pool_fds fds = { .memfd = memfd, .eventfds = &event, .lanes = 1 };

    assert_true(memfd >= 0 && event >= 0);
    assert_int_equal(pool_map(memfd, &app->pool), 0);
    pool_set_lane_fds(app->pool, &event, 1);
    assert_int_equal(pools_open(&rig->edge.dispatch, number, &fds, &app->generation), 0);
    assert_int_equal(lane_add_pool(rig->lane, app->generation), 0);
    join(rig, app);
}

void rig_app_open(struct rig *rig, struct rig_app *app, uint32_t number, uint32_t threads)
{
    rig_app_boot(rig, app, number, threads);
    pools_switch(&rig->edge.dispatch, app->generation);
}

void rig_app_close(struct rig *rig, struct rig_app *app)
{
    close(app->channel);
    pools_abandon(&rig->edge.dispatch, app->generation);
    lane_drop_pool(rig->lane, app->generation);
    pools_close(&rig->edge.dispatch, app->generation);
    pool_unmap(app->pool);
}

void rig_app_kill(struct rig *rig, struct rig_app *app)
{
    close(app->channel);
    pools_worker_gone(&rig->edge.dispatch, app->generation, 0);
    app_settle_lost(rig->lane, app->generation);
    join(rig, app);
}

struct pool_ticket rig_app_take(struct rig_app *app, uint32_t seat, struct pool_request *request)
{
    struct pool_ticket ticket;

    assert_int_equal(pool_try_take(app->pool, seat, &ticket), POOL_TAKEN);
    assert_int_equal(pool_request_read(app->pool, ticket, request), 0);
    return ticket;
}

bool rig_app_idle(struct rig_app *app, uint32_t seat)
{
    struct pool_ticket ticket;

    return pool_try_take(app->pool, seat, &ticket) == POOL_TIMEOUT;
}

void rig_app_head(struct rig_app *app, struct pool_ticket ticket, unsigned status, const char *name, const char *value)
{
    struct pool_field field = { str_of(name), str_of(value) };
    struct pool_head head = { .status = (uint16_t)status, .fields = &field, .n_fields = name == NULL ? 0 : 1 };

    assert_int_equal(pool_put_head(app->pool, ticket, &head), 0);
}

void rig_app_data(struct rig_app *app, struct pool_ticket ticket, const char *data)
{
    assert_int_equal(pool_put_data(app->pool, ticket, str_of(data)), strlen(data));
    pool_attention(app->pool, ticket);
}

void rig_app_end(struct rig_app *app, struct pool_ticket ticket, uint32_t seat)
{
    assert_int_equal(pool_put_end(app->pool, ticket), 0);
    pool_done(app->pool, seat, ticket);
}
