/* See players.h. */
#include "players.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "pool/request.h"
#include "pool/wake.h"

#define LARGE_BYTES (200u << 10)

void (*pool_step_hook)(enum pool_step step);
static enum pool_step fatal_step;
static unsigned fatal_nth;
static struct pool *hook_pool; /* a worker's; NULL in an edge */

static void await_entries(uint64_t n)
{
    while (atomic_load(&hook_pool->ready->tail) - atomic_load(&hook_pool->ready->head) < n)
        sched_yield();
}

/* Some steps need others to have come so far; the victim waits for them just before. */
static void await_scene(enum pool_step step)
{
    switch (fatal_step) {
    case POOL_STEP_SLEEP_CANCELLED: /* an entry between a worker's mark and its look */
        if (step == POOL_STEP_SLEEP_MARKED)
            await_entries(1);
        break;
    case POOL_STEP_PASS_ON: /* more than one entry for a seat that was woken */
    case POOL_STEP_WAKE_UNMARKED:
    case POOL_STEP_WAKE_CHANGED:
        if (step == POOL_STEP_SLEEP_WOKEN)
            await_entries(2);
        break;
    case POOL_STEP_ATTENTION_CLAIMED: /* a sleeping lane */
    case POOL_STEP_ATTENTION_SENT:
        while (step == POOL_STEP_DONE_WORD && atomic_load(&hook_pool->lanes[0].asleep) == 0)
            sched_yield();
        break;
    default:
        break;
    }
}

static void hook(enum pool_step step)
{
    if (hook_pool != NULL)
        await_scene(step);
    if (step == fatal_step && --fatal_nth == 0)
        raise(SIGKILL);
}

void kill_at(enum pool_step step, unsigned nth)
{
    fatal_step = step;
    fatal_nth = nth;
    pool_step_hook = hook;
}

static const struct {
    const char *name;
    char who;
} steps[] = {
#define X(name, who) { #name, who },
    POOL_STEP_LIST(X)
#undef X
};

const char *step_name(enum pool_step step)
{
    return steps[step].name;
}

char step_who(enum pool_step step)
{
    return steps[step].who;
}

