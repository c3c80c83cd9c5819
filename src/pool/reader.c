/*
 * The edge's side of a response. Everything in the ring is hostile: each word is read once, into a private variable, and checked there; places
 * in the ring are masked, so no value can lead outside.
 */
#include <errno.h>

#include "pool/frame.h"
#include "pool/layout.h"
#include "pool/response.h"
#include "pool/room.h"

static void piece_data(const unsigned char *ring, uint64_t at, size_t n, struct pool_piece *piece)
{
    size_t place = ring_place(at), first = POOL_RING_BYTES - place;

    if (first > n)
        first = n;
    piece->data[0] = (struct iovec){ (void *)(uintptr_t)(ring + place), first };
    piece->data[1] = (struct iovec){ (void *)(uintptr_t)ring, n - first };
    piece->n_data = n > first ? 2 : n > 0;
    piece->size = n;
}

static int peek_data(const unsigned char *ring, const struct pool_reader *reader, struct pool_piece *piece)
{
    piece->kind = POOL_FRAME_DATA;
    piece_data(ring, reader->consumed, reader->data_left, piece);
    return 1;
}

static int peek_file(const unsigned char *ring, const struct pool_reader *reader, struct pool_piece *piece)
{
    unsigned char bytes[sizeof(piece->file)];
    struct pool_piece raw;

    piece_data(ring, reader->consumed + FRAME_HEADER, sizeof(bytes), &raw);
    memcpy(bytes, raw.data[0].iov_base, raw.data[0].iov_len);
    memcpy(bytes + raw.data[0].iov_len, raw.data[1].iov_base, raw.data[1].iov_len);
    memcpy(&piece->file, bytes, sizeof(bytes));
    if (piece->file.offset > INT64_MAX || piece->file.length > INT64_MAX - piece->file.offset)
        return -EPROTO;
    return 1;
}

/* May a frame of this kind and size come at this place of a response? */
static bool frame_is_valid(const struct pool_reader *reader, uint32_t kind, uint32_t size)
{
    bool first = reader->consumed == 0;

    switch (kind) {
    case POOL_FRAME_HEAD:
        return first && size <= POOL_HEAD_MAX;
    case POOL_FRAME_DATA:
        return !first && size > 0;
    case POOL_FRAME_FILE:
        return !first && size == sizeof(struct pool_file);
    case POOL_FRAME_END:
        return !first && size == 0;
    case POOL_FRAME_FAIL:
        return size == 0;
    default:
        return false;
    }
}

int pool_peek(const struct pool *pool, struct pool_ticket ticket, struct pool_reader *reader, struct pool_piece *piece)
{
    const unsigned char *ring = ring_area(pool, ticket.slot);
    const _Atomic uint64_t *header;
    uint64_t there, frame;
    uint32_t kind, size;

    *piece = (struct pool_piece){ 0 };
    if (reader->data_left > 0) /* checked when its frame began */
        return peek_data(ring, reader, piece);
    /* acquire: the frames lie there before the count that covers them. */
    there = atomic_load_explicit(&slot_at(pool, ticket.slot)->written, memory_order_acquire) - reader->consumed;
    if (there == 0)
        return 0;
    if (there > POOL_RING_BYTES || there % 8 != 0 || reader->ended)
        return -EPROTO;
    header = (const void *)(ring + ring_place(reader->consumed));
    frame = atomic_load_explicit(header, memory_order_relaxed);
    kind = (uint32_t)frame;
    size = (uint32_t)(frame >> 32);
    if (size > there - FRAME_HEADER || !frame_is_valid(reader, kind, size))
        return -EPROTO;
    piece->kind = (enum pool_frame)kind;
    if (kind == POOL_FRAME_FILE)
        return peek_file(ring, reader, piece);
    if (kind == POOL_FRAME_HEAD)
        piece_data(ring, reader->consumed + FRAME_HEADER, size, piece);
    if (kind != POOL_FRAME_DATA)
        return 1;
    reader->consumed += FRAME_HEADER;
    reader->data_left = size;
    reader->padding = frame_padding(size);
    return peek_data(ring, reader, piece);
}

void pool_consume(struct pool *pool, struct pool_ticket ticket, struct pool_reader *reader,
                  const struct pool_piece *piece, size_t n)
{
    uint32_t size = piece->kind == POOL_FRAME_FILE ? (uint32_t)sizeof(struct pool_file) : (uint32_t)piece->size;

    if (piece->kind == POOL_FRAME_DATA) {
        must(n <= reader->data_left);
        reader->data_left -= (uint32_t)n;
        reader->consumed += n;
        if (reader->data_left == 0)
            reader->consumed += reader->padding;
    } else {
        reader->consumed += FRAME_HEADER + size + frame_padding(size);
        reader->ended = piece->kind == POOL_FRAME_END || piece->kind == POOL_FRAME_FAIL;
    }
    room_give(slot_at(pool, ticket.slot), reader->consumed);
}

bool pool_body_asked(struct pool *pool, struct pool_ticket ticket)
{
    _Atomic uint32_t *asked = &slot_at(pool, ticket.slot)->asked;

    return atomic_load_explicit(asked, memory_order_relaxed) != 0 &&
           atomic_exchange_explicit(asked, 0, memory_order_acq_rel) != 0;
}

/* The next n bytes; *rest.p becomes NULL when there are not so many. */
static struct str cut(struct str *rest, size_t n)
{
    struct str piece = { rest->p, n };

    if (rest->p == NULL || n > rest->n)
        return *rest = (struct str){ NULL, 0 };
    rest->p += n;
    rest->n -= n;
    return piece;
}

int pool_head_parse(struct str bytes, struct pool_head *head)
{
    struct head_start start;
    struct head_field lengths[POOL_FIELDS_MAX];
    struct str table = cut(&bytes, sizeof(start));

    if (table.p == NULL)
        return -EPROTO;
    memcpy(&start, table.p, sizeof(start));
    if (start.n_fields > POOL_FIELDS_MAX || start.zero != 0)
        return -EPROTO;
    table = cut(&bytes, start.n_fields * sizeof(*lengths));
    if (table.p == NULL)
        return -EPROTO;
    memcpy(lengths, table.p, start.n_fields * sizeof(*lengths));
    head->status = start.status;
    head->n_fields = start.n_fields;
    head->reason = cut(&bytes, start.reason);
    for (uint32_t i = 0; i < head->n_fields; i++) {
        head->fields[i].name = cut(&bytes, lengths[i].name);
        head->fields[i].value = cut(&bytes, lengths[i].value);
    }
    return bytes.p != NULL && bytes.n == 0 ? 0 : -EPROTO;
}
