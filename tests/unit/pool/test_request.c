/* A request into the slot and out again; and an area that makes no sense. */
#include "pool/request.h"

#include <errno.h>
#include <stdlib.h>

#include "rig.h"
#include "unit.h"

static struct rig rig;
static struct pool_request in, out;

static int setup(void **state)
{
    rig_open(&rig, &(struct pool_geometry){ .workers = 1, .threads = 1, .lanes = 1, .slots = 4 });
    rig_request(&in);
    return 0;
}

static int teardown(void **state)
{
    rig_close(&rig);
    return 0;
}

static void assert_same(struct str a, struct str b)
{
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
}

static void round_trip(void)
{
    assert_int_equal(pool_request_write(rig.pool, rig_ticket(&rig, 1), &in), 0);
    memset(&out, 0xee, sizeof(out));
    assert_int_equal(pool_request_read(rig.pool, rig_ticket(&rig, 1), &out), 0);
    for (int i = 0; i < POOL_VAR_COUNT; i++)
        assert_same(out.vars[i], in.vars[i]);
    assert_int_equal(out.n_fields, in.n_fields);
    for (uint32_t i = 0; i < in.n_fields; i++) {
        assert_same(out.fields[i].name, in.fields[i].name);
        assert_same(out.fields[i].value, in.fields[i].value);
    }
    assert_int_equal(out.body, in.body);
    assert_int_equal(out.body_size, in.body_size);
    assert_same(out.body_data, in.body_data);
    assert_int_equal(out.edge_ns, in.edge_ns);
    assert_int_equal(out.queued_ns, in.queued_ns);
    assert_int_equal(out.has_body, in.has_body);
    assert_int_equal(out.head_only, in.head_only);
}

static void test_round_trip(void **state)
{
    static char body[POOL_INLINE_BODY];

    round_trip();
    in.head_only = true;
    in.queued_ns = UINT64_MAX - 5;
    in.edge_ns = 7;
    round_trip();
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (char)(i * 7);
    in.head_only = false;
    in.has_body = true;
    in.body = POOL_BODY_INLINE;
    in.body_data = str_make(body, sizeof(body));
    in.body_size = sizeof(body);
    round_trip();
    in.body = POOL_BODY_FD;
    in.body_data = str_make(NULL, 0);
    in.body_size = UINT64_C(1) << 40;
    round_trip();
}

static void test_most_fields(void **state)
{
    for (uint32_t i = 0; i < POOL_FIELDS_MAX; i++)
        in.fields[i] = (struct pool_field){ STR("x-some-field-name"), STR("some value that is not short") };
    in.n_fields = POOL_FIELDS_MAX;
    round_trip();
}

static void test_too_large(void **state)
{
    struct pool_ticket ticket = rig_ticket(&rig, 1);
    char *big = calloc(1, POOL_REQUEST_BYTES + 1);

    in.n_fields = POOL_FIELDS_MAX + 1;
    assert_int_equal(pool_request_write(rig.pool, ticket, &in), -EMSGSIZE);
    rig_request(&in);
    in.body = POOL_BODY_INLINE;
    in.body_data = str_make(big, POOL_INLINE_BODY + 1);
    assert_int_equal(pool_request_write(rig.pool, ticket, &in), -EMSGSIZE);
    rig_request(&in);
    in.vars[POOL_PATH] = str_make(big, POOL_REQUEST_BYTES);
    assert_int_equal(pool_request_write(rig.pool, ticket, &in), -EMSGSIZE);
    in.vars[POOL_PATH].n = SIZE_MAX; /* the sum must not wrap */
    assert_int_equal(pool_request_write(rig.pool, ticket, &in), -EMSGSIZE);
    rig_request(&in);
    in.fields[0].value = str_make(big, SIZE_MAX - 4096);
    assert_int_equal(pool_request_write(rig.pool, ticket, &in), -EMSGSIZE);
    free(big);
}

/* The largest that fits ends with the area's last byte. */
static void test_exact_fit(void **state)
{
    struct pool_ticket ticket = rig_ticket(&rig, 3); /* the last slot: beyond it the mapping ends */
    char *big = calloc(1, POOL_REQUEST_BYTES);
    size_t n = POOL_REQUEST_BYTES;

    memset(&in, 0, sizeof(in));
    do
        in.vars[POOL_PATH] = str_make(big, --n);
    while (pool_request_write(rig.pool, ticket, &in) == -EMSGSIZE);
    assert_int_equal(pool_request_read(rig.pool, ticket, &out), 0);
    assert_int_equal(out.vars[POOL_PATH].n, n);
    assert_ptr_equal(out.vars[POOL_PATH].p + n, request_area(rig.pool, 3) + POOL_REQUEST_BYTES);
    free(big);
}

static void in_area(struct str s)
{
    const char *start = (const char *)request_area(rig.pool, 1);

    assert_true(s.n == 0 || (s.p >= start && s.p + s.n <= start + POOL_REQUEST_BYTES));
}

/* Each of the first words replaced by wild values: refused, or everything lies inside. */
static void test_spoilt_area(void **state)
{
    const uint32_t wild[] = {
        0, 1, 255, 256, 257, POOL_REQUEST_BYTES, POOL_REQUEST_BYTES - 100, INT32_MAX, UINT32_MAX
    };
    struct pool_ticket ticket = rig_ticket(&rig, 1);
    unsigned refused = 0;

    for (size_t word = 0; word < 40; word++) {
        for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
            assert_int_equal(pool_request_write(rig.pool, ticket, &in), 0);
            memcpy(request_area(rig.pool, 1) + 4 * word, &wild[i], 4);
            if (pool_request_read(rig.pool, ticket, &out) != 0) {
                refused++;
                continue;
            }
            assert_true(out.n_fields <= POOL_FIELDS_MAX);
            for (int v = 0; v < POOL_VAR_COUNT; v++)
                in_area(out.vars[v]);
            for (uint32_t f = 0; f < out.n_fields; f++) {
                in_area(out.fields[f].name);
                in_area(out.fields[f].value);
            }
            in_area(out.body_data);
        }
    }
    assert_true(refused > 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_most_fields), TEST(test_too_large),
        TEST(test_exact_fit),  TEST(test_spoilt_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
