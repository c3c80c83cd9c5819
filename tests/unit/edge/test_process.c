/* The edge as a whole: three lanes under load while it is drained, stopped, reloaded, killed and starved of descriptors. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/must.h"
#include "process.h"

#define CLIENTS 6

/* ---- clients ---- */

static int dial(unsigned short port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(port) };
    struct timeval limit = { .tv_sec = 30 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0);
    must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

enum outcome {
    GOOD,
    CLOSED, /* no byte of an answer */
    BAD,    /* half an answer, or none in 30 s */
    REFUSED /* a whole answer other than 200 */
};

/* One answer with Content-Length. */
static enum outcome receive(int fd)
{
    char text[8192];
    size_t n = 0;

    for (;;) {
        ssize_t r = recv(fd, text + n, sizeof(text) - 1 - n, 0);
        const char *body, *length;

        if (r <= 0)
            return n == 0 && (r == 0 || errno == ECONNRESET) ? CLOSED : BAD;
        n += (size_t)r;
        text[n] = '\0';
        body = strstr(text, "\r\n\r\n");
        length = strstr(text, "Content-Length: ");
        if (body == NULL || length == NULL || n < (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10))
            continue;
        return strncmp(text, "HTTP/1.1 200 ", 13) == 0 ? GOOD : REFUSED;
    }
}

static enum outcome ask(int fd, const char *path)
{
    char request[128];
    int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        return CLOSED;
    return receive(fd);
}

struct load {
    struct process *p;
    pthread_t threads[CLIENTS];
    atomic_bool stop;
    atomic_uint outcomes[4];
    atomic_uint heard[CLIENTS]; /* how many outcomes each client has had */
    atomic_uint n_clients;
};

static void *client(void *arg)
{
    struct load *load = arg;
    atomic_uint *heard = &load->heard[atomic_fetch_add(&load->n_clients, 1)];
    unsigned n = 0;

    while (!atomic_load(&load->stop)) {
        int fd = dial(load->p->port);
        enum outcome outcome = fd < 0 ? CLOSED : GOOD;

        for (int i = 0; i < 50 && outcome == GOOD && !atomic_load(&load->stop); i++) {
            outcome = ask(fd, n++ % 3 == 0 ? "/static/a.css" : "/");
            atomic_fetch_add(&load->outcomes[outcome], 1);
            atomic_fetch_add(heard, 1);
        }
        if (fd >= 0)
            close(fd);
        else
            usleep(1000); /* nobody listens now */
    }
    return NULL;
}

static void load_begin(struct load *load, struct process *p)
{
    memset(load, 0, sizeof(*load));
    load->p = p;
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&load->threads[i], NULL, client, load), 0);
}

/* Until so many more good answers have come. */
static void load_await(struct load *load, unsigned more)
{
    unsigned from = atomic_load(&load->outcomes[GOOD]);
    uint64_t limit = clock_mono_ns() + 60 * NS_PER_SEC;

    while (atomic_load(&load->outcomes[GOOD]) - from < more) {
        if (clock_mono_ns() > limit)
            process_log(load->p);
        assert_true(clock_mono_ns() <= limit);
        usleep(1000);
    }
}

/* Until every client has heard again: what was with a worker a moment ago is answered. */
static void load_await_all(struct load *load)
{
    uint64_t limit = clock_mono_ns() + 60 * NS_PER_SEC;
    unsigned from[CLIENTS];

    for (size_t i = 0; i < CLIENTS; i++)
        from[i] = atomic_load(&load->heard[i]);
    for (size_t i = 0; i < CLIENTS; i++) {
        while (atomic_load(&load->heard[i]) == from[i]) {
            assert_true(clock_mono_ns() <= limit);
            usleep(1000);
        }
    }
}

