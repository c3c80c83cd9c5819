/*
 * Hand-overs under load: lanes and seats as threads on one mapping, random bodies and responses, every byte checked.
 *
 * usage: stress_pool [SECONDS [SEED]]
 *
 * What must hold: each request handed over is run once, or not at all when it was taken back; what a seat reads is what the lane wrote and the
 * other way round; and nobody sleeps while there is something to do. Seats sleep without a limit and lanes with one of LOST_MS, so
 * that a lost wake-up ends the run with an error. Under ThreadSanitizer it also shows that the memory orders carry the plain bytes.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "rig.h"

#define LANES 2
#define WORKERS 3
#define THREADS 2
#define SEATS (WORKERS * THREADS)
#define SLOTS 12
#define LOST_MS 10000

enum flavour { SHORT, LONG, EMPTY, FAILING, ASKING, FLAVOURS };

/* What a lane asks for and a seat does, in the request's target. */
struct order {
    uint64_t id;
    uint64_t seed;
    uint32_t flavour;
    uint32_t response; /* bytes */
};

struct work {
    struct order order;
    struct pool_ticket ticket;
    struct pool_reader reader;
    uint64_t got; /* bytes of the response */
    uint32_t lane;
    bool out, headed, ended, asked, cancelled;
};

struct lane {
    pthread_t thread;
    uint32_t number, outstanding;
    uint64_t random, handed, taken_back, answered, cancelled, slept;
};

static struct rig rig;
static pthread_mutex_t dispatch = PTHREAD_MUTEX_INITIALIZER;
static struct work works[SLOTS]; /* the slot's lane; under dispatch while it changes hands */
static uint32_t free_slots[SLOTS], free_n;
static uint64_t next_id = 1;
static int lane_fds[LANES];
static _Atomic bool stopping, seats_ending;
static _Atomic uint64_t runs, drains, room_waits;
static _Atomic uint8_t *ran; /* per request id modulo RAN_N: ran since it was handed over */
#define RAN_N (1u << 16)

static void die(const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "stress_pool: %s (%llu, %llu)\n", what, (unsigned long long)a, (unsigned long long)b);
    abort();
}

static uint64_t next_random(uint64_t *state) /* xorshift64: a stream of test bytes, no more */
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

static unsigned char byte_of(uint64_t seed, uint64_t at)
{
    return (unsigned char)((seed >> (at % 8 * 8)) + at * 31);
}

/* ---- a seat: a worker's thread ---- */

static void check_request(const struct pool_request *request, struct order *order)
{
    struct str target = request->vars[POOL_TARGET];

    if (target.n != sizeof(*order))
        die("target's length", target.n, 0);
    memcpy(order, target.p, sizeof(*order));
    for (size_t i = 0; i < request->body_data.n; i++) {
        if ((unsigned char)request->body_data.p[i] != byte_of(order->seed, i))
            die("request body", order->id, i);
    }
}

/* False: cancelled. */
static bool wait_room(struct pool_ticket ticket)
{
    int rc;

    atomic_fetch_add_explicit(&room_waits, 1, memory_order_relaxed);
    rc = pool_wait_room(rig.pool, ticket, LOST_MS * NS_PER_MS);
    if (rc == -ETIMEDOUT)
        die("no room for long: slot", ticket.slot, 0);
    return rc == 0;
}

static bool put_body(struct pool_ticket ticket, const struct order *order, uint64_t *random)
{
    char bytes[20000];

    for (uint64_t done = 0; done < order->response;) {
        size_t n = next_random(random) % sizeof(bytes) + 1, taken;
        if (n > order->response - done)
            n = (size_t)(order->response - done);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)byte_of(order->seed, done + i);
        taken = pool_put_data(rig.pool, ticket, str_make(bytes, n));
        done += taken;
        if (taken < n && !wait_room(ticket))
            return false;
        if (next_random(random) % 8 == 0)
            pool_attention(rig.pool, ticket);
    }
    return true;
}

static void finish(struct pool_ticket ticket, bool well)
{
    while ((well ? pool_put_end(rig.pool, ticket) : pool_put_fail(rig.pool, ticket)) == -EAGAIN) {
        if (!wait_room(ticket))
            return;
    }
}

