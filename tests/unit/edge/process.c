/* An edge as a child, its supervisor and its workers. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "edge/edge.h"
#include "pool/response.h"
#include "pool/wake.h"
#include "wire/inherit.h"

void process_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "edge") == 0)
        exit(edge_main(argc, argv));
}

void process_init(struct process *p)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    char path[128];

    memset(p, 0, sizeof(*p));
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(p->listener, 1024), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&address, &len), 0);
    p->port = ntohs(address.sin_port);
    p->log = memfd_create("log", MFD_CLOEXEC);
    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/quintet-process-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(path, sizeof(path), "%s/a.css", p->dir);
    {
        FILE *f = fopen(path, "w");

        fputs("body{}", f);
        fclose(f);
    }
}

static void in_child(int channel, int log, unsigned max_fds)
{
    char *argv[] = { (char *)"/proc/self/exe", (char *)"edge", NULL };
    struct rlimit limit = { max_fds, max_fds };

    if (dup2(log, 2) < 0 || dup2(channel, INHERIT_SUPERVISOR) < 0)
        _exit(9);
    if (channel == INHERIT_SUPERVISOR)
        (void)fcntl(channel, F_SETFD, 0);
    if (max_fds != 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0)
        _exit(9);
    execv(argv[0], argv);
    _exit(9);
}

void process_start(struct process *p, unsigned max_fds)
{
    struct wire_message m = { .type = WIRE_LISTENER, .text = STR("test"), .n_fds = 1 };
    int fds[2];

    assert_int_equal(wire_pair(fds), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0)
        in_child(fds[1], p->log, max_fds);
    close(fds[1]);
    p->supervisor = fds[0];
    m.fds[0] = p->listener;
    assert_int_equal(wire_send(p->supervisor, &m), 0);
    m = (struct wire_message){ .type = WIRE_LOGS, .n_fds = 2, .fds = { p->log, p->log } };
    assert_int_equal(wire_send(p->supervisor, &m), 0);
}

static int make_conf(void)
{
    struct conf_builder *b = conf_builder_new();
    char error[CONF_ERROR_MAX];
    struct buf text;
    int fd;

    buf_init(&text, 1 << 16);
    assert_int_equal(conf_set(b, CONF_COMMAND_LINE, STR("test"), STR("edge_threads"), STR("3"), error), 0);
    assert_int_equal(conf_finish(b, error), 0);
    assert_int_equal(conf_write(b, &text), 0);
    fd = wire_blob_make("conf", buf_str(&text));
    buf_fini(&text);
    conf_builder_free(b);
    return fd;
}

static void tell(struct process *p, enum wire_type type, uint32_t generation, uint32_t worker)
{
    struct wire_message m = { .type = type, .generation = generation, .worker = worker };

    assert_int_equal(wire_send(p->supervisor, &m), 0);
}

void process_configure(struct process *p)
{
    struct wire_message conf = { .type = WIRE_CONF, .n_fds = 1, .fds = { make_conf() } };
    struct wire_message root = { .type = WIRE_ROOT, .n_fds = 1, .text = STR("static /static/") };

    root.fds[0] = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(wire_send(p->supervisor, &conf), 0);
    assert_int_equal(wire_send(p->supervisor, &root), 0);
    tell(p, WIRE_START, 0, 0);
    close(conf.fds[0]);
    close(root.fds[0]);
}

void process_await(struct process *p, enum wire_type type, struct wire_message *m)
{
    struct timeval limit = { .tv_sec = 60 };

    assert_int_equal(setsockopt(p->supervisor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    for (;;) {
        int r = wire_receive(p->supervisor, "ES", 0, p->text, m);

        if (r != 1) {
            process_log(p);
            fail_msg("waiting for %s: %d", wire_name(type), r);
        }
        if (m->type == type)
            return;
        wire_close_fds(m);
    }
}

int process_end(struct process *p)
{
    int status;

    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    close(p->supervisor);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void process_fini(struct process *p)
{
    if (p->listener >= 0)
        close(p->listener);
    close(p->log);
    assert_int_equal(nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void process_log(struct process *p)
{
    char text[65536];
    ssize_t n = pread(p->log, text, sizeof(text), 0);

    if (n > 0)
        (void)!write(2, text, (size_t)n);
}

/* ---- workers ---- */