static void load_end(struct load *load)
{
    atomic_store(&load->stop, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(load->threads[i], NULL);
    if (atomic_load(&load->outcomes[BAD]) > 0 || atomic_load(&load->outcomes[REFUSED]) > 0)
        process_log(load->p);
    assert_int_equal(atomic_load(&load->outcomes[BAD]), 0);
    assert_int_equal(atomic_load(&load->outcomes[REFUSED]), 0);
}

/* ---- tests ---- */

static void begin(struct process *p, struct process_generation *g)
{
    struct wire_message m;

    process_init(p);
    process_start(p, 0);
    process_configure(p);
    process_await(p, WIRE_READY, &m);
    process_open(p, g, 1);
    process_switch(p, g);
}

static void expect_end(struct process *p, int status)
{
    int got = process_end(p);

    if (got != status)
        process_log(p);
    assert_int_equal(got, status);
}

static void drain(struct process *p)
{
    struct wire_message m = { .type = WIRE_DRAIN };

    assert_int_equal(wire_send(p->supervisor, &m), 0);
    process_await(p, WIRE_DRAINED, &m);
    shutdown(p->supervisor, SHUT_RDWR);
    expect_end(p, 0);
}

static void drains_under_load(void **state)
{
    struct process_generation g;
    struct process p;
    struct load load;

    (void)state;
    begin(&p, &g);
    load_begin(&load, &p);
    load_await(&load, 300);
    close(p.listener); /* nobody waits in its backlog then */
    p.listener = -1;
    drain(&p);
    load_end(&load);
    process_close(&g);
    process_fini(&p);
}

static void every_lane_gets_its_share(void **state)
{
    enum { N = 60 };
    struct wire_message m = { .type = WIRE_STATUS_ASK, .number = 1 };
    struct process_generation g;
    struct process p;
    int clients[N];
    const char *at;

    (void)state;
    begin(&p, &g);
    for (int i = 0; i < N; i++) {
        clients[i] = dial(p.port);
        assert_int_equal(ask(clients[i], "/"), GOOD);
    }
    assert_int_equal(wire_send(p.supervisor, &m), 0);
    process_await(&p, WIRE_STATUS, &m);
    at = memmem(m.text.p, m.text.n, "\"open\":[", 8);
    assert_non_null(at);
    for (int i = 0; i < PROCESS_LANES; i++) {
        char *end;

        assert_in_range(strtoul(at + (i == 0 ? 8 : 1), &end, 10), N / PROCESS_LANES - 8, N / PROCESS_LANES + 8);
        at = end;
    }
    for (int i = 0; i < N; i++)
        close(clients[i]);
    drain(&p);
    process_close(&g);
    process_fini(&p);
}

static void stops_at_once_under_load(void **state)
{
    enum { IDLE = 60 }; /* so that every lane has some */
    struct process_generation g;
    struct process p;
    struct load load;
    int idle[IDLE];

    (void)state;
    begin(&p, &g);
    for (int i = 0; i < IDLE; i++) {
        idle[i] = dial(p.port);
        assert_int_equal(ask(idle[i], "/"), GOOD);
    }
    load_begin(&load, &p);
    load_await(&load, 300);
    shutdown(p.supervisor, SHUT_RDWR);
    expect_end(&p, 0);
    close(p.listener);
    p.listener = -1;
    atomic_store(&load.stop, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(load.threads[i], NULL);
    for (int k = 0; k < IDLE; k++)
        close(idle[k]);
    process_close(&g);
    process_fini(&p);
}

static uint64_t slots_used(struct process *p)
{
    struct wire_message m = { .type = WIRE_STATUS_ASK, .number = 1 };
    const char *used;

    assert_int_equal(wire_send(p->supervisor, &m), 0);
    process_await(p, WIRE_STATUS, &m);
    used = memmem(m.text.p, m.text.n, "\"slots_used\":", 13);
    assert_non_null(used);
    return strtoul(used + 13, NULL, 10);
}

/* A lane is not woken for a slot that only comes free; lane 0 looks after those, with nothing else to do (overdue.h). */
static void await_no_slot_used(struct process *p)
{
    uint64_t limit = clock_mono_ns() + 20 * NS_PER_SEC;

    while (slots_used(p) > 0)
        assert_true(clock_mono_ns() < limit);
}

static void reloads_under_load(void **state)
{
    struct process_generation g[2];
    struct wire_message m;
    struct process p;
    struct load load;

    (void)state;
    begin(&p, &g[1]);
    load_begin(&load, &p);
    for (uint32_t number = 2; number < 8; number++) {
        struct process_generation *next = &g[number % 2], *old = &g[(number + 1) % 2];

        process_configure(&p);
        process_open(&p, next, number);
        process_switch(&p, next);
        process_await(&p, WIRE_POOL_IDLE, &m);
        assert_int_equal(m.generation, number - 1);
        process_close(old);
        m = (struct wire_message){ .type = WIRE_POOL_CLOSE, .generation = number - 1 };
        assert_int_equal(wire_send(p.supervisor, &m), 0);
        load_await(&load, 100);
    }
    load_end(&load);
    assert_int_equal(atomic_load(&load.outcomes[CLOSED]), 0);
    await_no_slot_used(&p);
    drain(&p);
    process_close(&g[1]);
    process_fini(&p);
}

/* Every request is a GET, so that each death is made good by a replay: but one a request, so the next worker waits for those. */
static void replaces_workers_under_load(void **state)
{
    struct process_generation g;
    struct process p;
    struct load load;

    (void)state;
    begin(&p, &g);
    load_begin(&load, &p);
    for (uint32_t i = 0; i < 20; i++) {
        load_await(&load, 20);
        process_replace_worker(&p, &g, i % PROCESS_WORKERS);
        load_await_all(&load);
    }
    load_await(&load, 100);
    load_end(&load);
    assert_int_equal(atomic_load(&load.outcomes[CLOSED]), 0);
    await_no_slot_used(&p);
    drain(&p);
    process_close(&g);
    process_fini(&p);
}

static void another_edge_adopts_the_workers(void **state)
{
    struct process_generation g;
    struct process p;
    struct load load;
    struct wire_message m;

    (void)state;
    begin(&p, &g);
    load_begin(&load, &p);
    for (int i = 0; i < 4; i++) {
        load_await(&load, 100);
        assert_int_equal(kill(p.pid, SIGKILL), 0);
        assert_int_equal(process_end(&p), 1000 + SIGKILL);
        process_start(&p, 0);
        process_configure(&p);
        process_adopt(&p, &g);
        process_switch(&p, &g);
        process_await(&p, WIRE_READY, &m);
    }
    load_await(&load, 100);
    atomic_store(&load.stop, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(load.threads[i], NULL); /* answers that were cut off are the killed edge's */
    await_no_slot_used(&p);
    drain(&p);
    process_close(&g);
    process_fini(&p);
}

/* More clients than descriptors, and all of them silent: they make room for one who asks, and the supervisor's descriptors still arrive. */
static void survives_without_descriptors(void **state)
{
    enum { N = 150 };
    struct process_generation g;
    struct wire_message m;
    struct process p;
    int clients[N], fd;

    (void)state;
    process_init(&p);
    process_start(&p, 64);
    process_configure(&p);
    process_await(&p, WIRE_READY, &m);
    process_open(&p, &g, 1);
    process_switch(&p, &g);
    fd = dial(p.port);
    assert_int_equal(ask(fd, "/"), GOOD);
    for (int i = 0; i < N; i++) {
        clients[i] = dial(p.port);
        assert_true(clients[i] >= 0);
    }
    for (int i = 0; i < 3; i++) {
        process_configure(&p); /* a directory's descriptor, and the configuration's */
        await_no_slot_used(&p);
        for (int path = 0; path < 2; path++) {
            int one = dial(p.port);

            assert_int_equal(ask(one, path == 0 ? "/" : "/static/a.css"), GOOD);
            close(one);
        }
    }
    close(fd);
    for (int i = 0; i < N; i++)
        close(clients[i]);
    fd = dial(p.port);
    assert_int_equal(ask(fd, "/"), GOOD);
    close(fd);
    drain(&p);
    process_close(&g);
    process_fini(&p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lane_gets_its_share),    cmocka_unit_test(drains_under_load),
        cmocka_unit_test(stops_at_once_under_load),     cmocka_unit_test(reloads_under_load),
        cmocka_unit_test(replaces_workers_under_load),  cmocka_unit_test(another_edge_adopts_the_workers),
        cmocka_unit_test(survives_without_descriptors),
    };

    process_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