static void run_request(uint32_t seat, struct pool_ticket ticket, uint64_t *random)
{
    static _Thread_local struct pool_request request;
    struct pool_field field = { STR("x-id"), { NULL, sizeof(uint64_t) } };
    struct pool_head head = { .status = 200, .reason = STR("OK"), .fields = &field, .n_fields = 1 };
    struct order order;

    if (pool_request_read(rig.pool, ticket, &request) != 0)
        die("request unreadable: slot", ticket.slot, 0);
    check_request(&request, &order);
    if (atomic_fetch_add(&ran[order.id % RAN_N], 1) != 0)
        die("run twice", order.id, 0);
    if (order.flavour == ASKING)
        pool_ask_body(rig.pool, ticket);
    if (order.flavour != FAILING) {
        field.value.p = (const char *)&order.id;
        if (pool_put_head(rig.pool, ticket, &head) != 0)
            die("head", order.id, 0);
        if (!put_body(ticket, &order, random))
            goto done;
    }
    finish(ticket, order.flavour != FAILING);
    if (next_random(random) % 2)
        pool_attention(rig.pool, ticket); /* the answer before DONE, as for an application's close() */
done:
    check_request(&request, &order); /* the area is ours until the word says DONE */
    atomic_fetch_add_explicit(&runs, 1, memory_order_relaxed);
    pool_done(rig.pool, seat, ticket);
}

static void *seat_main(void *arg)
{
    uint32_t seat = (uint32_t)(uintptr_t)arg;
    uint64_t random = 0x9e3779b97f4a7c15u * (seat + 1);

    for (;;) {
        struct pool_ticket ticket;
        uint64_t timeout = next_random(&random) % 16 == 0 ? next_random(&random) % NS_PER_MS : UINT64_MAX;
        switch (pool_take(rig.pool, seat, timeout, &ticket)) {
        case POOL_TAKEN:
            run_request(seat, ticket, &random);
            break;
        case POOL_TIMEOUT:
            break;
        case POOL_CLOSED:
            if (atomic_load(&seats_ending))
                return NULL;
            pool_reopen(rig.pool, seat, 1, 0);
        }
    }
}

/* ---- a lane: an edge's thread ---- */

static void fill(struct lane *lane, struct work *work, uint32_t slot)
{
    static _Thread_local struct pool_request request;
    static _Thread_local char body[POOL_INLINE_BODY];
    struct order *order = &work->order;
    uint32_t flavour = (uint32_t)(next_random(&lane->random) % 32);

    memset(work, 0, sizeof(*work));
    work->lane = lane->number;
    work->ticket = (struct pool_ticket){ slot, rig.serials[slot] };
    *order = (struct order){ next_id++, next_random(&lane->random), flavour < FLAVOURS ? flavour : SHORT, 0 };
    if (order->flavour == LONG)
        order->response = (uint32_t)(next_random(&lane->random) % (5 * POOL_RING_BYTES)) + 1;
    else if (order->flavour != EMPTY && order->flavour != FAILING)
        order->response = (uint32_t)(next_random(&lane->random) % 300) + 1;
    rig_request(&request);
    request.vars[POOL_TARGET] = str_make((const char *)order, sizeof(*order));
    request.body = POOL_BODY_INLINE;
    request.body_size = next_random(&lane->random) % (flavour == 31 ? sizeof(body) : 200);
    request.body_data = str_make(body, (size_t)request.body_size);
    for (size_t i = 0; i < request.body_size; i++)
        body[i] = (char)byte_of(order->seed, i);
    atomic_store(&ran[order->id % RAN_N], 0);
    if (pool_request_write(rig.pool, work->ticket, &request) != 0)
        die("request too large", order->id, 0);
}

/* False: no slot is free. */
static bool hand_over(struct lane *lane)
{
    uint32_t slot;

    pthread_mutex_lock(&dispatch);
    if (free_n == 0) {
        pthread_mutex_unlock(&dispatch);
        return false;
    }
    slot = free_slots[--free_n];
    fill(lane, &works[slot], slot);
    works[slot].out = true;
    pool_ready(rig.pool, works[slot].ticket, lane->number);
    pthread_mutex_unlock(&dispatch);
    lane->handed++;
    lane->outstanding++;
    return true;
}

static void put_away(struct lane *lane, uint32_t slot)
{
    pthread_mutex_lock(&dispatch);
    works[slot].out = false;
    free_slots[free_n++] = slot;
    pthread_mutex_unlock(&dispatch);
    lane->outstanding--;
}