static void answer(struct pool *pool, uint32_t seat, struct pool_ticket t)
{
    struct pool_field field = { STR("Content-Length"), STR("5") };
    struct pool_head head = { .status = 200, .fields = &field, .n_fields = 1 };

    must(pool_put_head(pool, t, &head) == 0);
    must(pool_put_data(pool, t, STR("hello")) == 5);
    must(pool_put_end(pool, t) == 0);
    pool_attention(pool, t);
    pool_done(pool, seat, t);
}

struct place {
    struct process_generation *g;
    uint32_t index;
};

static void *work(void *arg)
{
    struct place *place = arg;
    struct process_generation *g = place->g;
    uint32_t seat = place->index;
    struct pool_ticket t;
    enum pool_take_result r;

    free(place);
    while ((r = pool_take(g->pool, seat, UINT64_MAX, &t)) != POOL_CLOSED) {
        if (r != POOL_TAKEN)
            continue;
        if (atomic_exchange(&g->workers[seat].dies, false))
            return NULL;
        answer(g->pool, seat, t);
    }
    return NULL;
}

static void start_worker(struct process_generation *g, uint32_t index)
{
    struct place *place = malloc(sizeof(*place));

    must(place != NULL);
    *place = (struct place){ g, index };
    assert_int_equal(pthread_create(&g->workers[index].thread, NULL, work, place), 0);
}

static void join(struct process *p, struct process_generation *g, uint32_t index, int32_t pid)
{
    struct wire_message m = {
        .type = WIRE_WORKER_JOIN, .generation = g->number, .worker = index, .pid = pid, .n_fds = 1
    };
    int fds[2];

    assert_int_equal(wire_pair(fds), 0);
    m.fds[0] = fds[1];
    assert_int_equal(wire_send(p->supervisor, &m), 0);
    close(fds[1]);
    if (g->workers[index].channel >= 0)
        close(g->workers[index].channel);
    g->workers[index].channel = fds[0];
}

void process_open(struct process *p, struct process_generation *g, uint32_t number)
{
    struct wire_message m = { .type = WIRE_POOL_OPEN,
                              .generation = number,
                              .number = (uint64_t)PROCESS_WORKERS << 32 | 1 };

    memset(g, 0, sizeof(*g));
    g->number = number;
    assert_int_equal(wire_send(p->supervisor, &m), 0);
    process_await(p, WIRE_POOL, &m);
    g->n_fds = m.n_fds;
    memcpy(g->fds, m.fds, sizeof(g->fds));
    assert_int_equal(g->n_fds, 1 + PROCESS_LANES);
    assert_int_equal(pool_map(g->fds[0], &g->pool), 0);
    pool_set_lane_fds(g->pool, g->fds + 1, PROCESS_LANES);
    for (uint32_t i = 0; i < PROCESS_WORKERS; i++) {
        g->workers[i].channel = -1;
        start_worker(g, i);
        join(p, g, i, getpid());
    }
}

void process_adopt(struct process *p, struct process_generation *g)
{
    struct wire_message m = { .type = WIRE_POOL_ADOPT, .generation = g->number, .n_fds = g->n_fds };

    memcpy(m.fds, g->fds, sizeof(m.fds));
    assert_int_equal(wire_send(p->supervisor, &m), 0);
    for (uint32_t i = 0; i < PROCESS_WORKERS; i++)
        join(p, g, i, getpid());
}

void process_switch(struct process *p, struct process_generation *g)
{
    tell(p, WIRE_SWITCH, g->number, 0);
}

/* All threads are of this one process, so the successor has its pid: the edge is told of the death first. */
void process_replace_worker(struct process *p, struct process_generation *g, uint32_t index)
{
    atomic_store(&g->workers[index].dies, true);
    pthread_join(g->workers[index].thread, NULL);
    tell(p, WIRE_WORKER_GONE, g->number, index);
    join(p, g, index, getpid());
    start_worker(g, index);
}

void process_close(struct process_generation *g)
{
    pool_close(g->pool, 0, PROCESS_WORKERS);
    for (uint32_t i = 0; i < PROCESS_WORKERS; i++) {
        pthread_join(g->workers[i].thread, NULL);
        close(g->workers[i].channel);
    }
    pool_unmap(g->pool);
    for (size_t i = 0; i < g->n_fds; i++)
        close(g->fds[i]);
}
