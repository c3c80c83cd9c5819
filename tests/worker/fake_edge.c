/*
 * The edge's side of the pool and of the channels, for tests written in Python (harness.py loads this by ctypes).
 *
 * Plain numbers and bytes in and out; everything that could be judged is judged in Python. One lane, one thread.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/proc.h"
#include "pool/request.h"
#include "pool/response.h"
#include "pool/wake.h"
#include "wire/inherit.h"
#include "wire/message.h"

#define EXPORT __attribute__((visibility("default")))

struct fake {
    struct pool *pool;
    int memfd, eventfd;
    uint32_t *serials;
    bool *is_free;
    struct pool_reader *readers; /* a slot each */
    char head[POOL_HEAD_MAX];
};

EXPORT struct fake *fake_open(uint32_t workers, uint32_t threads);
EXPORT void fake_close(struct fake *f);
EXPORT void fake_adopt(struct fake *f);
EXPORT int fake_orphan_ended(struct fake *f, uint32_t slot);
EXPORT int fake_memfd(const struct fake *f);
EXPORT int fake_eventfd(const struct fake *f);
EXPORT int fake_var_count(void);
EXPORT int fake_submit(struct fake *f, const char *packed, uint64_t body_size, int flags);
EXPORT int fake_next(struct fake *f, uint32_t slot, char *out, uint64_t numbers[3]);
EXPORT int fake_wait(struct fake *f, int timeout_ms);
EXPORT int fake_phase(struct fake *f, uint32_t slot);
EXPORT int fake_release(struct fake *f, uint32_t slot);
EXPORT void fake_cancel(struct fake *f, uint32_t slot);
EXPORT int fake_body_asked(struct fake *f, uint32_t slot);
EXPORT uint32_t fake_serial(const struct fake *f, uint32_t slot);
EXPORT int fake_pair(int fds[2]);
EXPORT int fake_spawn(const char *path, char *const *argv, char *const *envp, const char *dir, const int *fds);
EXPORT int fake_send(int fd, int type, uint64_t number, int passed);
EXPORT int fake_receive(int fd, const char *route, char *text, uint64_t numbers[4]);

/* ---- pool ---- */

struct fake *fake_open(uint32_t workers, uint32_t threads)
{
    struct pool_geometry g = { workers, threads, 1, pool_geometry_slots(workers, threads) };
    struct fake *f = mem_zalloc(sizeof(*f));

    f->memfd = pool_create(&g);
    f->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (f->memfd < 0 || f->eventfd < 0 || pool_map(f->memfd, &f->pool) < 0)
        return NULL;
    f->serials = mem_calloc(g.slots, sizeof(*f->serials));
    f->is_free = mem_calloc(g.slots, sizeof(*f->is_free));
    f->readers = mem_calloc(g.slots, sizeof(*f->readers));
    fake_adopt(f);
    return f;
}

void fake_adopt(struct fake *f)
{
    pool_set_lane_fds(f->pool, &f->eventfd, 1);
    pool_adopt(f->pool, f->serials, f->is_free);
}

int fake_orphan_ended(struct fake *f, uint32_t slot)
{
    bool alive[POOL_SEATS_MAX];

    memset(alive, 1, sizeof(alive));
    if (!pool_orphan_ended(f->pool, slot, alive, &f->serials[slot]))
        return 0;
    f->is_free[slot] = true;
    return 1;
}

void fake_close(struct fake *f)
{
    pool_unmap(f->pool);
    close(f->memfd);
    close(f->eventfd);
    mem_free(f->serials);
    mem_free(f->is_free);
    mem_free(f->readers);
    mem_free(f);
}

int fake_memfd(const struct fake *f)
{
    return f->memfd;
}

int fake_eventfd(const struct fake *f)
{
    return f->eventfd;
}

static struct str unpack(const char **at)
{
    uint32_t n;
    struct str s;

    memcpy(&n, *at, sizeof(n));
    s = str_make(*at + sizeof(n), n);
    *at += sizeof(n) + n;
    return s;
}

int fake_var_count(void)
{
    return POOL_VAR_COUNT;
}

/* packed: POOL_VAR_COUNT texts, number of fields (u32), names and values, body; each text a u32 length and its bytes. flags: 1 HEAD,
 * 2 has a body, 4 the body comes as a descriptor. Returns the slot or -errno; -EBUSY when none is free. */
int fake_submit(struct fake *f, const char *packed, uint64_t body_size, int flags)
{
    static struct pool_request r;
    uint32_t slot = 0, slots = pool_geometry(f->pool)->slots;
    struct pool_ticket ticket;
    int rc;

    while (slot < slots && !f->is_free[slot])
        slot++;
    if (slot == slots)
        return -EBUSY;
    for (int i = 0; i < POOL_VAR_COUNT; i++)
        r.vars[i] = unpack(&packed);
    memcpy(&r.n_fields, packed, sizeof(r.n_fields));
    packed += sizeof(r.n_fields);
    for (uint32_t i = 0; i < r.n_fields; i++) {
        r.fields[i].name = unpack(&packed);
        r.fields[i].value = unpack(&packed);
    }
    r.head_only = (flags & 1) != 0;
    r.has_body = (flags & 2) != 0;
    r.body = (flags & 4) ? POOL_BODY_FD : body_size > 0 ? POOL_BODY_INLINE : POOL_BODY_NONE;
    r.body_size = body_size;
    r.body_data = unpack(&packed);
    r.queued_ns = clock_mono_ns();
    ticket = (struct pool_ticket){ slot, f->serials[slot] };
    rc = pool_request_write(f->pool, ticket, &r);
    if (rc < 0)
        return rc;
    f->is_free[slot] = false;
    f->readers[slot] = (struct pool_reader){ 0 };
    pool_ready(f->pool, ticket, 0);
    return (int)slot;
}