static void try_take_back(struct lane *lane, struct work *work)
{
    bool back;

    pthread_mutex_lock(&dispatch);
    back = pool_take_back(rig.pool, work->ticket, &rig.serials[work->ticket.slot]);
    pthread_mutex_unlock(&dispatch);
    if (!back)
        return;
    if (atomic_load(&ran[work->order.id % RAN_N]) != 0)
        die("taken back and run", work->order.id, 0);
    lane->taken_back++;
    put_away(lane, work->ticket.slot);
}

static void check_head(const struct work *work, const struct pool_piece *piece)
{
    char bytes[POOL_HEAD_MAX];
    struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };
    size_t n = piece->data[0].iov_len;

    memcpy(bytes, piece->data[0].iov_base, n);
    if (piece->n_data == 2)
        memcpy(bytes + n, piece->data[1].iov_base, piece->data[1].iov_len);
    if (pool_head_parse(str_make(bytes, piece->size), &head) != 0 || head.status != 200 || head.n_fields != 1)
        die("head", work->order.id, piece->size);
    if (head.fields[0].value.n != 8 || memcmp(head.fields[0].value.p, &work->order.id, 8) != 0)
        die("another request's head", work->order.id, 0);
}

static size_t check_data(struct lane *lane, const struct work *work, const struct pool_piece *piece)
{
    size_t n = piece->size, at = 0;

    if (next_random(&lane->random) % 4 == 0) /* a slow client takes part of it */
        n = next_random(&lane->random) % n + 1;
    for (int i = 0; i < piece->n_data; i++) {
        const unsigned char *bytes = piece->data[i].iov_base;
        for (size_t j = 0; j < piece->data[i].iov_len && at < n; j++, at++) {
            if (bytes[j] != byte_of(work->order.seed, work->got + at))
                die("response body", work->order.id, work->got + at);
        }
    }
    return n;
}

static void read_pieces(struct lane *lane, struct work *work)
{
    struct pool_piece piece;
    int rc;

    while ((rc = pool_peek(rig.pool, work->ticket, &work->reader, &piece)) == 1) {
        size_t n = 0;
        if (piece.kind == POOL_FRAME_HEAD) {
            check_head(work, &piece);
            work->headed = true;
        } else if (piece.kind == POOL_FRAME_DATA) {
            n = check_data(lane, work, &piece);
            work->got += n;
        } else if ((piece.kind == POOL_FRAME_FAIL) != (work->order.flavour == FAILING)) {
            die("end", work->order.id, piece.kind);
        } else {
            work->ended = true;
        }
        pool_consume(rig.pool, work->ticket, &work->reader, &piece, n);
    }
    if (rc != 0)
        die("frame refused", work->order.id, work->reader.consumed);
}

static void on_attention(void *arg, uint32_t slot)
{
    struct lane *lane = arg;
    struct work *work = &works[slot];
    struct pool_look look;

    /* Bits may be late: for an earlier request of the slot, perhaps another lane's. */
    pthread_mutex_lock(&dispatch);
    bool ours = work->out && work->lane == lane->number;
    pthread_mutex_unlock(&dispatch);
    if (!ours)
        return;
    if (pool_look(rig.pool, work->ticket, &look) != 0)
        die("word", work->order.id, 0);
    if (look.phase == POOL_READY)
        return;
    if (pool_body_asked(rig.pool, work->ticket)) {
        if (work->asked || work->order.flavour != ASKING)
            die("asked for a body", work->order.id, 0);
        work->asked = true;
    }
    if (!work->cancelled)
        read_pieces(lane, work);
    if (look.phase != POOL_DONE) {
        if (!work->cancelled && next_random(&lane->random) % 64 == 0) {
            pool_cancel(rig.pool, work->ticket);
            work->cancelled = true;
            lane->cancelled++;
        }
        return;
    }
    if (!work->cancelled && (!work->ended || work->got != work->order.response))
        die("cut short", work->order.id, work->got);
    pthread_mutex_lock(&dispatch);
    if (pool_release(rig.pool, work->ticket, &rig.serials[slot]) != 0)
        die("release", work->order.id, 0);
    pthread_mutex_unlock(&dispatch);
    lane->answered++;
    put_away(lane, slot);
}

