/*
 * What a hostile worker may leave in a response ring. Input: a byte each for how the reader bites, where in the ring it starts (in 256ths) and
 * what `written` claims beyond the content, then the content.
 */
#include <stdlib.h>
#include <unistd.h>

#include "pool/layout.h"
#include "pool/request.h"
#include "pool/response.h"

static struct pool *pool;
static uint32_t serial;

static void open_pool(void)
{
    uint32_t serials[4];
    bool is_free[4];
    int fd = pool_create(&(struct pool_geometry){ 1, 1, 1, 4 });

    must(fd >= 0 && pool_map(fd, &pool) == 0);
    close(fd);
    pool_adopt(pool, serials, is_free);
}

static void lay_out(uint64_t start, const uint8_t *data, size_t size)
{
    unsigned char *ring = ring_area(pool, 3);

    for (size_t i = 0; i < size && i < POOL_RING_BYTES; i++)
        ring[(start + i) % POOL_RING_BYTES] = data[i];
}

static size_t touch(const struct pool_piece *piece)
{
    const unsigned char *ring = ring_area(pool, 3);
    size_t n = 0;

    for (int i = 0; i < piece->n_data; i++) {
        const unsigned char *bytes = piece->data[i].iov_base;
        must(bytes >= ring && bytes + piece->data[i].iov_len <= ring + POOL_RING_BYTES);
        (void)*(const volatile unsigned char *)bytes; /* under ASan: it is there */
        n += piece->data[i].iov_len;
    }
    must(n == piece->size);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool_ticket ticket = { 3, serial };
    struct pool_reader reader = { 0 };
    struct pool_piece piece;
    uint64_t start, total = 0;

    if (pool == NULL)
        open_pool();
    if (size < 3)
        return 0;
    /* HEAD may come at count 0 only; start a whole number of rings later otherwise, in the middle of a response */
    start = data[1] == 0 ? 0 : (uint64_t)data[1] * POOL_RING_BYTES / 256 & ~UINT64_C(7);
    lay_out(start, data + 3, size - 3);
    pool_ready(pool, ticket, 0);
    reader.consumed = start;
    atomic_store(&pool->slots[3].written, start + (size - 3) + data[2]);
    while (pool_peek(pool, ticket, &reader, &piece) == 1) {
        size_t n = touch(&piece), bite = data[0] == 0 || n <= data[0] ? n : data[0];
        uint64_t before = reader.consumed;
        pool_consume(pool, ticket, &reader, &piece, bite);
        must(reader.consumed > before || piece.kind == POOL_FRAME_DATA);
        total += reader.consumed - before;
        must(total <= 2 * POOL_RING_BYTES);
    }
    pool_reap(pool, ticket, &serial);
    return 0;
}
