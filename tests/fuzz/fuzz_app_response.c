/*
 * A worker's side of a request, hostile: the input is what it does with the slot, an operation a byte with what follows as its bytes. Frames
 * good and bad, words of the slot, descriptors, death at any point; a client that reads, or does not, or leaves. The edge must not fall, and every
 * slot comes back once the worker is dead.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge_rig.h"
#include "pool/layout.h"
#include "pool/wake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses. */
static const char *const requests[] = {
    "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "GET /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nCookie: a=b\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nIf-None-Match: W/\"x\"\r\n\r\n",
    "HEAD /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: zstd\r\n\r\n",
};

struct play {
    struct rig *rig;
    struct pool_ticket t;
    bool taken;
    int client;
    int file;
    const uint8_t *data;
    size_t size;
};

/* The next n bytes of the input, fewer at its end. */
static struct str next(struct play *p, size_t n)
{
    struct str s = { (const char *)p->data, n < p->size ? n : p->size };

    p->data += s.n;
    p->size -= s.n;
    return s;
}

static uint8_t byte(struct play *p)
{
    struct str s = next(p, 1);

    return s.n > 0 ? (uint8_t)s.p[0] : 0;
}

static void hear(struct play *p)
{
    char bytes[65536];

    while (p->client >= 0 && recv(p->client, bytes, sizeof(bytes), 0) > 0)
        ;
}

static void put_head(struct play *p)
{
    static const char *const names[] = { "Content-Length",    "X-A",        "Set-Cookie",       "Date", "Connection",
                                         "Transfer-Encoding", "X-Sendfile", "X-Accel-Redirect", "Vary", "ETag" };
    static const uint16_t statuses[] = { 200, 204, 304, 404, 100, 0, 999, 206 };
    struct pool_field fields[2] = { { str_of(names[byte(p) % ARRAY_LEN(names)]), { NULL, 0 } },
                                    { STR("Content-Type"), STR("text/html") } };
    struct pool_head head = { .fields = fields, .n_fields = 2 };

    head.status = statuses[byte(p) % ARRAY_LEN(statuses)];
    fields[0].value = next(p, byte(p) % 32);
    (void)!pool_put_head(p->rig->pool, p->t, &head);
}

static void put_data(struct play *p)
{
    static const char zeroes[40000];

    (void)pool_put_data(p->rig->pool, p->t, str_make(zeroes, (size_t)byte(p) * 150 + 1));
}

static void put_file(struct play *p)
{
    struct wire_message m = { .type = WIRE_FILE_BODY, .n_fds = 1, .fds = { p->file } };
    struct pool_file range = { byte(p), (uint64_t)byte(p) * 100 };

    m.number = (uint64_t)p->t.slot << 32 | (p->t.serial + byte(p) % 2);
    (void)!wire_send(p->rig->channel, &m);
    (void)!pool_put_file(p->rig->pool, p->t, &range);
}

static void put_raw(struct play *p)
{
    struct shared_slot *s = slot_at(p->rig->pool, p->t.slot);
    struct str bytes = next(p, byte(p) % 64);
    uint64_t at = atomic_load(&s->written);

    for (size_t i = 0; i < bytes.n; i++)
        ring_area(p->rig->pool, p->t.slot)[(at + i) & (POOL_RING_BYTES - 1)] = (unsigned char)bytes.p[i];
    atomic_store(&s->written, at + bytes.n);
}

static void spoil_word(struct play *p)
{
    struct shared_slot *s = slot_at(p->rig->pool, p->t.slot);

    atomic_store(&s->word, word_make((enum pool_phase)(byte(p) % 6), byte(p) % 3, p->t.serial + byte(p) % 2));
}

static void do_one(struct play *p)
{
    struct pool *pool = p->rig->pool;

    switch (byte(p) % 14) {
    case 0:
        put_head(p);
        break;
    case 1:
        put_data(p);
        break;
    case 2:
        put_file(p);
        break;
    case 3:
        (void)!pool_put_end(pool, p->t);
        break;
    case 4:
        (void)!pool_put_fail(pool, p->t);
        break;
    case 5:
        pool_attention(pool, p->t);
        break;
    case 6:
        pool_done(pool, 0, p->t);
        break;
    case 7:
        rig_worker_dies(p->rig);
        p->taken = pool_try_take(pool, 0, &p->t) == POOL_TAKEN;
        break;
    case 8:
        put_raw(p);
        break;
    case 9:
        spoil_word(p);
        break;
    case 10:
        pool_ask_body(pool, p->t);
        break;
    case 11:
        rig_turn(p->rig);
        hear(p);
        break;
    case 12:
        rig_turn(p->rig);
        break;
    default:
        if (p->client >= 0)
            close(p->client);
        p->client = -1;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig *rig;
    static int file;
    struct play p = { .data = data, .size = size };
    const char *bytes;

    if (rig == NULL) {
        rig = rig_make(true);
        file = memfd_create("file", MFD_CLOEXEC);
        must(file >= 0 && ftruncate(file, 300000) == 0);
    }
    p.rig = rig;
    p.file = file;
    bytes = requests[byte(&p) % ARRAY_LEN(requests)];
    p.client = rig_connect(rig);
    must(send(p.client, bytes, strlen(bytes), MSG_NOSIGNAL) == (ssize_t)strlen(bytes));
    rig_turn(rig);
    p.taken = pool_try_take(rig->pool, 0, &p.t) == POOL_TAKEN;
    must(p.taken);
    for (int i = 0; i < 200 && p.size > 0 && p.taken; i++)
        do_one(&p);
    rig_turn(rig);
    if (p.client >= 0)
        close(p.client);
    rig_quiet(rig);
    return 0;
}
