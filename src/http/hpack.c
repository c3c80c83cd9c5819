/* The encoder of HPACK: see hpack.h. */
#include "http/hpack.h"

#include <string.h>

#include "base/must.h"

#define DYNAMIC 62 /* index of the newest entry: the static table has 61 */
#define STATUS 8   /* index of the first :status */
#define INT_MAX_BYTES 6
#define WAYS                                                                                                           \
    4 /* slots where a field may be: with fewer two fields of every response would drive each other out now and then */

/* RFC 7541 6.1 to 6.3: first bits of a representation, and how many bits of its number are in the first byte. */
#define INDEXED 0x80
#define INDEXED_BITS 7
#define ADDED 0x40
#define ADDED_BITS 6
#define RESIZE 0x20
#define RESIZE_BITS 5
#define NEVER 0x10
#define PLAIN 0x00
#define PLAIN_BITS 4
#define STRING_BITS 7

enum keeping {
    KEPT,   /* in the table: the next response has it, too */
    UNIQUE, /* perhaps, to a response: in the table for its name, or when it has come before */
    SECRET, /* never to be indexed */
};

/* Appendix A, as far as it is about responses, and what else is not to be kept. */
static const struct known {
    struct str name;
    uint8_t index; /* 0: none */
    enum keeping keeping;
} known[] = {
    { STR_INIT("accept-ranges"), 18, KEPT },
    { STR_INIT("access-control-allow-origin"), 20, KEPT },
    { STR_INIT("age"), 21, UNIQUE },
    { STR_INIT("allow"), 22, KEPT },
    { STR_INIT("cache-control"), 24, KEPT },
    { STR_INIT("content-disposition"), 25, UNIQUE },
    { STR_INIT("content-encoding"), 26, KEPT },
    { STR_INIT("content-language"), 27, KEPT },
    { STR_INIT("content-length"), 28, UNIQUE },
    { STR_INIT("content-location"), 29, UNIQUE },
    { STR_INIT("content-range"), 30, UNIQUE },
    { STR_INIT("content-type"), 31, KEPT },
    { STR_INIT("date"), 33, KEPT },
    { STR_INIT("etag"), 34, UNIQUE },
    { STR_INIT("expires"), 36, KEPT },
    { STR_INIT("last-modified"), 44, KEPT },
    { STR_INIT("link"), 45, KEPT },
    { STR_INIT("location"), 46, UNIQUE },
    { STR_INIT("proxy-authenticate"), 48, UNIQUE },
    { STR_INIT("refresh"), 52, KEPT },
    { STR_INIT("retry-after"), 53, KEPT },
    { STR_INIT("server"), 54, KEPT },
    { STR_INIT("set-cookie"), 55, SECRET },
    { STR_INIT("strict-transport-security"), 56, KEPT },
    { STR_INIT("vary"), 59, KEPT },
    { STR_INIT("via"), 60, KEPT },
    { STR_INIT("www-authenticate"), 61, UNIQUE },
    { STR_INIT("server-timing"), 0, UNIQUE },
    { STR_INIT("x-request-id"), 0, UNIQUE },
};
static const struct known unknown = { .keeping = KEPT };

/* ---- bytes ---- */

/* RFC 7541 5.1. */
static char *put_int(char *p, unsigned first, unsigned bits, size_t value)
{
    size_t most = (1u << bits) - 1;

    if (value < most) {
        *p++ = (char)(first | value);
        return p;
    }
    *p++ = (char)(first | most);
    for (value -= most; value >= 128; value >>= 7)
        *p++ = (char)(128 | (value & 127));
    *p++ = (char)value;
    return p;
}

static char *put_string(char *p, struct str s)
{
    p = put_int(p, 0, STRING_BITS, s.n);
    memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *put_lower(char *p, struct str s)
{
    p = put_int(p, 0, STRING_BITS, s.n);
    for (size_t i = 0; i < s.n; i++)
        *p++ = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]);
    return p;
}