static struct pool_ticket ticket_of(const struct fake *f, uint32_t slot)
{
    return (struct pool_ticket){ slot, f->serials[slot] };
}

static void copy_piece(char *out, const struct pool_piece *piece)
{
    for (int i = 0; i < piece->n_data; i++) {
        memcpy(out, piece->data[i].iov_base, piece->data[i].iov_len);
        out += piece->data[i].iov_len;
    }
}

/* reason NUL name NUL value NUL … into out, whose length is returned. */
static uint64_t unpack_head(struct fake *f, char *out, size_t n, uint64_t *status)
{
    static struct pool_field fields[POOL_FIELDS_MAX];
    struct pool_head head = { .fields = fields };
    char *at = out;

    memcpy(f->head, out, n);
    if (pool_head_parse(str_make(f->head, n), &head) < 0)
        return 0;
    *status = head.status;
    at += snprintf(at, POOL_HEAD_MAX, STR_FMT, STR_ARG(head.reason)) + 1;
    for (uint32_t i = 0; i < head.n_fields; i++) {
        memcpy(at, fields[i].name.p, fields[i].name.n);
        at += fields[i].name.n;
        *at++ = '\0';
        memcpy(at, fields[i].value.p, fields[i].value.n);
        at += fields[i].value.n;
        *at++ = '\0';
    }
    return (uint64_t)(at - out);
}

/* The next piece of a response, consumed. Its kind, 0 or -EPROTO; bytes in out (64 KiB and more), numbers: length of them; status or
 * file offset; file length. */
int fake_next(struct fake *f, uint32_t slot, char *out, uint64_t numbers[3])
{
    struct pool_piece piece;
    int rc = pool_peek(f->pool, ticket_of(f, slot), &f->readers[slot], &piece);

    if (rc <= 0)
        return rc;
    copy_piece(out, &piece);
    numbers[0] = piece.size;
    if (piece.kind == POOL_FRAME_HEAD)
        numbers[0] = unpack_head(f, out, piece.size, &numbers[1]);
    if (piece.kind == POOL_FRAME_FILE) {
        numbers[1] = piece.file.offset;
        numbers[2] = piece.file.length;
    }
    pool_consume(f->pool, ticket_of(f, slot), &f->readers[slot], &piece, piece.size);
    return (int)piece.kind;
}

static void ignore_slot(void *arg, uint32_t slot)
{
}

/* Waits for attention and takes it: the number of slots that had it. */
int fake_wait(struct fake *f, int timeout_ms)
{
    struct pollfd p = { .fd = f->eventfd, .events = POLLIN };
    uint64_t count;

    if (pool_lane_sleep(f->pool, 0) && poll(&p, 1, timeout_ms) > 0 && read(f->eventfd, &count, sizeof(count)) < 0)
        return -errno;
    pool_lane_woken(f->pool, 0);
    return (int)pool_lane_take(f->pool, 0, ignore_slot, NULL);
}

int fake_phase(struct fake *f, uint32_t slot)
{
    struct pool_look look;
    int rc = pool_look(f->pool, ticket_of(f, slot), &look);

    return rc < 0 ? rc : (int)look.phase;
}

int fake_release(struct fake *f, uint32_t slot)
{
    int rc = pool_release(f->pool, ticket_of(f, slot), &f->serials[slot]);

    if (rc == 0)
        f->is_free[slot] = true;
    return rc;
}

void fake_cancel(struct fake *f, uint32_t slot)
{
    pool_cancel(f->pool, ticket_of(f, slot));
}

int fake_body_asked(struct fake *f, uint32_t slot)
{
    return pool_body_asked(f->pool, ticket_of(f, slot));
}

uint32_t fake_serial(const struct fake *f, uint32_t slot)
{
    return f->serials[slot];
}

/* ---- process and channels ---- */

int fake_pair(int fds[2])
{
    return wire_pair(fds);
}

/* fds: output, supervisor, edge, memfd, eventfd. The pid or -errno. */
int fake_spawn(const char *path, char *const *argv, char *const *envp, const char *dir, const int *fds)
{
    struct proc_fd map[] = { { fds[0], 1 },
                             { fds[0], 2 },
                             { fds[1], INHERIT_SUPERVISOR },
                             { fds[2], INHERIT_EDGE },
                             { fds[3], INHERIT_POOL },
                             { fds[4], INHERIT_LANES } };
    struct proc_spawn spawn = { .path = path,
                                .argv = argv,
                                .envp = envp,
                                .chdir = dir,
                                .fds = map,
                                .n_fds = ARRAY_LEN(map),
                                .uid = PROC_KEEP_ID,
                                .gid = PROC_KEEP_ID,
                                .umask = -1 };

    return proc_spawn(&spawn);
}

int fake_send(int fd, int type, uint64_t number, int passed)
{
    struct wire_message m = { .type = (enum wire_type)type, .number = number, .fds = { passed }, .n_fds = passed >= 0 };

    return wire_send(fd, &m);
}

/* 1, 0 or -errno; numbers: type, number, text length, descriptor (or 2^64 - 1). */
int fake_receive(int fd, const char *route, char *text, uint64_t numbers[4])
{
    struct wire_message m;
    int rc = wire_receive(fd, route, 0, text, &m);

    if (rc <= 0)
        return rc;
    numbers[0] = m.type;
    numbers[1] = m.number;
    numbers[2] = m.text.n;
    numbers[3] = m.n_fds > 0 ? (uint64_t)m.fds[0] : UINT64_MAX;
    return rc;
}
