/* The worker's side of a response: frames into the ring. Only the seat that runs the slot writes here. */
#include "pool/response.h"

#include <errno.h>

#include "pool/frame.h"
#include "pool/layout.h"
#include "pool/room.h"
#include "pool/step.h"
#include "pool/wake.h"

/* A frame being written: `at` runs ahead of what is published. */
struct frame {
    struct shared_slot *slot;
    unsigned char *ring;
    uint64_t at;
};

static struct frame frame_start(struct pool *pool, struct pool_ticket ticket, uint32_t kind, uint32_t size)
{
    struct frame frame = { .slot = slot_at(pool, ticket.slot), .ring = ring_area(pool, ticket.slot) };
    _Atomic uint64_t *header;

    /* Ours alone, unless a stranger scribbles: the masks keep us inside the ring even then. */
    frame.at = atomic_load_explicit(&frame.slot->written, memory_order_relaxed) & ~UINT64_C(7);
    header = (void *)(frame.ring + ring_place(frame.at));
    atomic_store_explicit(header, frame_make(kind, size), memory_order_relaxed);
    frame.at += FRAME_HEADER;
    return frame;
}

static void frame_bytes(struct frame *frame, const void *bytes, size_t n)
{
    size_t place = ring_place(frame->at), first = POOL_RING_BYTES - place;

    if (n == 0)
        return;
    if (first > n)
        first = n;
    memcpy(frame->ring + place, bytes, first);
    memcpy(frame->ring, (const unsigned char *)bytes + first, n - first);
    frame->at += n;
}

static void frame_publish(struct frame *frame)
{
    POOL_STEP(FRAME_BYTES);
    /* release: the whole frame is there before the count that covers it. */
    atomic_store_explicit(&frame->slot->written, (frame->at + 7) & ~UINT64_C(7), memory_order_release);
    POOL_STEP(FRAME_WRITTEN);
}

/* 0 when the payload is larger than max. */
static size_t head_size(const struct pool_head *head)
{
    size_t size = sizeof(struct head_start) + head->n_fields * sizeof(struct head_field);

    if (head->n_fields > POOL_FIELDS_MAX || head->reason.n > POOL_HEAD_MAX)
        return 0;
    size += head->reason.n;
    for (uint32_t i = 0; i < head->n_fields; i++) {
        if (head->fields[i].name.n > POOL_HEAD_MAX || head->fields[i].value.n > POOL_HEAD_MAX)
            return 0;
        size += head->fields[i].name.n + head->fields[i].value.n;
    }
    return size <= POOL_HEAD_MAX ? size : 0;
}

int pool_put_head(struct pool *pool, struct pool_ticket ticket, const struct pool_head *head)
{
    struct head_start start = { head->status, (uint16_t)head->reason.n, (uint16_t)head->n_fields, 0 };
    struct head_field lengths[POOL_FIELDS_MAX];
    size_t size = head_size(head);
    struct frame frame;

    if (size == 0)
        return -EMSGSIZE;
    if (room_left(slot_at(pool, ticket.slot)) < FRAME_HEADER + size + frame_padding((uint32_t)size))
        return -EAGAIN; /* the ring is empty but for our own bugs and a stranger's */
    for (uint32_t i = 0; i < head->n_fields; i++)
        lengths[i] = (struct head_field){ (uint16_t)head->fields[i].name.n, (uint16_t)head->fields[i].value.n };
    frame = frame_start(pool, ticket, POOL_FRAME_HEAD, (uint32_t)size);
    frame_bytes(&frame, &start, sizeof(start));
    frame_bytes(&frame, lengths, head->n_fields * sizeof(*lengths));
    frame_bytes(&frame, head->reason.p, head->reason.n);
    for (uint32_t i = 0; i < head->n_fields; i++) {
        frame_bytes(&frame, head->fields[i].name.p, head->fields[i].name.n);
        frame_bytes(&frame, head->fields[i].value.p, head->fields[i].value.n);
    }
    frame_publish(&frame);
    return 0;
}

size_t pool_put_data(struct pool *pool, struct pool_ticket ticket, struct str data)
{
    size_t room = room_left(slot_at(pool, ticket.slot)), n = data.n;
    struct frame frame;

    if (n == 0 || room <= FRAME_HEADER)
        return 0;
    if (n > room - FRAME_HEADER) {
        if (room < POOL_ROOM_WAKE)
            return 0;
        n = room - FRAME_HEADER;
    }
    frame = frame_start(pool, ticket, POOL_FRAME_DATA, (uint32_t)n);
    frame_bytes(&frame, data.p, n);
    frame_publish(&frame);
    return n;
}

static int put_small(struct pool *pool, struct pool_ticket ticket, uint32_t kind, struct str payload)
{
    struct frame frame;

    if (room_left(slot_at(pool, ticket.slot)) < FRAME_HEADER + payload.n)
        return -EAGAIN;
    frame = frame_start(pool, ticket, kind, (uint32_t)payload.n);
    frame_bytes(&frame, payload.p, payload.n);
    frame_publish(&frame);
    return 0;
}

int pool_put_file(struct pool *pool, struct pool_ticket ticket, const struct pool_file *file)
{
    return put_small(pool, ticket, POOL_FRAME_FILE, str_make((const char *)file, sizeof(*file)));
}

int pool_put_end(struct pool *pool, struct pool_ticket ticket)
{
    return put_small(pool, ticket, POOL_FRAME_END, str_make(NULL, 0));
}

int pool_put_fail(struct pool *pool, struct pool_ticket ticket)
{
    return put_small(pool, ticket, POOL_FRAME_FAIL, str_make(NULL, 0));
}

void pool_ask_body(struct pool *pool, struct pool_ticket ticket)
{
    atomic_store_explicit(&slot_at(pool, ticket.slot)->asked, 1, memory_order_release);
    POOL_STEP(ASKED);
    pool_attention(pool, ticket);
}
