/* Frames through the ring: every kind, wrapping, back-pressure, and rings that make no sense. */
#include "pool/response.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pool/frame.h"
#include "rig.h"
#include "unit.h"

static struct rig rig;
static struct pool_ticket ticket;
static struct pool_reader reader;
static struct pool_piece piece;

static int setup(void **state)
{
    rig_open(&rig, &(struct pool_geometry){ .workers = 1, .threads = 1, .lanes = 1, .slots = 4 });
    ticket = rig_hand_over(&rig, 3);
    rig_take(&rig, 0);
    memset(&reader, 0, sizeof(reader));
    return 0;
}

static int teardown(void **state)
{
    rig_close(&rig);
    return 0;
}

static void put_head(void)
{
    struct pool_field fields[] = { { STR("Content-Type"), STR("text/html") }, { STR("X-Empty"), STR("") } };
    struct pool_head head = { .status = 404, .reason = STR("Not Found"), .fields = fields, .n_fields = 2 };

    assert_int_equal(pool_put_head(rig.pool, ticket, &head), 0);
}

static void peek(enum pool_frame kind)
{
    assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), 1);
    assert_int_equal(piece.kind, kind);
}

static void consume(size_t n)
{
    pool_consume(rig.pool, ticket, &reader, &piece, n);
}

static void skip_head(void)
{
    put_head();
    peek(POOL_FRAME_HEAD);
    consume(0);
}

static size_t copy_out(char *out)
{
    size_t n = 0;

    for (int i = 0; i < piece.n_data; i++) {
        memcpy(out + n, piece.data[i].iov_base, piece.data[i].iov_len);
        n += piece.data[i].iov_len;
    }
    assert_int_equal(n, piece.size);
    return n;
}

static void test_small_response(void **state)
{
    char bytes[POOL_HEAD_MAX];
    struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };

    assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), 0);
    put_head();
    assert_int_equal(pool_put_data(rig.pool, ticket, STR("hello world")), 11);
    assert_int_equal(pool_put_end(rig.pool, ticket), 0);
    peek(POOL_FRAME_HEAD);
    assert_int_equal(pool_head_parse(str_make(bytes, copy_out(bytes)), &head), 0);
    assert_int_equal(head.status, 404);
    assert_true(str_eq(head.reason, STR("Not Found")));
    assert_int_equal(head.n_fields, 2);
    assert_true(str_eq(fields[0].name, STR("Content-Type")) && str_eq(fields[0].value, STR("text/html")));
    assert_true(str_eq(fields[1].name, STR("X-Empty")) && fields[1].value.n == 0);
    consume(0);
    peek(POOL_FRAME_DATA);
    assert_int_equal(piece.size, 11);
    consume(5);
    peek(POOL_FRAME_DATA);
    assert_int_equal(copy_out(bytes), 6);
    assert_memory_equal(bytes, " world", 6);
    consume(6);
    peek(POOL_FRAME_END);
    consume(0);
    assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), 0);
    assert_true(reader.ended);
}

static void test_file_and_fail(void **state)
{
    struct pool_file file = { .offset = 5, .length = UINT64_C(1) << 40 };

    skip_head();
    assert_int_equal(pool_put_file(rig.pool, ticket, &file), 0);
    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    peek(POOL_FRAME_FILE);
    assert_memory_equal(&piece.file, &file, sizeof(file));
    consume(0);
    peek(POOL_FRAME_FAIL);
    consume(0);
    assert_true(reader.ended);
}

static void test_fail_alone(void **state)
{
    assert_int_equal(pool_put_fail(rig.pool, ticket), 0);
    peek(POOL_FRAME_FAIL);
}

static void test_largest_head(void **state)
{
    static char value[POOL_HEAD_MAX];
    struct pool_field fields[] = { { STR("x"), { value, 0 } } };
    struct pool_head head = { .status = 200, .fields = fields, .n_fields = 1 };

    fields[0].value.n = POOL_HEAD_MAX - sizeof(struct head_start) - sizeof(struct head_field);
    assert_int_equal(pool_put_head(rig.pool, ticket, &head), -EMSGSIZE);
    fields[0].value.n--;
    assert_int_equal(pool_put_head(rig.pool, ticket, &head), 0);
    peek(POOL_FRAME_HEAD);
    assert_int_equal(piece.size, POOL_HEAD_MAX);
    head.n_fields = POOL_FIELDS_MAX + 1;
    assert_int_equal(pool_put_head(rig.pool, ticket, &head), -EMSGSIZE);
}