/* ---- the table ---- */

void hpack_init(struct hpack *h)
{
    memset(h, 0, offsetof(struct hpack, entries));
    h->limit = HPACK_TABLE;
}

static void empty(struct hpack *h)
{
    uint32_t limit = h->limit;

    hpack_init(h);
    h->limit = limit;
}

/* 4.2: the smallest of the sizes between two heads is to be said; none is smaller than 0. */
void hpack_limit(struct hpack *h, uint32_t size)
{
    uint32_t limit = size < HPACK_TABLE ? size : HPACK_TABLE;

    if (limit == h->limit)
        return;
    h->limit = limit;
    h->empties = true;
}

/* Its last eight bytes, where texts differ, and its length. */
static uint64_t digest(struct str s)
{
    uint64_t tail = 0;

    if (s.n >= sizeof(tail))
        memcpy(&tail, s.p + s.n - sizeof(tail), sizeof(tail));
    else if (s.n > 0)
        memcpy(&tail, s.p, s.n);
    return (tail ^ s.n) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct str name_of(const struct hpack *h, const struct hpack_entry *e)
{
    return str_make(h->text + e->at, e->name);
}

static size_t index_of(const struct hpack *h, unsigned place)
{
    return DYNAMIC + h->n - place;
}

static bool holds(const struct hpack *h, unsigned place, const struct header *field)
{
    const struct hpack_entry *e = &h->entries[place - 1];
    const char *p = h->text + e->at;

    return e->name == field->name.n && e->value == field->value.n && memcmp(p, field->name.p, e->name) == 0 &&
           memcmp(p + e->name, field->value.p, e->value) == 0;
}

static uint8_t *name_place(struct hpack *h, struct str name)
{
    return &h->names[digest(name) >> 58];
}

static void enter(struct hpack *h, const struct header *field, unsigned slot)
{
    struct hpack_entry *e = &h->entries[h->n];

    *e = (struct hpack_entry){ (uint16_t)h->used, (uint16_t)field->name.n, (uint16_t)field->value.n };
    memcpy(h->text + h->used, field->name.p, field->name.n);
    memcpy(h->text + h->used + field->name.n, field->value.p, field->value.n);
    h->used += (uint32_t)(field->name.n + field->value.n);
    h->size += (uint32_t)(field->name.n + field->value.n) + HPACK_ENTRY_OVERHEAD;
    h->fields[slot] = (uint8_t)++h->n;
    if (*name_place(h, field->name) == 0)
        *name_place(h, field->name) = h->fields[slot];
}

static uint64_t hash_of(const struct header *field)
{
    return digest(field->value) + digest(field->name); /* of which the higher bits are the better ones */
}

static unsigned first_slot(uint64_t hash)
{
    return (unsigned)(hash >> 58) * WAYS;
}

static uint16_t mark_of(uint64_t hash)
{
    return (uint16_t)(1 | hash >> 42);
}

/* The entry that is the field; 0: none. */
static unsigned find(const struct hpack *h, const struct header *field, uint64_t hash)
{
    uint16_t mark = mark_of(hash);

    for (unsigned slot = first_slot(hash), i = 0; i < WAYS; i++, slot++) {
        if (h->marks[slot] == mark && h->fields[slot] > 0 && holds(h, h->fields[slot], field))
            return h->fields[slot];
    }
    return 0;
}

/* Where a field that is no entry belongs: where it has come before, else where none is, else where one has to go. */
static unsigned slot_for(const struct hpack *h, uint64_t hash)
{
    unsigned first = first_slot(hash), slot = first + h->n % WAYS;
    uint16_t mark = mark_of(hash);

    for (unsigned i = first; i < first + WAYS; i++) {
        if (h->fields[i] > 0)
            continue;
        slot = i;
        if (h->marks[i] == mark)
            break;
    }
    return slot;
}

/* Whether it has come before. */
static bool comes_again(struct hpack *h, unsigned slot, uint64_t hash)
{
    uint16_t mark = mark_of(hash);

    if (h->fields[slot] > 0)
        return false;
    if (h->marks[slot] == mark)
        return true;
    h->marks[slot] = mark;
    return false;
}

/* Whether there is a place for it; one that would take half of the table has none. */
static bool fits(struct hpack *h, const struct header *field)
{
    size_t size = field->name.n + field->value.n + HPACK_ENTRY_OVERHEAD;

    if (size > h->limit / 2)
        return false;
    if (h->size + size > h->limit)
        h->empties = true;
    return h->size + size <= h->limit;
}

/* ---- a head ---- */

/* The last letter tells nearly all names of a length apart. */
static const struct known *look_up(struct str name)
{
    char last = name.n > 0 ? (char)(name.p[name.n - 1] | 0x20) : 0;

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].name.n == name.n && known[i].name.p[name.n - 1] == last && str_eq_nocase(known[i].name, name))
            return &known[i];
    }
    return &unknown;
}