void stage_open(struct stage *stage)
{
    stage->board = mmap(NULL, sizeof(*stage->board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(stage->board != MAP_FAILED);
    stage->memfd =
        pool_create(&(struct pool_geometry){ .workers = 4, .threads = 1, .lanes = 1, .slots = PLAYERS_SLOTS });
    stage->lane_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(stage->memfd >= 0 && stage->lane_fd >= 0);
}

void stage_close(struct stage *stage)
{
    munmap(stage->board, sizeof(*stage->board));
    close(stage->memfd);
    close(stage->lane_fd);
}

struct pool *stage_map(const struct stage *stage)
{
    struct pool *pool;

    must(pool_map(stage->memfd, &pool) == 0);
    pool_set_lane_fds(pool, &stage->lane_fd, 1);
    return pool;
}

/* ---- worker ---- */

static unsigned char byte_of(uint32_t id, uint64_t at)
{
    return (unsigned char)(id * 17 + at);
}

static bool put_body(struct pool *pool, struct pool_ticket ticket, uint32_t id, size_t size)
{
    static unsigned char bytes[LARGE_BYTES];

    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_of(id, i);
    for (size_t done = 0; done < size;) {
        done += pool_put_data(pool, ticket, str_make((char *)bytes + done, size - done));
        if (done < size && pool_wait_room(pool, ticket, UINT64_MAX) != 0)
            return false;
    }
    return true;
}

static void run_errand(const struct stage *stage, struct pool *pool, uint32_t seat, struct pool_ticket ticket)
{
    static struct pool_request request;
    struct pool_head head = { .status = 200, .reason = STR("OK") };
    struct errand_slip slip;

    must(pool_request_read(pool, ticket, &request) == 0 && request.vars[POOL_TARGET].n == sizeof(slip));
    memcpy(&slip, request.vars[POOL_TARGET].p, sizeof(slip));
    atomic_fetch_add(&stage->board->runs[slip.id], 1);
    if (slip.errand == ERRAND_ASK)
        pool_ask_body(pool, ticket);
    must(pool_put_head(pool, ticket, &head) == 0);
    if (put_body(pool, ticket, slip.id, slip.errand == ERRAND_LARGE ? LARGE_BYTES : 11)) {
        while (pool_put_end(pool, ticket) == -EAGAIN) {
            if (pool_wait_room(pool, ticket, UINT64_MAX) != 0)
                break;
        }
    }
    if (slip.errand == ERRAND_CLOSE)
        pool_close(pool, seat, 1);
    pool_done(pool, seat, ticket);
}

void worker_main(const struct stage *stage, uint32_t seat)
{
    struct pool *pool = stage_map(stage);
    struct pool_ticket ticket;

    hook_pool = pool;
    while (pool_take(pool, seat, UINT64_MAX, &ticket) == POOL_TAKEN)
        run_errand(stage, pool, seat, ticket);
    _exit(0);
}

pid_t worker_start(const struct stage *stage, uint32_t seat, enum pool_step step, unsigned nth)
{
    pid_t pid = fork();

    must(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (nth > 0)
        kill_at(step, nth);
    worker_main(stage, seat);
}

/* ---- edge ---- */

void edge_open(struct edge *edge, const struct stage *stage, uint32_t first_id)
{
    *edge = (struct edge){ .stage = stage, .pool = stage_map(stage), .next_id = first_id };
    pool_adopt(edge->pool, edge->serials, edge->is_free);
    pool_set_hungry(edge->pool, true); /* it waits for slots that come free */
}

void edge_close(struct edge *edge)
{
    pool_unmap(edge->pool);
}

uint32_t edge_free(const struct edge *edge)
{
    uint32_t n = 0;

    for (uint32_t slot = 0; slot < PLAYERS_SLOTS; slot++)
        n += edge->is_free[slot];
    return n;
}

static void write_slip(struct edge *edge, uint32_t slot, struct errand_slip slip)
{
    static struct pool_request request;
    struct order *order = &edge->orders[slot];

    *order = (struct order){ .slip = slip, .ticket = { slot, edge->serials[slot] }, .out = true };
    request.vars[POOL_TARGET] = str_make((char *)&order->slip, sizeof(order->slip));
    must(pool_request_write(edge->pool, order->ticket, &request) == 0);
    edge->is_free[slot] = false;
    pool_ready(edge->pool, order->ticket, 0);
}

uint32_t edge_hand_over(struct edge *edge, enum errand errand)
{
    uint32_t slot = 0;

    while (!edge->is_free[slot])
        must(++slot < PLAYERS_SLOTS);
    must(edge->next_id < PLAYERS_IDS);
    write_slip(edge, slot, (struct errand_slip){ edge->next_id++, (uint32_t)errand });
    return slot;
}

/* So that a large response is sure to meet a full ring and a sleeping writer, whoever is faster. */
static void let_it_wait(struct edge *edge, const struct order *order)
{
    const struct shared_slot *slot = &edge->pool->slots[order->ticket.slot];

    while (atomic_load(&slot->written) - order->reader.consumed > POOL_RING_BYTES - POOL_ROOM_WAKE &&
           order->got + POOL_RING_BYTES < LARGE_BYTES && atomic_load(&slot->waiting) == 0 &&
           kill(edge->watched, 0) == 0) {
        siginfo_t info = { 0 };
        if (edge->watched > 0 && waitid(P_PID, (id_t)edge->watched, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0)
            break;
        sched_yield();
    }
}

static void check_bytes(struct order *order, const struct pool_piece *piece)
{
    for (int i = 0; i < piece->n_data; i++) {
        const unsigned char *bytes = piece->data[i].iov_base;
        for (size_t j = 0; j < piece->data[i].iov_len; j++)
            must(bytes[j] == byte_of(order->slip.id, order->got++));
    }
}

static void read_all(struct edge *edge, struct order *order)
{
    struct pool_piece piece;
    int rc;

    if (order->slip.errand == ERRAND_LARGE)
        let_it_wait(edge, order);
    while ((rc = pool_peek(edge->pool, order->ticket, &order->reader, &piece)) == 1) {
        must(piece.kind != POOL_FRAME_FAIL && piece.kind != POOL_FRAME_FILE);
        if (piece.kind == POOL_FRAME_DATA)
            check_bytes(order, &piece);
        if (piece.kind == POOL_FRAME_END) {
            must(order->got == (order->slip.errand == ERRAND_LARGE ? LARGE_BYTES : 11));
            order->ended = true;
        }
        pool_consume(edge->pool, order->ticket, &order->reader, &piece, piece.size);
    }
    must(rc == 0);
}

static void put_away(struct edge *edge, uint32_t slot)
{
    edge->orders[slot].out = false;
    edge->is_free[slot] = true;
    edge->answered++;
}

static void on_attention(void *arg, uint32_t slot)
{
    struct edge *edge = arg;
    struct order *order = &edge->orders[slot];
    struct pool_look look;

    if (!order->out)
        return;
    must(pool_look(edge->pool, order->ticket, &look) == 0);
    (void)pool_body_asked(edge->pool, order->ticket);
    read_all(edge, order);
    if (look.phase != POOL_DONE)
        return;
    must(order->ended);
    must(pool_release(edge->pool, order->ticket, &edge->serials[slot]) == 0);
    put_away(edge, slot);
}

bool edge_turn(struct edge *edge, int ms)
{
    struct pollfd at = { .fd = edge->stage->lane_fd, .events = POLLIN };
    bool woken = true;
    uint64_t n;

    if (pool_lane_take(edge->pool, 0, on_attention, edge) > 0)
        return true;
    if (pool_lane_sleep(edge->pool, 0))
        woken = poll(&at, 1, ms) > 0;
    pool_lane_woken(edge->pool, 0);
    (void)!read(at.fd, &n, sizeof(n));
    pool_lane_take(edge->pool, 0, on_attention, edge);
    return woken;
}

static bool has_orders(const struct edge *edge)
{
    for (uint32_t slot = 0; slot < PLAYERS_SLOTS; slot++) {
        if (edge->orders[slot].out)
            return true;
    }
    return false;
}

void edge_finish(struct edge *edge)
{
    while (has_orders(edge))
        must(edge_turn(edge, PLAYERS_LOST_MS));
    must(pool_waiting(edge->pool) == 0);
}

uint32_t edge_bury(struct edge *edge, uint32_t seat)
{
    uint32_t replayed = 0;

    for (uint32_t slot = 0; slot < PLAYERS_SLOTS; slot++) {
        struct order *order = &edge->orders[slot];
        struct pool_look look;
        if (!order->out || pool_look(edge->pool, order->ticket, &look) != 0 || look.phase == POOL_READY ||
            look.seat != seat)
            continue;
        read_all(edge, order);
        pool_reap(edge->pool, order->ticket, &edge->serials[slot]);
        if (order->ended) {
            put_away(edge, slot);
        } else {
            replayed++;
            write_slip(edge, slot, order->slip);
        }
    }
    pool_recover(edge->pool, seat, 1);
    return replayed;
}

bool is_asleep(const struct edge *edge, uint32_t seat)
{
    return atomic_load(&edge->pool->sleepers[0]) >> seat & 1;
}

void await_asleep(const struct edge *edge, uint32_t seat)
{
    uint64_t deadline = clock_mono_ns() + PLAYERS_LOST_MS * NS_PER_MS;

    while (!is_asleep(edge, seat)) {
        must(clock_mono_ns() < deadline);
        sched_yield();
    }
}

enum life life_of(pid_t pid)
{
    int status;
    pid_t got = waitpid(pid, &status, WNOHANG);

    if (got == 0)
        return ALIVE;
    must(got == pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return KILLED;
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return EXITED;
}

void await_exit(pid_t pid)
{
    int status;

    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