static void lane_wait(struct lane *lane)
{
    struct pollfd at = { .fd = lane_fds[lane->number], .events = POLLIN };
    uint64_t n;

    if (!pool_lane_sleep(rig.pool, lane->number))
        return;
    lane->slept++;
    if (poll(&at, 1, LOST_MS) == 0)
        die("a lane slept long: lane, outstanding", lane->number, lane->outstanding);
    pool_lane_woken(rig.pool, lane->number);
    (void)!read(at.fd, &n, sizeof(n));
}

/* What happens now and then beside the hand-overs. */
static void mischief(struct lane *lane)
{
    uint64_t dice = next_random(&lane->random) % 4096;

    if (dice < 4) {
        uint32_t seat = (uint32_t)(next_random(&lane->random) % SEATS);
        atomic_fetch_add_explicit(&drains, 1, memory_order_relaxed);
        pool_close(rig.pool, seat, 1);
    } else if (dice < 8) {
        pthread_mutex_lock(&dispatch);
        pool_recover(rig.pool, 0, dice == 4 ? 1 : 0);
        pthread_mutex_unlock(&dispatch);
    } else if (dice < 256) {
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            pthread_mutex_lock(&dispatch);
            bool ours = works[slot].out && works[slot].lane == lane->number;
            pthread_mutex_unlock(&dispatch);
            if (ours)
                try_take_back(lane, &works[slot]);
        }
    }
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;

    while (!atomic_load(&stopping) || lane->outstanding > 0) {
        bool more = !atomic_load(&stopping) && next_random(&lane->random) % 8 != 0;
        while (more && hand_over(lane))
            more = next_random(&lane->random) % 4 != 0;
        mischief(lane);
        if (pool_lane_take(rig.pool, lane->number, on_attention, lane) == 0 && lane->outstanding > 0)
            lane_wait(lane);
    }
    return NULL;
}

static void report(const struct lane *lanes)
{
    uint64_t handed = 0, back = 0, answered = 0, cancelled = 0, slept = 0;

    for (int i = 0; i < LANES; i++) {
        handed += lanes[i].handed;
        back += lanes[i].taken_back;
        answered += lanes[i].answered;
        cancelled += lanes[i].cancelled;
        slept += lanes[i].slept;
    }
    printf("handed over %llu, answered %llu, taken back %llu, cancelled %llu, run %llu; lane sleeps %llu, waits for "
           "room %llu, drains %llu\n",
           (unsigned long long)handed, (unsigned long long)answered, (unsigned long long)back,
           (unsigned long long)cancelled, (unsigned long long)atomic_load(&runs), (unsigned long long)slept,
           (unsigned long long)atomic_load(&room_waits), (unsigned long long)atomic_load(&drains));
    if (handed != answered + back || answered != atomic_load(&runs))
        die("the sums differ", handed, answered + back);
    if (answered == 0 || back == 0 || cancelled == 0 || slept == 0 || atomic_load(&room_waits) == 0)
        die("something was never tried", handed, slept);
}

static void set_up(void)
{
    rig_open(&rig, &(struct pool_geometry){ WORKERS, THREADS, LANES, SLOTS });
    pool_set_hungry(rig.pool, true); /* its lanes wait for slots that come free */
    ran = calloc(RAN_N, sizeof(*ran));
    for (int i = 0; i < LANES; i++)
        lane_fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pool_set_lane_fds(rig.pool, lane_fds, LANES);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        free_slots[free_n++] = slot;
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct lane lanes[LANES] = { 0 };
    pthread_t seats[SEATS];

    set_up();
    for (uint32_t i = 0; i < SEATS; i++)
        must(pthread_create(&seats[i], NULL, seat_main, (void *)(uintptr_t)i) == 0);
    for (uint32_t i = 0; i < LANES; i++) {
        lanes[i].number = i;
        lanes[i].random = (seed * LANES + i + 1) * 0x2545f4914f6cdd1du;
        must(pthread_create(&lanes[i].thread, NULL, lane_main, &lanes[i]) == 0);
    }
    (void)poll(NULL, 0, (int)seconds * 1000);
    atomic_store(&stopping, true);
    for (int i = 0; i < LANES; i++)
        pthread_join(lanes[i].thread, NULL);
    atomic_store(&seats_ending, true);
    pool_close(rig.pool, 0, SEATS);
    for (int i = 0; i < SEATS; i++)
        pthread_join(seats[i], NULL);
    report(lanes);
    rig_close(&rig);
    free((void *)ran);
    return 0;
}
