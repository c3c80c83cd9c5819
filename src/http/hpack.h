/*
 * The encoder of HPACK (RFC 7541), for the heads of responses. It takes a tenth of the library's time (nghttp2_hd_deflate), which was a fifth of the
 * edge's for a small file: a field that was sent before is found by one hash and one comparison.
 *
 * The dynamic table only grows. When it is full, the next head begins by emptying it (4.3), so that no entry moves, and none needs to be evicted. What
 * may be unique to a response (its length, validators, id) is entered when it comes for the second time: an id never does, a page that is polled
 * has its length again. Set-Cookie is never indexed, by anybody (7.1.3). Strings are not Huffman coded: they are sent once.
 *
 * No allocation. One connection, one thread.
 */
#ifndef QUINTET_HTTP_HPACK_H
#define QUINTET_HTTP_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"

#define HPACK_TABLE                                                                                                    \
    4096u /* its size at most, by the counting of RFC 7541 4.1; what a client allows at first (RFC 9113 6.5.2) */
#define HPACK_ENTRY_OVERHEAD 32u
#define HPACK_SLOTS 256
#define HPACK_ENTRIES (HPACK_TABLE / HPACK_ENTRY_OVERHEAD)

struct hpack_entry {
    uint16_t at, name, value; /* in the text; lengths. The name is as it was given */
};

struct hpack {
    uint32_t limit; /* of the table */
    uint32_t size;
    uint32_t n;    /* entries, from the oldest on */
    uint32_t used; /* of text */
    bool empties;  /* the next head begins by emptying the table */
    /* By hash: four slots for each. A mark is some bits of the hash; 0: free. With it 1 + the entry, or 0: it came once, and was not entered. */
    uint16_t marks[HPACK_SLOTS];
    uint8_t fields[HPACK_SLOTS];
    uint8_t names[64]; /* 1 + the entry, by the name's hash; 0: none */
    struct hpack_entry entries[HPACK_ENTRIES];
    char text[HPACK_TABLE];
};

void hpack_init(struct hpack *h);
/* The client's SETTINGS_HEADER_TABLE_SIZE. */
void hpack_limit(struct hpack *h, uint32_t size);
/* How many bytes these fields take at most. */
size_t hpack_bound(const struct header *fields, size_t n);
/* A head's block, written where there is room for it; returns its length. Names in any case. */
size_t hpack_encode(struct hpack *h, unsigned status, const struct header *fields, size_t n, char *out);

#endif