/* Megabytes in chunks of every length modulo 8, read in odd bites: each byte arrives, at every place of the ring. */
static void test_stream_wraps(void **state)
{
    unsigned char chunk[9000];
    char bytes[POOL_RING_BYTES];
    unsigned char next_in = 0, next_out = 0;
    size_t total = 0;

    skip_head();
    for (unsigned round = 0; round < 3000; round++) {
        size_t n = round % 41 == 0 ? sizeof(chunk) : round % 300 + 1, taken, left;
        for (size_t i = 0; i < n; i++)
            chunk[i] = next_in++;
        taken = pool_put_data(rig.pool, ticket, str_make((char *)chunk, n));
        assert_int_equal(taken, n);
        for (left = taken; left > 0;) {
            peek(POOL_FRAME_DATA);
            size_t got = copy_out(bytes), bite = got > 701 ? 701 : got;
            for (size_t i = 0; i < bite; i++)
                assert_int_equal((unsigned char)bytes[i], next_out++);
            consume(bite);
            left -= bite;
            total += bite;
        }
        assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), 0);
    }
    assert_true(total > 4 * POOL_RING_BYTES);
}

static void test_ring_full(void **state)
{
    static char data[POOL_RING_BYTES];
    size_t first;

    skip_head();
    first = pool_put_data(rig.pool, ticket, str_make(data, sizeof(data)));
    assert_int_equal(first, POOL_RING_BYTES - FRAME_HEADER);
    assert_int_equal(pool_put_data(rig.pool, ticket, STR("x")), 0);
    assert_int_equal(pool_put_end(rig.pool, ticket), -EAGAIN);
    peek(POOL_FRAME_DATA);
    consume(17); /* 17 + 8 of the frame head: three whole words */
    assert_int_equal(pool_put_data(rig.pool, ticket, STR("123456789012345678901234567890")), 0); /* no small change */
    assert_int_equal(pool_put_data(rig.pool, ticket, STR("1234567890123456")), 16);
    assert_int_equal(pool_put_end(rig.pool, ticket), -EAGAIN);
    peek(POOL_FRAME_DATA);
    consume(first - 17);
    assert_int_equal(pool_put_end(rig.pool, ticket), 0);
    peek(POOL_FRAME_DATA);
    assert_int_equal(piece.size, 16);
    consume(16);
    peek(POOL_FRAME_END);
}

static void *wait_main(void *arg)
{
    return (void *)(intptr_t)pool_wait_room(rig.pool, ticket, *(uint64_t *)arg);
}

static void await_waiting(void)
{
    while (atomic_load(&rig.pool->slots[3].waiting) == 0)
        sched_yield();
}

static void test_wait_room(void **state)
{
    static char data[POOL_RING_BYTES];
    uint64_t forever = UINT64_MAX;
    pthread_t thread;
    void *result;

    skip_head();
    assert_int_equal(pool_wait_room(rig.pool, ticket, UINT64_MAX), 0); /* there is */
    assert_true(pool_put_data(rig.pool, ticket, str_make(data, sizeof(data))) > 0);
    assert_int_equal(pool_wait_room(rig.pool, ticket, 3 * NS_PER_MS), -ETIMEDOUT);
    assert_int_equal(pthread_create(&thread, NULL, wait_main, &forever), 0);
    await_waiting();
    peek(POOL_FRAME_DATA);
    consume(POOL_ROOM_WAKE - FRAME_HEADER - 1);
    assert_int_equal(atomic_load(&rig.pool->slots[3].waiting), 1); /* not yet a quarter */
    peek(POOL_FRAME_DATA);
    consume(1);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 0);
}

static void test_wait_room_cancelled(void **state)
{
    static char data[POOL_RING_BYTES];
    uint64_t forever = UINT64_MAX;
    pthread_t thread;
    void *result;

    skip_head();
    assert_true(pool_put_data(rig.pool, ticket, str_make(data, sizeof(data))) > 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_main, &forever), 0);
    await_waiting();
    pool_cancel(rig.pool, ticket);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, -ECANCELED);
}

static void test_body_asked(void **state)
{
    uint32_t counts[4] = { 0 };

    assert_false(pool_body_asked(rig.pool, ticket));
    pool_ask_body(rig.pool, ticket);
    assert_int_equal(pool_lane_take(rig.pool, 0, rig_count_attention, counts), 1);
    assert_int_equal(counts[3], 1);
    assert_true(pool_body_asked(rig.pool, ticket));
    assert_false(pool_body_asked(rig.pool, ticket));
}

/* A raw frame as a hostile worker may write it, `there` bytes published. */
static void spoil(uint32_t kind, uint32_t size, uint64_t there)
{
    _Atomic uint64_t *header = (void *)(ring_area(rig.pool, 3) + ring_place(reader.consumed));

    atomic_store(header, frame_make(kind, size));
    atomic_store(&rig.pool->slots[3].written, reader.consumed + there);
}

static void refused(uint32_t kind, uint32_t size, uint64_t there)
{
    struct pool_reader before = reader;

    spoil(kind, size, there);
    assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), -EPROTO);
    reader = before;
}

