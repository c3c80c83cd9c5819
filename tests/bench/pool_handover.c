/*
 * What a hand-over costs: a small request to a worker process and its small response back.
 *
 * usage: pool_handover [REQUESTS]
 *
 *   hot        both sides look without ever sleeping: the price of the shared memory itself
 *   asleep     one request at a time, each side sleeps meanwhile: a futex wake-up there, an eventfd back
 *   pipelined  as many requests out as there are slots, each side sleeps only when it has nothing to do: the loaded server
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "pool/request.h"
#include "pool/response.h"
#include "pool/slot.h"
#include "pool/wake.h"

#define SLOTS 8
#define BATCH 2000 /* requests; the best batch is what the code costs where others want the cores too */

static int memfd, lane_fd;
static struct pool *pool;
static uint32_t serials[SLOTS];
static bool is_free[SLOTS];
static struct pool_reader readers[SLOTS];
static struct pool_request request;
static uint64_t answered, sleeps;

static void answer(uint32_t seat, struct pool_ticket ticket)
{
    static struct pool_request in;
    struct pool_field fields[] = { { STR("Content-Type"), STR("text/plain") }, { STR("Content-Length"), STR("11") } };
    struct pool_head head = { .status = 200, .reason = STR("OK"), .fields = fields, .n_fields = 2 };

    must(pool_request_read(pool, ticket, &in) == 0);
    must(pool_put_head(pool, ticket, &head) == 0);
    must(pool_put_data(pool, ticket, STR("hello world")) == 11);
    must(pool_put_end(pool, ticket) == 0);
    pool_done(pool, seat, ticket);
}

static void worker(bool hot)
{
    struct pool_ticket ticket;
    enum pool_take_result result;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pool_unmap(pool);
    must(pool_map(memfd, &pool) == 0);
    pool_set_lane_fds(pool, &lane_fd, 1);
    for (;;) {
        result = hot ? pool_try_take(pool, 0, &ticket) : pool_take(pool, 0, UINT64_MAX, &ticket);
        if (result == POOL_CLOSED)
            _exit(0);
        if (result == POOL_TAKEN)
            answer(0, ticket);
    }
}

static void hand_over(uint32_t slot)
{
    struct pool_ticket ticket = { slot, serials[slot] };

    readers[slot] = (struct pool_reader){ 0 };
    must(pool_request_write(pool, ticket, &request) == 0);
    pool_ready(pool, ticket, 0);
}

static void on_attention(void *arg, uint32_t slot)
{
    struct pool_ticket ticket = { slot, serials[slot] };
    struct pool_piece piece;

    while (pool_peek(pool, ticket, &readers[slot], &piece) == 1)
        pool_consume(pool, ticket, &readers[slot], &piece, piece.size);
    must(pool_release(pool, ticket, &serials[slot]) == 0);
    answered++;
    if (*(uint64_t *)arg > 0) {
        --*(uint64_t *)arg;
        hand_over(slot);
    }
}

static void lane_sleep(void)
{
    struct pollfd at = { .fd = lane_fd, .events = POLLIN };
    uint64_t n;

    if (!pool_lane_sleep(pool, 0))
        return;
    sleeps++;
    must(poll(&at, 1, 10000) == 1);
    pool_lane_woken(pool, 0);
    (void)!read(lane_fd, &n, sizeof(n));
}

static void run(const char *name, bool hot, uint32_t at_once, uint64_t n)
{
    uint64_t left = n - at_once, start, batch_start, batch_end = BATCH, best = UINT64_MAX;
    pid_t pid = fork();

    must(pid >= 0);
    if (pid == 0)
        worker(hot);
    (void)poll(NULL, 0, 100); /* it starts; not measured */
    answered = sleeps = 0;
    start = batch_start = clock_mono_ns();
    for (uint32_t slot = 0; slot < at_once; slot++)
        hand_over(slot);
    while (answered < n) {
        if (pool_lane_take(pool, 0, on_attention, &left) == 0 && !hot)
            lane_sleep();
        if (answered >= batch_end) {
            uint64_t now = clock_mono_ns();
            if (now - batch_start < best)
                best = now - batch_start;
            batch_start = now;
            batch_end = answered + BATCH;
        }
    }
    printf("%-10s best %6.0f ns, mean %6.0f ns a request; %4.2f lane sleeps a request\n", name, (double)best / BATCH,
           (double)(clock_mono_ns() - start) / (double)n, (double)sleeps / (double)n);
    pool_close(pool, 0, 1);
    must(waitpid(pid, NULL, 0) == pid);
    pool_reopen(pool, 0, 1, 0);
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;

    memfd = pool_create(&(struct pool_geometry){ .workers = 1, .threads = 1, .lanes = 1, .slots = SLOTS });
    lane_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(memfd >= 0 && lane_fd >= 0 && n > BATCH + SLOTS && pool_map(memfd, &pool) == 0);
    pool_set_lane_fds(pool, &lane_fd, 1);
    pool_adopt(pool, serials, is_free);
    request.vars[POOL_METHOD] = STR("GET");
    request.vars[POOL_TARGET] = request.vars[POOL_PATH] = STR("/products/guitar/");
    request.vars[POOL_PROTOCOL] = STR("HTTP/1.1");
    request.fields[0] = (struct pool_field){ STR("host"), STR("shop.example") };
    request.fields[1] =
        (struct pool_field){ STR("user-agent"), STR("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36") };
    request.fields[2] = (struct pool_field){ STR("cookie"), STR("sessionid=abcdefghijklmnopqrstuvwxyz012345") };
    request.n_fields = 3;
    run("hot", true, 1, n);
    run("asleep", false, 1, n);
    run("pipelined", false, SLOTS, n);
    pool_unmap(pool);
    return 0;
}
