/* Making a pool, mapping it, and where its parts lie. */
#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pool/layout.h"

#define SEALS (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* Offsets of the parts; a pure function of the geometry. */
struct plan {
    size_t ready, entries, sleepers, seats, lanes, slots, areas, size;
    uint64_t capacity;
};

static bool geometry_is_valid(const struct pool_geometry *g)
{
    return g->workers >= 1 && g->workers <= POOL_WORKERS_MAX && g->threads >= 1 && g->threads <= POOL_SEATS_MAX &&
           g->workers * g->threads <= POOL_SEATS_MAX && g->lanes >= 1 && g->lanes <= POOL_LANES_MAX && g->slots >= 1 &&
           g->slots <= POOL_SLOTS_MAX;
}

/* Room for every slot four times: entries of requests that were taken back stay until somebody pops them. */
static uint64_t ready_capacity(uint32_t slots)
{
    uint64_t capacity = 16;

    while (capacity < 4 * (uint64_t)slots)
        capacity *= 2;
    return capacity;
}

static size_t place(size_t *at, size_t size, size_t align)
{
    size_t start = (*at + align - 1) / align * align;

    *at = start + size;
    return start;
}

static struct plan plan_make(const struct pool_geometry *g)
{
    struct plan plan = { .capacity = ready_capacity(g->slots) };
    size_t at = POOL_PAGE, seats = (size_t)g->workers * g->threads;

    plan.ready = place(&at, sizeof(struct shared_ready), POOL_LINE);
    plan.entries = place(&at, plan.capacity * sizeof(uint64_t), POOL_LINE);
    plan.sleepers = place(&at, (seats + 63) / 64 * sizeof(uint64_t), POOL_LINE);
    plan.seats = place(&at, seats * sizeof(struct shared_seat), POOL_LINE);
    plan.lanes = place(&at, g->lanes * sizeof(struct shared_lane), POOL_LINE);
    plan.slots = place(&at, g->slots * sizeof(struct shared_slot), POOL_LINE);
    plan.areas = place(&at, (size_t)g->slots * POOL_AREA_BYTES, POOL_PAGE);
    plan.size = at;
    return plan;
}

uint32_t pool_geometry_slots(uint32_t workers, uint32_t threads)
{
    uint32_t slots = 8 * workers * threads;

    if (slots < 64)
        return 64;
    return slots < POOL_SLOTS_MAX ? slots : POOL_SLOTS_MAX;
}

static int fill(int fd, const struct pool_geometry *geometry)
{
    struct shared_header header = { .magic = POOL_MAGIC, .version = POOL_VERSION, .geometry = *geometry };

    if (ftruncate(fd, (off_t)plan_make(geometry).size) != 0)
        return -errno;
    ssize_t n = pwrite(fd, &header, sizeof(header), 0);
    if (n != (ssize_t)sizeof(header))
        return n < 0 ? -errno : -EIO;
    /* Nobody can cut it off under our feet (SIGBUS) nor grow it. */
    return fcntl(fd, F_ADD_SEALS, SEALS) == 0 ? 0 : -errno;
}

int pool_create(const struct pool_geometry *geometry)
{
    int fd, rc;

    if (!geometry_is_valid(geometry))
        return -EINVAL;
    fd = memfd_create("quintet-pool", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    rc = fill(fd, geometry);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

/* Reads the header once and says whether it, the seals and the size agree. */
static int check(int fd, struct pool_geometry *geometry)
{
    struct shared_header header;
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS)
        return -EPROTO;
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return -EPROTO;
    if (header.magic != POOL_MAGIC || header.version != POOL_VERSION || !geometry_is_valid(&header.geometry))
        return -EPROTO;
    if (fstat(fd, &st) != 0)
        return -errno;
    if ((size_t)st.st_size != plan_make(&header.geometry).size)
        return -EPROTO;
    *geometry = header.geometry;
    return 0;
}

static struct pool *view_new(const struct pool_geometry *geometry, void *base)
{
    struct plan plan = plan_make(geometry);
    struct pool *pool = mem_zalloc(sizeof(*pool));
    unsigned char *at = base;

    pool->geometry = *geometry;
    pool->seats_n = geometry->workers * geometry->threads;
    pool->capacity = plan.capacity;
    pool->size = plan.size;
    pool->pid = (uint32_t)getpid();
    pool->base = base;
    pool->ready = (void *)(at + plan.ready);
    pool->entries = (void *)(at + plan.entries);
    pool->sleepers = (void *)(at + plan.sleepers);
    pool->seats = (void *)(at + plan.seats);
    pool->lanes = (void *)(at + plan.lanes);
    pool->slots = (void *)(at + plan.slots);
    pool->areas = at + plan.areas;
    for (size_t i = 0; i < ARRAY_LEN(pool->lane_fds); i++)
        pool->lane_fds[i] = -1;
    pool->handed = mem_calloc(geometry->slots, sizeof(*pool->handed));
    pool->seen = mem_calloc(geometry->slots, sizeof(*pool->seen));
    return pool;
}

int pool_map(int memfd, struct pool **out)
{
    struct pool_geometry geometry;
    void *base;
    int rc = check(memfd, &geometry);

    if (rc != 0)
        return rc;
    base = mmap(NULL, plan_make(&geometry).size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
    if (base == MAP_FAILED)
        return -errno;
    *out = view_new(&geometry, base);
    return 0;
}

void pool_unmap(struct pool *pool)
{
    if (pool == NULL)
        return;
    must(munmap(pool->base, pool->size) == 0);
    mem_free(pool->handed);
    mem_free(pool->seen);
    mem_free(pool);
}

const struct pool_geometry *pool_geometry(const struct pool *pool)
{
    return &pool->geometry;
}