static void test_refuses_first_frames(void **state)
{
    refused(POOL_FRAME_DATA, 8, 16);
    refused(POOL_FRAME_FILE, 16, 24);
    refused(POOL_FRAME_END, 0, 8);
    refused(POOL_FRAME_HEAD, POOL_HEAD_MAX + 1, POOL_RING_BYTES);
    refused(POOL_FRAME_HEAD, 9, 16);
    refused(POOL_FRAME_FAIL, 1, 16);
    refused(0, 0, 8);
    refused(6, 0, 8);
    refused(UINT32_MAX, 0, 8);
}

static void test_refuses_later_frames(void **state)
{
    skip_head();
    refused(POOL_FRAME_HEAD, 8, 16);
    refused(POOL_FRAME_DATA, 0, 8);
    refused(POOL_FRAME_DATA, 9, 16);
    refused(POOL_FRAME_DATA, UINT32_MAX, POOL_RING_BYTES);
    refused(POOL_FRAME_FILE, 15, 24);
    refused(POOL_FRAME_FILE, 24, 32);
    refused(POOL_FRAME_END, 8, 16);
    refused(POOL_FRAME_END, 0, 4);
    refused(POOL_FRAME_END, 0, POOL_RING_BYTES + 8);
    refused(POOL_FRAME_END, 0, (uint64_t)-8);
    refused(POOL_FRAME_DATA, POOL_RING_BYTES, POOL_RING_BYTES);
}

static void test_refuses_after_end(void **state)
{
    skip_head();
    assert_int_equal(pool_put_end(rig.pool, ticket), 0);
    assert_true(pool_put_data(rig.pool, ticket, STR("more")) > 0);
    peek(POOL_FRAME_END);
    consume(0);
    assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), -EPROTO);
}

static void test_refuses_file_ranges(void **state)
{
    const struct pool_file files[] = { { UINT64_MAX, 1 }, { 1, INT64_MAX }, { INT64_MAX, 1 }, { 0, UINT64_MAX } };

    skip_head();
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct pool_reader before = reader;
        atomic_store(&rig.pool->slots[3].written, reader.consumed);
        assert_int_equal(pool_put_file(rig.pool, ticket, &files[i]), 0);
        assert_int_equal(pool_peek(rig.pool, ticket, &reader, &piece), -EPROTO);
        reader = before;
    }
}

/* Scribbled cursors on the worker's side: nothing written outside, at worst nothing at all. */
static void test_writer_with_spoilt_cursors(void **state)
{
    static char data[POOL_RING_BYTES];
    const uint64_t cursors[] = { 3, POOL_RING_BYTES - 1, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63 };

    for (size_t i = 0; i < ARRAY_LEN(cursors); i++) {
        for (size_t j = 0; j < ARRAY_LEN(cursors); j++) {
            atomic_store(&rig.pool->slots[3].written, cursors[i]);
            atomic_store(&rig.pool->slots[3].consumed, cursors[j]);
            assert_true(pool_put_data(rig.pool, ticket, str_make(data, sizeof(data))) <= POOL_RING_BYTES);
        }
    }
}

static void parse_refused(const void *bytes, size_t n)
{
    struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };
    char *copy = malloc(n ? n : 1); /* its end is watched by the sanitizer */

    memcpy(copy, bytes, n);
    assert_int_equal(pool_head_parse(str_make(copy, n), &head), -EPROTO);
    free(copy);
}

static void test_head_refuses(void **state)
{
    const uint16_t much[] = { 200, 0, 257, 0 }, fields[] = { 200, 0, 2, 0, 1, 1 }, reason[] = { 200, 3, 0, 0 };
    const uint16_t behind[] = { 200, 0, 0, 0, 0 }, wild[] = { 200, 0xffff, 1, 0, 0xffff, 0xffff },
                   zero[] = { 200, 0, 0, 1 };

    parse_refused("", 0);
    parse_refused(much, 7);
    parse_refused(much, sizeof(much));
    parse_refused(fields, sizeof(fields));
    parse_refused(reason, sizeof(reason));
    parse_refused(behind, sizeof(behind));
    parse_refused(wild, sizeof(wild));
    parse_refused(zero, sizeof(zero));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_small_response),
        TEST(test_file_and_fail),
        TEST(test_fail_alone),
        TEST(test_largest_head),
        TEST(test_stream_wraps),
        TEST(test_ring_full),
        TEST(test_wait_room),
        TEST(test_wait_room_cancelled),
        TEST(test_body_asked),
        TEST(test_refuses_first_frames),
        TEST(test_refuses_later_frames),
        TEST(test_refuses_after_end),
        TEST(test_refuses_file_ranges),
        TEST(test_writer_with_spoilt_cursors),
        TEST(test_head_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
