/*
 * A worker that writes anything anywhere: one thread scribbles over the shared words while the edge goes about its work. The edge must not crash,
 * must stay inside the area, and each call must come back; what it finds out about the requests does not matter.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pool/frame.h"
#include "rig.h"
#include "unit.h"

#define SLOTS 8
#define ROUNDS 50000

static struct rig rig;
static _Atomic bool stopping;
static uint32_t refused, pieces, taken;

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* Often a value that is nearly right, for those lead further than noise does. */
static uint64_t nasty(uint64_t *random, uint64_t old)
{
    static const uint64_t values[] = {
        0, 1, 7, 8, 16, 255, 4096, POOL_RING_BYTES, POOL_RING_BYTES + 8, UINT32_MAX, INT64_MAX, UINT64_MAX
    };

    switch (next_random(random) % 4) {
    case 0:
        return values[next_random(random) % ARRAY_LEN(values)];
    case 1:
        return old + next_random(random) % 64 - 32;
    case 2:
        return frame_make((uint32_t)(next_random(random) % 7), (uint32_t)(next_random(random) % 9000));
    default:
        return next_random(random);
    }
}

static void scribble(uint64_t *random)
{
    _Atomic uint64_t *words = (void *)rig.pool->base;
    size_t n = (size_t)(rig.pool->areas - rig.pool->base) / 8, at;

    if (next_random(random) % 2 != 0) { /* the start of a ring */
        words = (void *)ring_area(rig.pool, (uint32_t)(next_random(random) % SLOTS));
        n = 32;
    }
    at = next_random(random) % n;
    atomic_store(&words[at], nasty(random, atomic_load(&words[at])));
}

static void *scribbler(void *arg)
{
    uint64_t random = 88172645463325252u;

    while (!atomic_load(&stopping))
        scribble(&random);
    return NULL;
}

/* In time with the edge too, so that it happens whether or not there is a core for the other thread. */
static void spoil_slot(uint32_t slot, uint64_t *random)
{
    struct shared_slot *s = &rig.pool->slots[slot];
    _Atomic uint64_t *words[] = { &s->word, &s->written, &s->consumed, (void *)ring_area(rig.pool, slot) };
    _Atomic uint64_t *word = words[next_random(random) % ARRAY_LEN(words)];

    if (next_random(random) % 8 == 0)
        atomic_store(word, nasty(random, atomic_load(word)));
    scribble(random);
}

static void inside_ring(uint32_t slot, const struct pool_piece *piece)
{
    const unsigned char *ring = ring_area(rig.pool, slot);
    unsigned sum = 0;

    for (int i = 0; i < piece->n_data; i++) {
        const unsigned char *bytes = piece->data[i].iov_base;
        assert_true(bytes >= ring && bytes + piece->data[i].iov_len <= ring + POOL_RING_BYTES);
        for (size_t j = 0; j < piece->data[i].iov_len; j++)
            sum += bytes[j];
    }
    pieces += sum != 1;
}

static void read_some(struct pool_ticket ticket, struct pool_reader *reader, uint64_t *random)
{
    struct pool_piece piece;

    for (int i = 0; i < 50; i++) {
        spoil_slot(ticket.slot, random);
        int rc = pool_peek(rig.pool, ticket, reader, &piece);
        if (rc < 0)
            refused++;
        if (rc <= 0)
            return;
        inside_ring(ticket.slot, &piece);
        pool_consume(rig.pool, ticket, reader, &piece, piece.size ? next_random(random) % piece.size + 1 : 0);
    }
}

static void count(void *arg, uint32_t slot)
{
    assert_true(slot < SLOTS);
}

/* A well-meant worker in the same pool: must not write outside either. */
static void serve(void)
{
    static char data[3000];
    static struct pool_request request;
    struct pool_head head = { .status = 200, .reason = STR("OK") };
    struct pool_ticket ticket;

    if (pool_try_take(rig.pool, 0, &ticket) != POOL_TAKEN)
        return;
    taken++;
    if (pool_request_read(rig.pool, ticket, &request) != 0)
        refused++;
    (void)!pool_put_head(rig.pool, ticket, &head);
    pool_put_data(rig.pool, ticket, str_make(data, sizeof(data)));
    (void)!pool_put_end(rig.pool, ticket);
    pool_done(rig.pool, 0, ticket);
}

/* Puts right what would end the play: or soon nothing would move at all. */
static void mend(void)
{
    atomic_store(&rig.pool->seats[0].owner, 0);
    atomic_store(&rig.pool->seats[0].closed, 0);
    atomic_store(&rig.pool->ready->tail, rig.pool->tail);
    atomic_store(&rig.pool->ready->head, rig.pool->tail);
}

static void one_round(struct pool_reader *readers, uint64_t *random)
{
    uint32_t slot = (uint32_t)(next_random(random) % SLOTS), serial = rig.serials[slot];
    struct pool_ticket ticket = rig_ticket(&rig, slot);
    struct pool_seat_view view;
    struct pool_look look;

    if (next_random(random) % 4 != 0)
        mend();
    readers[slot] = (struct pool_reader){ 0 };
    pool_ready(rig.pool, ticket, 0);
    serve();
    pool_lane_take(rig.pool, 0, count, NULL);
    (void)pool_lane_sleep(rig.pool, 0);
    pool_lane_woken(rig.pool, 0);
    (void)!pool_look(rig.pool, ticket, &look);
    pool_seat_look(rig.pool, 0, &view);
    assert_true(view.slot < SLOTS);
    assert_true(pool_waiting(rig.pool) <= SLOTS);
    (void)pool_body_asked(rig.pool, ticket);
    read_some(ticket, &readers[slot], random);
    pool_cancel(rig.pool, ticket);
    if (!pool_take_back(rig.pool, ticket, &serial) && pool_release(rig.pool, ticket, &serial) != 0)
        pool_reap(rig.pool, ticket, &serial);
    assert_int_equal(serial, ticket.serial + 1);
    rig.serials[slot] = serial;
    if (next_random(random) % 16 == 0)
        pool_recover(rig.pool, 0, 2);
}

static void test_edge_survives(void **state)
{
    const bool alive[2] = { true, false };
    struct pool_reader readers[SLOTS] = { 0 };
    uint64_t random = 7;
    uint32_t serial;
    pthread_t thread;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    rig_open(&rig, &(struct pool_geometry){ .workers = 2, .threads = 1, .lanes = 1, .slots = SLOTS });
    pool_set_lane_fds(rig.pool, &fd, 1);
    assert_int_equal(pthread_create(&thread, NULL, scribbler, NULL), 0);
    for (int round = 0; round < ROUNDS; round++) {
        one_round(readers, &random);
        if (round % 1000 != 0)
            continue;
        pool_adopt(rig.pool, rig.serials, rig.is_free); /* a new edge is not better off */
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            (void)pool_orphan_ended(rig.pool, slot, alive, &serial);
    }
    atomic_store(&stopping, true);
    pthread_join(thread, NULL);
    print_message("refused %u, pieces %u, taken %u\n", refused, pieces, taken);
    assert_true(refused > 100 && pieces > 100 && taken > 100); /* it was not all noise */
    rig_close(&rig);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_edge_survives) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
