/* Making and mapping: what may be mapped and what must be refused. */
#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pool/layout.h"
#include "unit.h"

static const struct pool_geometry small = { .workers = 2, .threads = 2, .lanes = 2, .slots = 8 };

static void test_slots_of_geometry(void **state)
{
    assert_int_equal(pool_geometry_slots(1, 1), 64);
    assert_int_equal(pool_geometry_slots(3, 2), 64);
    assert_int_equal(pool_geometry_slots(256, 4), POOL_SLOTS_MAX);
}

static void test_refuses_geometry(void **state)
{
    const struct pool_geometry wrong[] = {
        { 0, 1, 1, 4 },
        { POOL_WORKERS_MAX + 1, 1, 1, 4 },
        { 1, 0, 1, 4 },
        { 256, 5, 1, 4 },
        { 1, UINT32_MAX, 1, 4 },
        { 1, 1, 0, 4 },
        { 1, 1, POOL_LANES_MAX + 1, 4 },
        { 1, 1, 1, 0 },
        { 1, 1, 1, POOL_SLOTS_MAX + 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(pool_create(&wrong[i]), -EINVAL);
}

static void test_two_mappings_share(void **state)
{
    struct pool *a, *b;
    int fd = pool_create(&small);

    assert_true(fd >= 0);
    assert_int_equal(pool_map(fd, &a), 0);
    assert_int_equal(pool_map(fd, &b), 0);
    close(fd);
    assert_memory_equal(pool_geometry(a), &small, sizeof(small));
    atomic_store(&a->slots[7].word, 77);
    assert_int_equal(atomic_load(&b->slots[7].word), 77);
    pool_unmap(a);
    pool_unmap(b);
}

/* No part overlaps another or the end, for the smallest and the largest geometry. */
static void test_parts_lie_apart(void **state)
{
    const struct pool_geometry all[] = { { 1, 1, 1, 1 }, small, { 256, 4, 8, 2048 } };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct pool *p;
        int fd = pool_create(&all[i]);
        assert_int_equal(pool_map(fd, &p), 0);
        close(fd);
        assert_true((unsigned char *)p->ready >= p->base + POOL_PAGE);
        assert_true((void *)p->entries >= (void *)(p->ready + 1));
        assert_true((void *)p->sleepers >= (void *)(p->entries + p->capacity));
        assert_true((void *)p->seats >= (void *)(p->sleepers + (p->seats_n + 63) / 64));
        assert_true((void *)p->lanes >= (void *)(p->seats + p->seats_n));
        assert_true((void *)p->slots >= (void *)(p->lanes + p->geometry.lanes));
        assert_true((void *)p->areas >= (void *)(p->slots + p->geometry.slots));
        assert_ptr_equal(p->areas + (size_t)p->geometry.slots * POOL_AREA_BYTES, p->base + p->size);
        assert_true(p->capacity >= 4 * (uint64_t)p->geometry.slots);
        pool_unmap(p);
    }
}

static void test_cannot_be_resized(void **state)
{
    int fd = pool_create(&small);

    assert_int_equal(ftruncate(fd, 4096), -1);
    assert_int_equal(ftruncate(fd, 1 << 30), -1);
    close(fd);
}

static void refuse_header(size_t at, uint32_t value)
{
    struct pool *pool;
    int fd = pool_create(&small);

    assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)at), sizeof(value));
    assert_int_equal(pool_map(fd, &pool), -EPROTO);
    close(fd);
}

static void test_refuses_header(void **state)
{
    refuse_header(offsetof(struct shared_header, magic), 0);
    refuse_header(offsetof(struct shared_header, version), POOL_VERSION + 1);
    refuse_header(offsetof(struct shared_header, geometry.workers), 0);
    refuse_header(offsetof(struct shared_header, geometry.lanes), POOL_LANES_MAX + 1);
    refuse_header(offsetof(struct shared_header, geometry.slots), 9);
    refuse_header(offsetof(struct shared_header, geometry.slots), UINT32_MAX);
}

static void test_refuses_other_descriptors(void **state)
{
    struct pool *pool;
    int plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING), null = open("/dev/null", O_RDWR | O_CLOEXEC);

    assert_int_equal(pool_map(-1, &pool), -EPROTO);
    assert_int_equal(pool_map(null, &pool), -EPROTO);
    assert_int_equal(pool_map(plain, &pool), -EPROTO); /* no seals */
    assert_int_equal(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), 0);
    assert_int_equal(pool_map(plain, &pool), -EPROTO); /* empty */
    close(plain);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_of_geometry),         cmocka_unit_test(test_refuses_geometry),
        cmocka_unit_test(test_two_mappings_share),        cmocka_unit_test(test_parts_lie_apart),
        cmocka_unit_test(test_cannot_be_resized),         cmocka_unit_test(test_refuses_header),
        cmocka_unit_test(test_refuses_other_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