/* The index of an entry of that name, 0: none. */
static size_t name_index(struct hpack *h, struct str name)
{
    unsigned place = *name_place(h, name);

    return place > 0 && str_eq(name_of(h, &h->entries[place - 1]), name) ? index_of(h, place) : 0;
}

/* One that is not in the table. */
static char *put_new(struct hpack *h, char *p, const struct header *field, uint64_t hash)
{
    const struct known *k = look_up(field->name);
    size_t index = k->index > 0 ? k->index : name_index(h, field->name);
    bool for_name = index == 0 && *name_place(h, field->name) == 0;
    unsigned slot = slot_for(h, hash);
    bool again = k->keeping == UNIQUE && (for_name || comes_again(h, slot, hash));
    bool enters = (k->keeping == KEPT || again) && fits(h, field);

    if (enters)
        p = put_int(p, ADDED, ADDED_BITS, index);
    else
        p = put_int(p, k->keeping == SECRET ? NEVER : PLAIN, PLAIN_BITS, index);
    if (index == 0)
        p = put_lower(p, field->name);
    p = put_string(p, field->value);
    if (enters) {
        h->marks[slot] = mark_of(hash);
        enter(h, field, slot);
    }
    return p;
}

static char *put_field(struct hpack *h, char *p, const struct header *field)
{
    uint64_t hash = hash_of(field);
    unsigned place = find(h, field, hash);

    if (place > 0)
        return put_int(p, INDEXED, INDEXED_BITS, index_of(h, place));
    return put_new(h, p, field, hash);
}

static char *put_status(char *p, unsigned status)
{
    static const unsigned known_status[] = { 200, 204, 206, 304, 400, 404, 500 };
    char digits[3] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10) };

    for (size_t i = 0; i < ARRAY_LEN(known_status); i++) {
        if (known_status[i] == status)
            return put_int(p, INDEXED, INDEXED_BITS, STATUS + i);
    }
    p = put_int(p, PLAIN, PLAIN_BITS, STATUS);
    return put_string(p, str_make(digits, sizeof(digits)));
}

size_t hpack_bound(const struct header *fields, size_t n)
{
    size_t bound = 4 * INT_MAX_BYTES; /* the status, two sizes of the table */

    for (size_t i = 0; i < n; i++)
        bound += fields[i].name.n + fields[i].value.n + 3 * INT_MAX_BYTES;
    return bound;
}

size_t hpack_encode(struct hpack *h, unsigned status, const struct header *fields, size_t n, char *out)
{
    char *p = out;

    if (h->empties) {
        empty(h);
        p = put_int(p, RESIZE, RESIZE_BITS, 0);
        p = put_int(p, RESIZE, RESIZE_BITS, h->limit);
    }
    p = put_status(p, status);
    for (size_t i = 0; i < n; i++)
        p = put_field(h, p, &fields[i]);
    return (size_t)(p - out);
}
