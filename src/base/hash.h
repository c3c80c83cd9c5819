/*
 * Hashes, and a map from byte strings to pointers.
 *
 * Keys that a client chooses are hashed with SipHash-1-3 under a per-process random key (hash_seed), so that nobody can
 * aim at one bucket. The map copies its keys, never its values. One thread.
 */
#ifndef QUINTET_BASE_HASH_H
#define QUINTET_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct hash_seed {
    uint64_t k0, k1;
};

void hash_seed_random(struct hash_seed *seed); /* getrandom(2) */
uint64_t hash_str(const struct hash_seed *seed, struct str s);

struct map_entry;

struct map {
    struct map_entry **buckets; /* owned */
    size_t n_buckets;           /* power of two */
    size_t n;                   /* entries */
    struct hash_seed seed;
};

typedef void map_visit_fn(void *arg, struct str key, void *value);

void map_init(struct map *m);
void map_fini(struct map *m);                                    /* frees keys, not values */
void *map_get(const struct map *m, struct str key);              /* NULL when absent */
void *map_put(struct map *m, struct str key, void *value);       /* value not NULL; returns the one replaced, or NULL */
void *map_remove(struct map *m, struct str key);                 /* the value removed, or NULL */
void map_each(const struct map *m, map_visit_fn *fn, void *arg); /* fn may not change the map */

#endif
